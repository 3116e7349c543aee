"""A run in a storage, on a real Ray: two heads, and a bucket whose keys nobody gets to see."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from analysis.report import main as report
from search.cluster import ray_up
from search.record import ledger, state
from search.run import main
from search.storage.store import Folder
from tests.search.processes import wait_for
from tests.search.session.test_on_ray import refused
from tests.search.session.test_resume_on_ray import check_epochs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
DIGITS = ["--dataset", "digits", "--precision", "fp32"]
SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"


def epochs(run: Path) -> int:
    lines = ledger.read(run / "ledger") if (run / "ledger").exists() else iter(())
    return sum(line["kind"] == "epoch" for line in lines)


def test_a_second_head_is_refused_or_takes_the_run_over(
    ray_cluster: str, tmp_path: Path, capsys
) -> None:
    storage = ["--storage", str(tmp_path / "storage")]
    a, b, copy = tmp_path / "a", tmp_path / "b", tmp_path / "storage/two"
    begin = [*DIGITS, *storage, "--out", str(a), "--name", "two", "--trials", "40"]
    begin += ["--max-epochs", "27", "--parallel", "1"]
    first = subprocess.Popen(
        [sys.executable, "-m", "search.run", *begin],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_for(lambda: epochs(copy) > 0, 120)
        again = ["--resume", "two", *storage, "--out", str(b)]
        said = refused(again, capsys)
        assert f"process {first.pid}" in said and "--take-over" in said
        assert not b.exists() and first.poll() is None
        assert main([*again, "--take-over", "--parallel", "1"]) == 0
        told, _ = first.communicate(timeout=60)
    finally:
        first.kill()
        first.wait()
    assert first.returncode == 1, told
    assert "Traceback" not in told
    stopping = [line for line in told.splitlines() if line.startswith("Stopping: ")]
    assert len(stopping) == 1 and "was taken over by" in stopping[0]
    # The second has ended the run, and nothing of the first came between.
    check_epochs(b / "two")
    assert len(state.load(b / "two").trials) == 40
    assert list(ledger.read(copy / "ledger")) == list(ledger.read(b / "two/ledger"))
    assert json.loads((copy / "run.json").read_text())["state"] == "finished"
    assert json.loads((a / "two/run.json").read_text())["state"] == "interrupted"
    # And back on the first: its copy is brought up to date, what it alone had is kept.
    capsys.readouterr()
    assert main(["--resume", "two", "--out", str(a), "--extend", "--trials", "1"]) == 0
    check_epochs(a / "two")
    assert len(state.load(a / "two").trials) == 41
    before = list(ledger.read(b / "two/ledger"))
    assert list(ledger.read(a / "two/ledger"))[: len(before)] == before
    assert "went on in two places" in capsys.readouterr().out
    assert epochs(a / "two.superseded-1") > 0


def test_a_cluster_goes_only_with_all_of_its_run_in_the_storage(
    ray_cluster: str, tmp_path: Path, capsys, monkeypatch
) -> None:
    """The cluster that would go is a fake; the search and its storage are not."""
    head = {"available_node_types": {"head": {"resources": {}}}, "head_node_type": "head"}
    (tmp_path / "head.yaml").write_text(json.dumps(head | {"max_workers": 0}))
    monkeypatch.setattr(ray_up, "CONFIG", tmp_path / "head.yaml")
    down: list[int] = []
    monkeypatch.setattr(ray_up, "take_down", lambda: down.append(1))
    words = [*DIGITS, "--cluster-down", "--storage", str(tmp_path / "storage")]
    words += ["--out", str(tmp_path / "out"), "--trials", "1", "--max-epochs", "1"]
    write = Folder.write

    def full_at_the_end(store: Folder, name: str, content: bytes) -> None:
        if name.startswith("winner/"):
            raise OSError(28, "No space left on device")
        write(store, name, content)

    with monkeypatch.context() as broken:
        broken.setattr(Folder, "write", full_at_the_end)
        assert main([*words, "--name", "stays"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: the cluster stays: ") and said.count("\n") == 1
    assert "No space left on device" in said
    assert not down and (tmp_path / "out/stays/winner/weights.pt").exists()
    assert main([*words, "--name", "goes"]) == 0
    assert down == [1]
    copy = tmp_path / "storage/goes/winner/weights.pt"
    assert copy.read_bytes() == (tmp_path / "out/goes/winner/weights.pt").read_bytes()


def test_a_run_in_a_bucket_shows_no_key_anywhere(tmp_path: Path) -> None:
    """The keys come from the environment; the bucket is a server of moto's, on this machine."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        bucket = client_of(f"http://{host}:{port}")
        bucket.create_bucket(Bucket="bucket")
        uri = f"s3://bucket/runs?endpoint_override={host}:{port}&scheme=http&region=us-east-1"
        environment = os.environ | {"AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ACCESS_KEY_ID": "AKIAX"}
        environment.pop("RAY_ADDRESS", None)
        words = [*DIGITS, "--address", "local", "--trials", "2", "--max-epochs", "2"]
        words += ["--out", str(tmp_path / "out"), "--name", "kept", "--storage", uri]
        done = subprocess.run(
            [sys.executable, "-m", "search.run", *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        run = tmp_path / "out/kept"
        assert report([str(run)]) == 0
        listed = bucket.list_objects_v2(Bucket="bucket")["Contents"]
        stored = {
            entry["Key"]: bucket.get_object(Bucket="bucket", Key=entry["Key"])["Body"].read()
            for entry in listed
        }
    finally:
        server.stop()
    assert stored["runs/kept/ledger/000000.jsonl"] == (run / "ledger/000000.jsonl").read_bytes()
    assert any(name.startswith("runs/kept/checkpoints/") for name in stored)
    assert uri in (run / "run.json").read_text()
    shown = [path.read_bytes() for path in run.rglob("*") if path.is_file()]
    shown += [done.stdout.encode(), done.stderr.encode(), *stored.values()]
    assert len(shown) > 20
    assert not any(key in content for content in shown for key in (SECRET.encode(), b"AKIAX"))


def client_of(address: str) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
