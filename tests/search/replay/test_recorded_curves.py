"""The default strategy on real recorded curves, where KNEEPOINT_TABLES names a folder of them.

On the tables that its choices were made on: that it does not become worse there. How good it is
elsewhere, other tables have to tell.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from search.replay import comparison, hypervolumes

CHOSEN_ON = ("3945", "7593", "168330", "189354", "189906")
FOLDER = Path(os.environ.get("KNEEPOINT_TABLES", "nowhere"))
TABLES = [path for name in CHOSEN_ON for path in FOLDER.glob(f"lcbench-{name}.csv*")]
SEEDS = 5

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not TABLES, reason="KNEEPOINT_TABLES names no folder of tables"),
]


def test_the_target_is_reached_for_a_fraction_of_the_cost() -> None:
    """Medians over tables, with few seeds: half of what is published for 50."""
    todo = comparison.tasks(TABLES, ["asha", "tpe", "default"], [1], SEEDS)
    results = comparison.run(todo, lambda: None)
    lines = list(comparison.lines(results))
    ratio = {
        name: float(np.median([each.ratio for each in lines if each.result.task.strategy == name]))
        for name in ("random", "asha", "tpe", "default")
    }
    assert ratio["default"] >= 4 > ratio["random"]
    assert ratio["default"] >= 1.5 * ratio["asha"] and ratio["default"] >= 2 * ratio["tpe"]
    ours = [each.result for each in lines if each.result.task.strategy == "default"]
    assert not any(result.failed for result in ours)


def test_the_front_of_two_objectives_at_a_quarter_of_the_cost() -> None:
    found = hypervolumes.measure(TABLES, [1], SEEDS, lambda: None)
    assert np.median([each.ours / each.random for each in found]) >= 1
