"""The command that replays tables, as its users see it."""

import csv
from pathlib import Path

import numpy as np
import pytest

from models.design import Design
from search.replay import comparison, comparison_figure, curve_table
from search.simulate import main
from tests.analysis.conftest import RunMaker
from tests.search.tables import smooth, write


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write(smooth(60, 9), tmp_path / "smooth.csv")


@pytest.mark.timeout(300)
def test_strategies_are_compared_and_written_down(table: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "found.csv"
    words = [str(table), "--seeds", "3", "--workers", "1,4", "--strategies", "default,asha"]
    assert main([*words, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    lines = [line.split() for line in said.splitlines() if line.strip().startswith("smooth ")]
    assert [(line[1], line[2]) for line in lines] == [
        ("1", "default"),
        ("1", "asha"),
        ("4", "default"),
        ("4", "asha"),
    ]
    with out.open() as file:
        rows = list(csv.DictReader(file))
    ours = [row for row in rows if (row["strategy"], row["workers"]) == ("default", "1")]
    assert [row["seed"] for row in ours] == ["0", "1", "2"]
    assert {row["strategy"] for row in rows} == {"random", "default", "asha"}
    assert all(float(row["cost"]) > 0 for row in rows if row["reached"] == "1")
    assert out.with_suffix(".png").stat().st_size > 10_000


def test_the_figure_has_a_line_a_strategy(table: Path) -> None:
    todo = comparison.tasks([table], ["default"], [1, 2], 2)
    results = [comparison.replay(task) for task in todo]
    figure = comparison_figure.make(results)
    one, two = (axes for axes in figure.axes if axes.axison)
    assert [axes.get_title() for axes in (one, two)] == ["smooth, 1 worker", "smooth, 2 workers"]
    by_name = {line.get_label(): line.get_ydata() for line in one.lines}
    assert {"random", "default"} <= set(by_name)
    # Each ends at the target, and never falls.
    for name in ("random", "default"):
        known = by_name[name][~np.isnan(by_name[name])]
        assert (np.diff(known) >= 0).all() and known[-1] >= results[0].target


def test_two_objectives(table: Path, capsys) -> None:
    assert main([str(table), "--seeds", "2", "--objectives", "accuracy,cost"]) == 0
    (line,) = [row for row in capsys.readouterr().out.splitlines() if "smooth " in row]
    random, ours, ratio = (float(value) for value in line.split()[2:])
    assert ratio == pytest.approx(ours / random, abs=0.01)


def test_decisions_are_timed(table: Path, capsys) -> None:
    assert main([str(table), "--trials", "60", "--workers", "8"]) == 0
    said = capsys.readouterr().out
    assert "8 workers, 60 trials" in said and "ms each" in said


def test_a_run_becomes_a_table(tmp_path: Path, capsys) -> None:
    run = RunMaker(tmp_path / "run")
    run.record()
    for number in range(3):
        design = Design(kernels=((8 + number,),), epochs=3)
        run.trial(number, [0.1 * number + 0.1 * n for n in range(3)], design=design, seconds=2.0)
    run.trial(3, [0.9], design=Design(kernels=((99,),), epochs=3), state="paused")
    cosine = Design(kernels=((98,),), epochs=3, schedule="cosine")  # one result, not three
    run.trial(4, [0.1, 0.2, 0.9], design=cosine)
    out = tmp_path / "run.csv"
    assert main(["--export", str(run.folder), "--out", str(out)]) == 0
    assert "3 configurations" in capsys.readouterr().out
    found = curve_table.read(out)
    assert found.accuracies.shape == (3, 3) and found.accuracies[2, 1] == pytest.approx(0.3)
    assert set(found.seconds.ravel()) == {2.0}
    assert set(found.columns) == {"first_kernels", "last_kernels", "kernels"}


def test_a_table_has_what_the_run_optimised(tmp_path: Path) -> None:
    run = RunMaker(tmp_path / "run")
    run.record()
    run.write("run", event="start", objective_metric="balanced_accuracy")
    for number, (accuracy, balanced) in enumerate([(0.97, 0.5), (0.9, 0.8)]):
        design = Design(kernels=((8 + number,),), epochs=1)
        run.trial(number, [], design=design)
        run.epoch(number, 1, accuracy, accuracy, 1.0, balanced=balanced)
    out = tmp_path / "run.csv"
    assert main(["--export", str(run.folder), "--out", str(out)]) == 0
    assert curve_table.read(out).accuracies.ravel().tolist() == [0.5, 0.8]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.csv"], "nowhere.csv cannot be read"),
        ([], "no table"),
        (["TABLE", "--seeds", "0"], "--seeds 0"),
        (["TABLE", "--workers", "1,x"], "--workers 1,x"),
        (["TABLE", "--strategies", "best"], "unknown strategy 'best'"),
        (["TABLE", "--objectives", "cost"], "--objectives cost"),
        (["TABLE", "--trials", "0"], "--trials 0"),
        (["TABLE", "--out", "no/such/folder/x.csv"], "no/such/folder"),
        (["--export", "nowhere", "--out", "x.csv"], "no run nowhere"),
        (["--export", "nowhere"], "--export needs --out"),
    ],
)
def test_bad_input_is_refused_in_a_line(table: Path, words, message, capsys) -> None:
    words = [str(table) if word == "TABLE" else word for word in words]
    assert main(words) == 2
    said = capsys.readouterr()
    assert message in said.err and said.err.count("\n") == 1 and "Traceback" not in said.err
