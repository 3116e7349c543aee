"""All that the design space holds, trained on images of CIFAR's size, the precision measured.

The images are noise: there is nothing to learn, and everything to compute.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.design import Design
from search.record import state
from search.run import main
from search.session import jobs
from search.session.jobs import Job
from search.space.constraints import Limits
from search.space.design_space import NetworkSpace, sample
from search.strategy.fixed_designs import FixedDesigns

IMAGES, EPOCHS = 2000, 8
pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]


class Fixed:
    """Answers with the first or lowest value, but where it is told another, and notes what else
    could have been answered."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told
        self.values: dict[str, tuple[Any, ...]] = {}

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._answer(name, tuple(choices))

    def suggest_int(self, name: str, low: int, high: int, **how: Any) -> int:
        return self._answer(name, (low, high))

    def suggest_float(self, name: str, low: float, high: float, **how: Any) -> float:
        return self._answer(name, (low, high))

    def _answer(self, name: str, values: tuple[Any, ...]) -> Any:
        self.values[name] = values
        return self._told.get(name, values[0])


def every_value() -> list[tuple[str, Design]]:
    """Small designs by name, one for each value of a choice and for both ends of each range; where
    a value opens further choices, for theirs too."""
    space = NetworkSpace(EPOCHS, 32, 32, frozenset({"all"}))
    found: dict[Design, str] = {}
    seen: set[tuple[str, Any]] = set()
    todo: deque[tuple[str, dict[str, Any]]] = deque([("first", {"blocks": 1, "dense_layers": 1})])
    while todo:
        name, told = todo.popleft()
        answers = Fixed(told)
        found.setdefault(sample(answers, space), name)
        for asked, values in answers.values.items():
            for value in values:
                if (asked, value) not in seen:
                    seen.add((asked, value))
                    todo.append((f"{asked}={value}", told | {asked: value}))
    return [(name, design) for design, name in found.items()]


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of images of two classes."""
    root = tmp_path_factory.mktemp("noise")
    random = np.random.default_rng(0)
    for part, count in (("train", IMAGES), ("test", 100)):
        for number in range(count):
            folder = root / part / "ab"[number % 2]
            folder.mkdir(parents=True, exist_ok=True)
            pixels = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png", compress_level=0)
    return root


def check(run: Path, trials: int) -> None:
    """All were trained; what failed did so as its design does, whatever trains it."""
    found = state.load(run)
    assert len(found.trials) == trials
    failed = {t.name or t.design: t.reason for t in found.trials.values() if t.state == "failed"}
    assert set(failed.values()) <= {"diverged", "out_of_memory"}, failed
    assert all(trial.epochs for trial in found.trials.values() if trial.reason != "out_of_memory")


def test_every_value_of_every_axis_is_trained(
    ray_cluster: str, noise: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One epoch of each design's schedule. The last two take so small batches that more steps are
    measured than their schedules have epochs."""
    designs = every_value()
    for schedule, batch in (("one_cycle", 16), ("cosine", 8)):
        cycle = replace(designs[0][1], schedule=schedule, batch_size=batch, epochs=EPOCHS)
        designs.append((f"{schedule}, measured", cycle))
    strategy = FixedDesigns(designs, goes_on=lambda trial: False)
    job = Job("search", strategy, None, "", Limits((3, 32, 32), 10), (), ())
    monkeypatch.setattr(jobs, "make_job", lambda *options: job)
    words = ["--data-dir", str(noise), "--max-epochs", str(EPOCHS), "--budget", "400s"]
    assert main([*words, "--out", str(tmp_path), "--name", "all"]) == 0
    check(tmp_path / "all", len(designs))


def test_designs_by_chance_are_trained(ray_cluster: str, noise: Path, tmp_path: Path) -> None:
    words = ["--data-dir", str(noise), "--train-images", "400", "--max-epochs", "1"]
    words += ["--axes", "all", "--searcher", "random", "--scheduler", "none", "--trials", "40"]
    assert main([*words, "--budget", "400s", "--out", str(tmp_path), "--name", "chance"]) == 0
    check(tmp_path / "chance", 40)
