"""Benchmark: seconds from the start of a command to its first finished epoch."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from search.record import ledger

LONGEST_SECONDS = 300
OPTIONS = ("--dataset", "digits", "--precision", "fp32", "--device", "cpu")


def run() -> None:
    """Prints seconds for a search on Ray, and for the debug mode, which has no Ray."""
    print("Start of the command to the first finished epoch, scikit-learn's digits.")
    with tempfile.TemporaryDirectory() as folder:
        debug = _debug()
        search = _search(Path(folder))
    print(f"  run.py debug --design cnn-1, one process   {debug:6.1f} s")
    print(f"  run.py, Ray started for it, a lane a core  {search:6.1f} s")
    print(f"  ratio {search / debug:.1f}")


def _debug() -> float:
    words = [sys.executable, "-m", "search.run", "debug", *OPTIONS, "--design", "cnn-1"]
    started = time.perf_counter()
    command = subprocess.Popen([*words, "--epochs", "1"], stdout=subprocess.PIPE, text=True)
    assert command.stdout
    for line in command.stdout:
        if line.startswith("epoch"):
            break
    seconds = time.perf_counter() - started
    command.wait()
    return seconds


def _search(folder: Path) -> float:
    words = [sys.executable, "-m", "search.run", *OPTIONS, "--trials", "2", "--max-epochs", "2"]
    words += ["--address", "local", "--out", str(folder), "--name", "first"]
    started = time.perf_counter()
    command = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not any(line["kind"] == "epoch" for line in ledger.read(folder / "first/ledger")):
        if command.poll() is not None or time.perf_counter() - started > LONGEST_SECONDS:
            raise RuntimeError("the search came to no epoch")
        time.sleep(0.1)
    seconds = time.perf_counter() - started
    command.wait()
    return seconds
