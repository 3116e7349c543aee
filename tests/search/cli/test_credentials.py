"""Keys and passwords in URIs: found in every form, and refused before anything repeats them."""

import json
from pathlib import Path

import pytest

from analysis.run.run_folder import read as read_run
from search.cli.command_line import BadInput
from search.cli.credentials import has_secret, without_secrets
from search.cli.options import SearchOptions
from search.run import main
from search.session import resuming
from search.session.run_session import run as run_search
from tests.analysis.conftest import RunMaker
from tests.search.session.test_resuming import PLAIN, settings

SECRET = "wJalrXUtnFEMIbPxRfiCY"

WITH_SECRET = {
    f"s3://AKIAKEY:{SECRET}@bucket/path": "s3://bucket/path",
    f"S3://AKIAKEY:{SECRET}@bucket": "S3://bucket",
    f"s3://AKIAKEY:{SECRET}/with+slash@bucket/path": "s3://bucket/path",
    f"s3://AKIAKEY%3A{SECRET}@bucket/path": "s3://bucket/path",
    f"s3://{SECRET}@bucket/path": "s3://bucket/path",
    f"s3:/AKIAKEY:{SECRET}@bucket/path": "s3://bucket/path",  # as a path it would be written so
    f"gs://{SECRET}@bucket": "gs://bucket",
    f"abfs://files:{SECRET}@account.dfs.core.windows.net/x": (
        "abfs://files@account.dfs.core.windows.net/x"
    ),
    f"abfs://:{SECRET}@account.blob.core.windows.net/x": "abfs://account.blob.core.windows.net/x",
    f"hdfs://user:{SECRET}@host:8020/x": "hdfs://user@host:8020/x",
    f"ray://user:{SECRET}@host:10001": "ray://user@host:10001",
    f"ray://user:{SECRET}?@host:10001": None,
    f"s3://bucket/path?access_key=AKIAKEY&secret_key={SECRET}&region=eu": (
        "s3://bucket/path?region=eu"
    ),
    f"s3://bucket?region=eu;Secret_Access_Key={SECRET}": "s3://bucket?region=eu",
    f"s3://bucket?session_token={SECRET}": "s3://bucket",
    f"s3://bucket?region=eu#token={SECRET}": "s3://bucket?region=eu",
    f"s3://bucket?endpoint_override=http%3A%2F%2Fuser%3A{SECRET}%40host%3A9000": "s3://bucket",
    f"s3://bucket?endpoint_override=user:{SECRET}@host:9000&scheme=http": (
        "s3://bucket?scheme=http"
    ),
    f"abfs://files@account.dfs.core.windows.net/x?sas_token={SECRET}": (
        "abfs://files@account.dfs.core.windows.net/x"
    ),
    f"abfs://files@account.dfs.core.windows.net/x?sv=2024&sig={SECRET}": None,
    f"abfs://files@account.dfs.core.windows.net/x?client_secret={SECRET}": None,
    f"https://bucket.s3.amazonaws.com/x?X-Amz-Credential=A&X-Amz-Signature={SECRET}": (
        "https://bucket.s3.amazonaws.com/x"
    ),
}

WITHOUT = (
    "s3://bucket/path",
    "s3://bucket/path@2024/x",
    "s3://bucket/a:b@c",
    "s3://bucket?region=eu-west-1&endpoint_override=127.0.0.1:9000&scheme=http",
    "s3://bucket?endpoint_override=http://minio:9000&allow_bucket_creation=true",
    "s3://bucket?endpoint_override=https%3A%2F%2Fminio.example.org",
    "s3://bucket?tls_ca_file_path=/etc/ca.pem",
    "gs://bucket/keys/secret",
    "abfs://files@account.dfs.core.windows.net/x",
    "abfs://files@account/x?credential_kind=environment&dfs_storage_authority=.x.net",
    "hdfs://user@host:8020/x",
    "ray://host:10001",
    "ray://[::1]:10001",
    "127.0.0.1:6379",
    "auto",
    "file:///data/my@folder:1",
    "/data/a:b@c?key=x",
    "C:/data",
    "0.5 points per gpuh",
    "",
)


@pytest.mark.parametrize("text", WITH_SECRET)
def test_a_secret_is_found_and_taken_out(text: str) -> None:
    assert has_secret(text)
    cleaned = without_secrets(text)
    assert SECRET not in cleaned and "AKIAKEY" not in cleaned and not has_secret(cleaned)
    if WITH_SECRET[text]:
        assert cleaned == WITH_SECRET[text]


@pytest.mark.parametrize("text", WITHOUT)
def test_what_has_none_stays_as_it_is(text: str) -> None:
    assert not has_secret(text)
    assert without_secrets(text) == text


def all_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("option", ["--storage", "--data-dir", "--address", "--warm-start"])
@pytest.mark.parametrize("joined", [True, False])
@pytest.mark.parametrize("text", list(WITH_SECRET)[:4])
def test_the_command_refuses_it_in_one_line_and_does_not_repeat_it(
    option, joined, text, capsys, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [f"{option}={text}"] if joined else [option, text]
    for first in ([], ["transcript"]):
        with pytest.raises(SystemExit) as stop:
            main([*first, "--dataset", "digits", *words])
        assert stop.value.code == 2
        said = capsys.readouterr()
        assert said.err.startswith(f"error: {option} has a key, password or token in it: ")
        assert said.err.count("\n") == 1 and "AWS_SECRET_ACCESS_KEY" in said.err
        assert SECRET not in said.err + said.out and "AKIAKEY" not in said.err + said.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["--storag", f"s3://A:{SECRET}@b"],
        [f"s3://A:{SECRET}@b"],
        ["--resume", f"s3://A:{SECRET}@b/run"],
        ["debug", "--data-dir", f"s3://A:{SECRET}@b"],
    ],
)
def test_a_mistaken_option_does_not_repeat_it_either(words, capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and SECRET not in said.err + said.out


def test_other_ways_in_refuse_it_too(tmp_path: Path, monkeypatch, capsys) -> None:
    from rich.console import Console

    options = SearchOptions(dataset="digits", out=tmp_path, storage=f"s3://A:{SECRET}@b")
    with pytest.raises(BadInput, match="--storage has a key") as refused:
        run_search(options, Console())
    assert SECRET not in str(refused.value)
    monkeypatch.setenv("RAY_ADDRESS", f"ray://user:{SECRET}@127.0.0.1:10001")
    assert main(["--dataset", "digits", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "RAY_ADDRESS" in said and SECRET not in said
    assert list(tmp_path.iterdir()) == []


def test_an_old_run_with_a_key_shows_none_and_goes_on_without_it(tmp_path: Path) -> None:
    made = RunMaker(tmp_path / "old")
    made.write("run", event="start")
    made.trial(0, [0.5, 0.6])
    storage = f"file://{tmp_path}/store?secret_key={SECRET}"
    given = SearchOptions(**vars(PLAIN) | {"storage": storage})
    made.record(state="interrupted", settings=settings(given), dataset={"fingerprint": "f"})
    found = resuming.find(SearchOptions(out=tmp_path, resume="old"))
    assert found.options.storage == str(tmp_path / "store")
    assert SECRET not in json.dumps(read_run(made.folder).record)
