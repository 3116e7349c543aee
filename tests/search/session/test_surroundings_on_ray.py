"""Searches whose output nobody reads any more, whose terminal is closed, whose files are gone."""

import contextlib
import fcntl
import json
import os
import pty
import shlex
import shutil
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from analysis.report import main as report
from search.record import ledger, run_folder, state
from search.run import main
from tests.search.processes import left_of, wait_for

pytestmark = pytest.mark.timeout(300)
SEARCH = [sys.executable, "-m", "search.run", "--dataset", "digits", "--precision", "fp32"]
SHORT = ["--trials", "2", "--max-epochs", "1", "--scheduler", "none"]
LONG = ["--max-epochs", "100000", "--scheduler", "none"]


def epochs(run: Path) -> int:
    lines = ledger.read(run / "ledger") if (run / "ledger").is_dir() else ()
    return sum(line["kind"] == "epoch" for line in lines)


def info(run: Path) -> dict:
    return json.loads((run / "run.json").read_text())


@pytest.mark.slow
def test_a_search_of_whose_output_one_line_is_read(
    ray_cluster: str, tmp_path: Path, capsys
) -> None:
    """It ends with its winner. Later its checkpoints are deleted, and its end comes once more."""
    words = [*SEARCH, *SHORT, "--out", str(tmp_path), "--name", "one"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as command:
        assert command.stdout and command.stdout.readline()
        command.stdout.close()
        assert command.stderr and command.stderr.read() == ""
    assert command.returncode == 0
    run = tmp_path / "one"
    assert info(run)["state"] == "finished" and info(run)["settings"]["out"] == str(tmp_path)
    first = (run / "winner/metrics.json").read_bytes()

    shutil.rmtree(run / "checkpoints")
    run_folder.write_info(run, state="failed")  # as one that was cut at its very end
    assert main(["--resume", str(run)]) == 0
    assert "Winner: trial" in capsys.readouterr().out
    again = json.loads((run / "winner/metrics.json").read_text())
    assert again["accuracy"] == json.loads(first)["accuracy"]
    assert report([str(run)]) == 0

    shutil.rmtree(run / "winner")
    run_folder.write_info(run, state="failed")
    assert main(["--resume", str(run)]) == 1
    said = capsys.readouterr().out
    assert "The search stopped: checkpoint checkpoints/" in said and "is gone" in said
    assert info(run)["state"] == "interrupted"
    assert report([str(run)]) == 0


@pytest.mark.slow
def test_ctrl_c_where_tee_dies_of_it_first(ray_cluster: str, tmp_path: Path) -> None:
    words = [*SEARCH, *LONG, "--out", str(tmp_path), "--name", "one"]
    run, errors = tmp_path / "one", tmp_path / "errors"
    line = f"{shlex.join(words)} 2>{errors} | tee {tmp_path / 'log'}"
    pipeline = subprocess.Popen(["bash", "-c", line], start_new_session=True)
    try:
        wait_for(lambda: epochs(run) > 2)
        subprocess.run(["pkill", "-KILL", "-s", str(pipeline.pid), "-x", "tee"], check=True)
        os.killpg(pipeline.pid, signal.SIGINT)
        wait_for(lambda: not left_of(pipeline.pid))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pipeline.pid, signal.SIGKILL)
        pipeline.wait()
    assert info(run)["state"] == "interrupted" and (run / "winner/weights.pt").exists()
    assert errors.read_text() == ""
    assert "Leads so far" not in (tmp_path / "log").read_text()  # it was said to nobody


@pytest.mark.slow
def test_a_terminal_that_is_closed_ends_a_search_softly(tmp_path: Path) -> None:
    """Ray, which was started by it, hears of that as well."""
    words = [*SEARCH, *LONG, "--out", str(tmp_path), "--name", "one", "--address", "local"]
    ours, theirs = pty.openpty()
    run = tmp_path / "one"
    command = subprocess.Popen(
        words,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    try:
        wait_for(lambda: epochs(run) > 2)
        os.close(ours)
        assert command.wait(120) == 0
    finally:
        command.kill()
    found = state.load(run)
    assert {(t.state, t.reason) for t in found.trials.values()} == {("paused", "interrupted")}
    assert info(run)["state"] == "interrupted" and (run / "winner/weights.pt").exists()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_the_winner_is_scored(ray_cluster: str, tmp_path: Path, how: int) -> None:
    words = [*SEARCH, *SHORT, "--out", str(tmp_path), "--name", "one"]
    run = tmp_path / "one"
    command = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: (run / "winner").is_dir())
        command.send_signal(how)
        _, said = command.communicate(timeout=60)
    finally:
        command.kill()
    assert (command.returncode, info(run)["state"], said) == (130, "interrupted", "")
