"""Output that nobody reads, or that cannot be written, ends nothing."""

import importlib
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from search.cli.standard_output import unbreakable
from tests.search.processes import wait_for

PRINTS = """
import sys, threading, time
from rich.console import Console
from rich.live import Live
from search.cli.standard_output import unbroken

@unbroken
def main(kind):
    console = Console(force_terminal=kind == "live")
    say = {
        "print": lambda: print("x" * 1000),
        "flush": lambda: print("x", flush=True),
        "error": lambda: print("x" * 1000, file=sys.stderr),
        "rich": lambda: console.print("x" * 1000),
        "live": lambda: console.print("x"),
        "child": lambda: __import__("subprocess").run(["echo", "x"], check=False),
    }[kind]
    def all_of_it():
        for _ in range(60):
            say()
            time.sleep(0.001)
    if kind == "live":
        with Live(get_renderable=lambda: "x" * 100, console=console, refresh_per_second=100):
            all_of_it()
    else:
        thread = threading.Thread(target=all_of_it)
        thread.start()
        all_of_it()
        thread.join()
    with open(sys.argv[2], "w") as done:
        done.write("done")
    return 7

sys.exit(main(sys.argv[1]))
"""
KINDS = ("print", "flush", "error", "rich", "live", "child")


@pytest.fixture
def program(tmp_path: Path) -> list[str]:
    (tmp_path / "prints.py").write_text(PRINTS)
    return [sys.executable, str(tmp_path / "prints.py")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_that_is_gone(program: list[str], tmp_path: Path, kind: str) -> None:
    """It ends with its own exit status, and Python says nothing of it on the way out."""
    reading, writing = os.pipe()
    other, heard = (tmp_path / "other").open("w+"), "stderr" if kind == "error" else "stdout"
    streams = {"stdout": other, "stderr": other} | {heard: writing}
    command = subprocess.Popen([*program, kind, str(tmp_path / "done")], **streams)
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    assert command.wait(60) == 7
    assert (tmp_path / "done").read_text() == "done"
    other.seek(0)
    said = other.read()
    other.close()
    assert "Traceback" not in said and "ignored" not in said and "Broken pipe" not in said


NOISE = """
import os, sys
from search.cli.standard_output import unbroken

@unbroken
def main():
    with open(sys.argv[1], "w") as file:
        file.write("done")
        file.flush()
        print("heard by nobody", flush=True)
        print("heard by nobody", file=sys.stderr)
        for number in (1, 2):
            os.write(number, b"what a library in C prints")
    return 7

sys.exit(main())
"""


def test_output_that_is_closed_from_the_start(tmp_path: Path) -> None:
    """No file of the command's own becomes what it prints to."""
    (tmp_path / "noise.py").write_text(NOISE)
    words = f"exec {sys.executable} {tmp_path / 'noise.py'} {tmp_path / 'done'} >&- 2>&- <&-"
    done = subprocess.run(words, shell=True, check=False, timeout=60)
    assert done.returncode == 7
    assert (tmp_path / "done").read_text() == "done"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("kind", ["print", "flush", "rich", "live"])
def test_a_disk_that_is_full(program: list[str], tmp_path: Path, kind: str) -> None:
    with Path("/dev/full").open("w") as full:
        command = [*program, kind, str(tmp_path / "done")]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (7, b"")


def test_a_terminal_that_is_closed(program: list[str], tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = subprocess.Popen(
        [*program, "live", str(tmp_path / "done")],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.read(ours, 1)
    os.close(ours)
    assert command.wait(60) == 7
    wait_for(lambda: (tmp_path / "done").read_text() == "done", 5)


def test_letters_that_the_output_lacks(program: list[str]) -> None:
    code = "import sys; from search.cli.standard_output import unbroken\n"
    code += "sys.exit(unbroken(lambda: print('Bär, 猫') or 7)())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 7
    assert done.stdout == rb"B\xe4r, \u732b" + b"\n"


def test_what_is_read_is_there(capfd: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout
    with unbreakable():
        print("one")
        sys.stdout.writelines(["two\n", "three\n"])
        print("four", file=sys.stderr)
        assert sys.stdout.isatty() is False
    assert sys.stdout is before
    said = capfd.readouterr()
    assert (said.out, said.err) == ("one\ntwo\nthree\n", "four\n")


def test_other_commands_too() -> None:
    read, written = os.pipe()
    os.close(read)
    words = [sys.executable, "-m", "search.simulate", "--help"]
    done = subprocess.run(words, stdout=written, stderr=subprocess.PIPE, check=False)
    os.close(written)
    assert (done.returncode, done.stderr) == (0, b"")
    for name in ("search.run", "analysis.report", "analysis.recommend"):
        assert hasattr(importlib.import_module(name).main, "__wrapped__"), name
