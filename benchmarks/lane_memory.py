"""Benchmark: memory of lanes, what one takes and how it grows over hundreds of trials."""

import os
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil

from benchmarks.lanes import train_in_lanes
from benchmarks.random_images import random_images
from benchmarks.ray_session import ray_with
from models.transcript import TRANSCRIPT
from search.record.state import Trial
from search.terms.plan import Plan

DESIGNS = ("ann-3", "cnn-3", "final")
IMAGES = 400
EARLY, LATE, WINDOW = 30, 300, 9
"""Trials after which memory is compared; medians over the last few trial ends."""
WORKER = "worker"
TITLES = {
    "ray::ResourceTrainable": "Tune's actor",
    "ray::Lane": "Tune's actor",
    "ray::SynchronizationActor": "Ray Train's barrier",
    "ray::RayTrainWorker": WORKER,
}


def run() -> None:
    """Prints proportional set sizes (shared pages counted in parts): of the processes of lanes,
    what a lane takes on the head and where it trains, and the growth over trials."""
    print("Memory of lanes, sums of PSS; ann-3, cnn-3 and final in turn, one thread a lane.")
    held, peak = {}, 0.0
    for lanes, trials in ((1, WINDOW * 2), (2, LATE), (4, WINDOW * 4)):
        held[lanes], peak = _measure(lanes, trials)
        for kind, size in sorted(held[lanes][-1].items(), key=lambda each: -each[1]):
            print(f"  {kind:24} {_mib(size):7,.0f} MiB with {lanes} lane(s)", flush=True)
    _print_slope("a lane more takes, of the head", held, lambda kind: kind != WORKER)
    _print_slope("a lane more takes, where it trains", held, lambda kind: kind == WORKER)
    print(f"  peak of a lane's worker, as the ledger has it: {_mib(peak):,.0f} MiB resident")
    early, late = (
        statistics.median(sum(each.values()) for each in held[2][end - WINDOW : end])
        for end in (EARLY, LATE)
    )
    print(f"  after {EARLY} trials {_mib(early):,.0f} MiB, after {LATE} {_mib(late):,.0f} MiB")
    print(f"  ratio {late / early:.3f}")


def _print_slope(
    what: str, held: dict[int, list[dict[str, float]]], counts: Callable[[str], bool]
) -> None:
    """Prints the memory of a further lane by linear regression over 1, 2 and 4 lanes; and of
    1,000."""
    totals = [sum(s for kind, s in each[-1].items() if counts(kind)) for each in held.values()]
    slope, start = statistics.linear_regression(list(held), totals)
    thousand = (start + 1000 * slope) / 2**30
    print(f"  {what}: {_mib(slope):,.0f} MiB; 1,000 lanes (extrapolated): {thousand:,.0f} GiB")


def _measure(lanes: int, trials: int) -> tuple[list[dict[str, float]], float]:
    """Bytes by kind of process after each trial's end, and the largest peak in the ledger."""
    held: list[dict[str, float]] = []
    designs = [
        replace(TRANSCRIPT[DESIGNS[n % len(DESIGNS)]], epochs=1, learning_rate=1e-3 * (1 + n / 1e4))
        for n in range(trials)
    ]

    def ended(trial: Trial) -> None:
        held.append(_held())

    with tempfile.TemporaryDirectory() as folder, ray_with(lanes):
        state = train_in_lanes(
            Path(folder) / "run",
            designs,
            random_images(),
            Plan(lanes, 1, 1, 0),
            train_images=IMAGES,
            ended=ended,
        )
    peaks = [line["peak_memory_bytes"] for t in state.trials.values() for line in t.epochs]
    return held, max(peaks)


def _held() -> dict[str, float]:
    """PSS in bytes by kind of process, of the driver and the processes that lanes consist of."""
    found: dict[str, float] = defaultdict(float)
    found["driver"] = _pss(os.getpid())
    for process in psutil.process_iter(["cmdline"]):
        title = (process.info["cmdline"] or [""])[0]
        for start, kind in TITLES.items():
            if title.startswith(start):
                found[kind] += _pss(process.pid)
    return dict(found)


def _pss(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has just ended
        return 0.0
    return next(int(line.split()[1]) * 1024.0 for line in lines if line.startswith("Pss:"))


def _mib(size: float) -> float:
    return size / 2**20
