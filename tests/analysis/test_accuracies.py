"""Reports and recommendations of a search that went by balanced accuracy, or of unequal classes."""

import csv
from pathlib import Path

import pytest

from analysis import recommend, report
from analysis.run.accuracies import Accuracies
from models.design import Design

DESIGN = Design(epochs=2)
TITLE = "trial {} (cnn 32-64-128, adam 1e-3)"


class Story:
    """Trial 0 has the higher accuracy, trial 1 the higher balanced accuracy."""

    def __init__(self, run, metric: str | None, counts: list[int] | None) -> None:
        run.record(class_counts=counts) if counts else run.record()
        start = {"event": "start"} | ({"objective_metric": metric} if metric else {})
        run.write("run", **start)
        for number, lines in enumerate((((0.94, 0.5), (0.96, 0.51)), ((0.85, 0.6), (0.9, 0.8)))):
            run.trial(number, [], design=DESIGN, state="running")
            for epoch, (accuracy, balanced) in enumerate(lines, start=1):
                run.epoch(number, epoch, accuracy, accuracy, 10.0, balanced=balanced)
            run.write("trial", trial=number, state="finished", reason="")
        self.folder = run.folder


def printed(command, words: list[str], capsys) -> str:
    assert command.main(words) == 0
    return capsys.readouterr().out


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "report" / "tables" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_search_by_balanced_accuracy_is_reported_and_recommended_by_it(make_run, capsys):
    folder = Story(make_run(), "balanced_accuracy", [100, 90]).folder
    said = printed(report, [str(folder)], capsys)
    words = "80.00 % balanced accuracy (accuracy 90.00 %) on the validation images"
    assert f"{TITLE.format(1)}, {words}" in said
    rows = table(folder, "accuracy_vs_cost")
    front = [(row["trial"], row["epochs"]) for row in rows if row["on_front"] == "True"]
    assert front == [("1", "1"), ("1", "2")]
    assert {row["trial"]: row["best_epoch"] for row in table(folder, "trials")} == {
        **{"0": "2", "1": "2"}
    }
    gains = table(folder, "epoch_gain")
    assert [(row["trial"], float(row["gained_points"])) for row in gains] == [
        *[("1", pytest.approx(20)), ("0", pytest.approx(1))]
    ]
    page = (folder / "report" / "index.html").read_text(encoding="utf-8")
    assert (
        f"The design with the best balanced accuracy is {TITLE.format(1)}: 80.0 % balanced" in page
    )
    assert "What counts here is balanced accuracy" in page and "val_balanced_accuracy</th>" in page
    words = [str(folder), "--min-accuracy"]
    taken = printed(recommend, [*words, "0.7"], capsys)
    assert "Take trial 1, trained for 2 epochs" in taken and "balanced accuracy  0.8000" in taken
    assert recommend.main([*words, "0.85"]) == 1  # trial 0 has so much accuracy, but not balanced
    assert "balanced accuracy 0.8000" in capsys.readouterr().err


def test_with_unequal_classes_balanced_accuracy_stands_beside_accuracy(make_run, capsys):
    folder = Story(make_run(), "accuracy", [300, *[40] * 9]).folder
    said = printed(report, [str(folder)], capsys)
    words = "96.00 % (balanced accuracy 51.00 %) on the validation images"
    assert f"{TITLE.format(0)}, {words}" in said
    page = (folder / "report" / "index.html").read_text(encoding="utf-8")
    assert (
        f"The most accurate design is {TITLE.format(0)}: 96.0 % (balanced accuracy 51.0 %)" in page
    )
    assert "dotted: balanced accuracy on the validation images" in page
    assert "airplane has 300 training images, automobile 40" in page
    taken = printed(recommend, [str(folder), "--min-accuracy", "0.85"], capsys)
    assert "Take trial 0, trained for 1 epoch." in taken
    assert "accuracy           0.9400 on" in taken and "balanced accuracy  0.5000 on" in taken


@pytest.mark.parametrize("counts", [None, [100, 90]])
def test_else_accuracy_stands_alone(make_run, capsys, counts):
    folder = Story(make_run(), None, counts).folder
    said = printed(report, [str(folder)], capsys)
    assert f"{TITLE.format(0)}, 96.00 % on the validation images" in said
    page = (folder / "report" / "index.html").read_text(encoding="utf-8")
    assert "val_balanced_accuracy</th>" not in page and "dotted" not in page


def test_what_was_not_measured_is_not_told():
    assert Accuracies(uneven=True).tell_both(0.5, None) == "50.0 %"
    assert Accuracies(uneven=True).tell_both(0.5, float("nan")) == "50.0 %"
    assert Accuracies(uneven=True).tell_both(0.5, 0.25) == "50.0 % (balanced accuracy 25.0 %)"
