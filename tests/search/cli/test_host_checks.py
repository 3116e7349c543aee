"""What is missing on a machine is said in one line, which names what to set, before Ray starts."""

import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from search.cli import host_checks
from search.cli.command_line import BadInput
from search.cluster import ray_connection
from tests.search.cli.test_bad_input import DIGITS, refused


@pytest.fixture
def good(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine on which Ray can be started."""
    (tmp_path / "home").mkdir()
    return {"HOME": str(tmp_path / "home"), "RAY_TMPDIR": "/tmp"}


@pytest.fixture
def no_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing tells of a cluster to be joined."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))


def long_enough(folder: Path, over: int) -> Path:
    """A folder below `folder` whose longest socket has `over` bytes too many."""
    socket = host_checks.LONGEST_SOCKET.format(pid=os.getpid())
    length = host_checks.SOCKET_BYTES + over - len(f"{folder}//{socket}")
    made = folder / ("x" * length)
    made.mkdir()
    return made


def test_a_good_machine_is_let_be(good: dict[str, str], tmp_path: Path) -> None:
    host_checks.check_start(good)
    host_checks.check_join()
    assert list(tmp_path.rglob("*")) == [tmp_path / "home"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"HOME": "/no/such"}, "the home folder '/no/such' is not there: set HOME"),
        ({"HOME": ""}, "set HOME"),
        ({"HOME": "/dev/null"}, "set HOME"),
        ({"TMPDIR": "/no/such", "RAY_TMPDIR": None}, "TMPDIR=/no/such is no folder.*set TMPDIR"),
        ({"TMPDIR": "", "RAY_TMPDIR": None}, "set TMPDIR"),
        ({"RAY_TMPDIR": "/no/such"}, "RAY_TMPDIR=/no/such is no folder: make it, or set RAY_TMPD"),
        ({"RAY_TMPDIR": "here"}, "RAY_TMPDIR=here is no whole path"),
        ({"RAY_AUTH_MODE": "tokn"}, "RAY_AUTH_MODE=tokn: token or disabled"),
        ({"RAY_AUTH_TOKEN_PATH": "/no/such"}, "RAY_AUTH_TOKEN_PATH=/no/such cannot be read"),
        ({"CUDA_VISIBLE_DEVICES": "first"}, "CUDA_VISIBLE_DEVICES=first: 'first' is no GPU"),
        ({"CUDA_VISIBLE_DEVICES": "0,O"}, "'O' is no GPU"),
    ],
)
def test_what_is_wrong_is_named(good: dict[str, str], change, said: str) -> None:
    changed = {name: value for name, value in (good | change).items() if value is not None}
    with pytest.raises(ValueError, match=said):
        host_checks.check_start(changed)


@pytest.mark.parametrize(
    "change",
    [
        {"HOME": "/no/such", "RAY_AUTH_MODE": "disabled"},
        {"HOME": "/no/such", "RAY_AUTH_TOKEN": "0" * 64},
        {"HOME": "/no/such", "RAY_AUTH_TOKEN_PATH": __file__},
        {"TMPDIR": "/no/such"},  # Ray takes RAY_TMPDIR
        {"RAY_AUTH_MODE": "TOKEN"},
        {"CUDA_VISIBLE_DEVICES": ""},
        {"CUDA_VISIBLE_DEVICES": "-1"},
        {"CUDA_VISIBLE_DEVICES": "NoDevFiles"},
        {"CUDA_VISIBLE_DEVICES": "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6,MIG-1"},
    ],
)
def test_what_ray_does_not_need_may_be_wrong(good: dict[str, str], change) -> None:
    host_checks.check_start(good | change)


def test_a_gpu_that_this_machine_lacks(good, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "gpus/0000:01:00.0").mkdir(parents=True)
    monkeypatch.setattr(host_checks, "DRIVER", tmp_path / "gpus")
    host_checks.check_start(good | {"CUDA_VISIBLE_DEVICES": "0"})
    with pytest.raises(ValueError, match="CUDA_VISIBLE_DEVICES=0,1: '1' is no GPU of this machine"):
        host_checks.check_start(good | {"CUDA_VISIBLE_DEVICES": "0,1"})


def test_a_path_too_long_for_a_socket(good: dict[str, str]) -> None:
    base = Path("/tmp/kneepoint-test")  # pytest's own folders are too long already
    base.mkdir(exist_ok=True)
    try:
        host_checks.check_start(good | {"RAY_TMPDIR": str(long_enough(base, 0))})
        one_more = str(long_enough(base, 1))
        with pytest.raises(ValueError, match=f"{one_more} is 1 byte too long.*set RAY_TMPDIR"):
            host_checks.check_start(good | {"RAY_TMPDIR": one_more})
    finally:
        shutil.rmtree(base)


def test_too_little_room_for_temporary_files(good, monkeypatch) -> None:
    monkeypatch.setattr(host_checks, "LEAST_BYTES", 1 << 62)
    with pytest.raises(ValueError, match=r"/tmp has [\d.]+ MB free, .* set RAY_TMPDIR"):
        host_checks.check_start(good)
    with pytest.raises(ValueError, match="set TMPDIR"):
        host_checks.check_join()


def test_something_in_the_way_of_ray_s_folder(good, tmp_path: Path) -> None:
    (tmp_path / "ray").write_text("")
    with pytest.raises(ValueError, match=r"/ray is in the way .* set RAY_TMPDIR"):
        host_checks.check_start(good | {"RAY_TMPDIR": str(tmp_path)})


def test_few_files_that_may_be_open(good, monkeypatch) -> None:
    monkeypatch.setattr(host_checks.resource, "getrlimit", lambda kind: (64, 64))
    with pytest.raises(ValueError, match=r"this process may open 64 files.*ulimit -n 4096"):
        host_checks.check_start(good)


WITHOUT_RIGHTS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
"""Root has to heed permissions too."""
CHECK = "import os, search.cli.host_checks as s; s.check_start(os.environ)"


@pytest.mark.parametrize(
    ("closed", "said"),
    [
        ("home", "/home cannot be written, and Ray keeps a token in .*: set HOME"),
        ("home/.ray", "/.ray cannot be written, and Ray keeps a token"),
        ("tmp", "RAY_TMPDIR=.*/tmp cannot be written: set RAY_TMPDIR"),
        ("tmp/ray", "/tmp/ray cannot be written by this user, and Ray would: set RAY_TMPDIR"),
    ],
)
def test_folders_that_this_user_may_not_write(tmp_path: Path, closed: str, said: str) -> None:
    as_user = WITHOUT_RIGHTS if os.geteuid() == 0 else []
    if as_user and (
        not shutil.which("setpriv") or subprocess.run([*as_user, "true"], check=False).returncode
    ):
        pytest.skip("root's rights cannot be dropped here")
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / closed).mkdir(exist_ok=True)
    (tmp_path / closed).chmod(0o555)
    environment = os.environ | {"HOME": str(tmp_path / "home"), "RAY_TMPDIR": str(tmp_path / "tmp")}
    done = subprocess.run(
        [*as_user, sys.executable, "-c", CHECK],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search(said, done.stderr.strip().splitlines()[-1]), done.stderr


def test_the_command_says_so_in_one_line(no_cluster, tmp_path: Path, capsys, monkeypatch) -> None:
    words = [*DIGITS, "--out", str(tmp_path / "runs")]
    monkeypatch.setenv("HOME", "/no/such")
    assert "the home folder '/no/such' is not there: set HOME" in refused(words, capsys)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "too long for the path of a socket" in refused(words, capsys)
    assert list(tmp_path.iterdir()) == []


def test_debug_needs_no_home_where_the_cache_is_named(tmp_path: Path, capsys, monkeypatch) -> None:
    from search.run import main

    words = ["debug", "--design", "ann-1", "--epochs", "1", "--train-images", "100", *DIGITS]
    monkeypatch.setenv("HOME", "/no/such")
    assert main([*words, "--device", "cpu", "--precision", "fp32"]) == 0
    capsys.readouterr()
    monkeypatch.delenv("KNEEPOINT_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert "the home folder /no/such is not there: set HOME, or set KNEEPOINT_CACHE" in refused(
        words, capsys
    )


def test_a_home_of_nobody_is_named(capsys) -> None:
    for words in (["debug"], ["--resume", "one"]):
        words = [*words, "--data-dir", "~nobody-of-this-name/images"]
        assert "~nobody-of-this-name/images: " in refused(words, capsys)


@pytest.mark.parametrize(
    ("given", "variable", "said"),
    [
        ("127.0.0.1:1", "", "--address 127.0.0.1:1: nothing answers there.*leave the option out"),
        (None, "127.0.0.1:1", "RAY_ADDRESS=127.0.0.1:1: nothing answers there.*unset RAY_ADDRESS"),
        ("auto", "127.0.0.1:1", "RAY_ADDRESS=127.0.0.1:1: nothing answers there"),
        ("127.0.0.1:2", "127.0.0.1:1", "^--address 127.0.0.1:2: nothing answers there"),
        (None, "ray://127.0.0.1:1", "RAY_ADDRESS=ray://127.0.0.1:1: nothing answers there"),
        ("ray://127.0.0.1", "", "--address ray://127.0.0.1: nothing answers there"),
        (None, "http://127.0.0.1:8265", "RAY_ADDRESS=http://127.0.0.1:8265: not an address of a c"),
        (None, "[::1]:1", r"RAY_ADDRESS=\[::1\]:1: nothing answers there"),
        (None, "nonsense", "RAY_ADDRESS=nonsense: no Ray cluster is there"),
        (None, "no.such.host.invalid:6379", "RAY_ADDRESS=no.such.host.invalid:6379: "),
        ("127.0.0.1:99999999", "", "--address 127.0.0.1:99999999: "),
    ],
)
def test_an_address_that_leads_nowhere_is_named(
    given, variable: str, said: str, no_cluster, monkeypatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", variable)
    with pytest.raises(BadInput, match=said) as refusal:
        ray_connection.check(given)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.0 400 Bad Request\r\n\r\n"])
def test_what_answers_but_is_no_cluster(no_cluster, answer: bytes) -> None:
    """A dashboard's port, say: Ray itself would try for minutes."""
    with socket.create_server(("", 0)) as server:  # on all, as a cluster

        def serve() -> None:
            with server.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(answer)

        threading.Thread(target=serve).start()
        port = server.getsockname()[1]
        with pytest.raises(BadInput, match=f"--address 127.0.0.1:{port}: what answers there is no"):
            ray_connection.check(f"127.0.0.1:{port}")


def test_a_cluster_that_answers(ray_cluster: str, monkeypatch) -> None:
    ray_connection.check(None)
    ray_connection.check(ray_cluster)
    monkeypatch.setenv("HOME", "/no/such")  # it has its own
    ray_connection.check("auto")


def test_a_user_without_a_home(capsys, monkeypatch) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", lambda number: {}[number])
    assert "HOME is not set, and this user has no home folder: set HOME" in refused(DIGITS, capsys)


def test_a_cluster_that_is_no_longer_there(no_cluster, tmp_path: Path) -> None:
    """What `ray start` leaves behind on a machine that was switched off."""
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray/ray_current_cluster").write_text("127.0.0.1:1")
    with pytest.raises(
        BadInput, match=r"ray_current_cluster names a cluster at .*:1: nothing answ"
    ):
        ray_connection.check(None)


def test_the_command_names_the_variable(no_cluster, tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    assert "RAY_ADDRESS=127.0.0.1:1: nothing answers there" in refused(DIGITS, capsys)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this process has GPUs")
def test_gpus_that_are_hidden_are_said(monkeypatch) -> None:
    from models.training.device import choose_device

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    with pytest.raises(ValueError, match=r"no such device on this machine \(CUDA_VISIBLE_DEVICES="):
        choose_device("cuda")
