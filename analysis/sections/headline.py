"""The report's headline sentences: best accuracy, test score, knee, cost of a further point."""

from collections import Counter

import pandas as pd

from analysis.run.quantities import amount, count, duration, hours, percent, points
from analysis.run.run_folder import Run
from analysis.tables.findings import Findings
from analysis.tables.prediction_quality import balanced_accuracy


def headline(found: Findings) -> list[str]:
    """Best accuracy, test score, the knee, and what goes beyond it; the most important first."""
    if not found.run.state.trials:
        return [unfinished(found.run), "No trial has been started: there is nothing to report."]
    if found.best_point is None:
        return [unfinished(found.run), "No design has a result yet.", trial_counts(found.run)]
    sentences = [
        unfinished(found.run),
        _best(found),
        _tested(found),
        _knee(found),
        _beyond(found),
        trial_counts(found.run),
    ]
    return [sentence for sentence in sentences if sentence]


def winner_line(found: Findings) -> str:
    """The winner in one line, for a terminal."""
    point = found.best_point
    if point is None:
        return "No design has a result yet."
    tested = found.winner.metrics if found.winner else {}
    accuracies = found.run.accuracies
    role = "Winner" if found.winner else "Leads so far"
    line = (
        f"{role}: {found.best_title}, {accuracies.tell(point, 2)} on the "
        f"{found.run.held_out} images after {count(point['epochs'], 'epoch')}, "
        f"{price_of(point)} of training"
    )
    if not tested or found.run.is_transcript:
        return line
    scores = accuracies.tell_both(tested["accuracy"], balanced_accuracy(tested), 2)
    return f"{line}; {scores} test"


def unfinished(run: Run) -> str:
    """A sentence that the run is unfinished; empty if it is finished."""
    if run.finished:
        return ""
    state = run.record.get("state") or "without a recorded end"
    scored = (run.folder / "winner" / "metrics.json").exists()
    return f"Unfinished: this run is {state}. What follows is what there is so far" + (
        "." if scored else f", {run.held_out} figures only."
    )


def trial_counts(run: Run) -> str:
    """How many trials there are, by state."""
    states = Counter(trial.state for trial in run.state.trials.values())
    parts = ", ".join(f"{number:,} {state}" for state, number in states.most_common())
    refused = len(run.state.refused)
    more = f" {count(refused, 'design')} refused without training." if refused else ""
    return f"{count(len(run.state.trials), 'trial')}: {parts}.{more}"


def price_of(row: pd.Series) -> str:
    """The cost of a point's training: duration, hours of the device, and money if there is a
    price."""
    column, device = _paid_in(row)
    money = f", cost {amount(row['cost'])}" if pd.notna(row["cost"]) else ""
    return f"{duration(row['seconds'])} ({hours(row[column], device)}{money})"


def _paid_in(row: pd.Series) -> tuple[str, str]:
    """The column with a point's hours, and the device: GPU where it held one, else CPU core."""
    gpus = pd.notna(row["gpu_hours"])
    return ("gpu_hours", "GPU") if gpus else ("cpu_core_hours", "CPU core")


def _best(found: Findings) -> str:
    point = found.best_point
    assert point is not None
    accuracies = found.run.accuracies
    best = "The most accurate design"
    if accuracies.metric != "accuracy":
        best = f"The design with the best {accuracies.name}"
    return (
        f"{best} is {found.best_title}: {accuracies.tell(point)} on the "
        f"{found.run.held_out} images after {count(point['epochs'], 'epoch')}, for "
        f"{price_of(point)} of training and with {count(point['parameters'], 'parameter')}."
    )


def _tested(found: Findings) -> str:
    metrics = found.winner.metrics if found.winner else {}
    if found.run.held_out == "test":
        return (
            "As in the transcript, training took all training images and every epoch was scored "
            "on the test images. The best epoch is thus chosen on the images that score it, which "
            "flatters it a little."
        )
    if not metrics:
        return "The test images have not been opened: no test score yet."
    reached = found.run.accuracies.tell_both(metrics["accuracy"], balanced_accuracy(metrics))
    return (
        f"Scored once on the {metrics['images']:,} test images, which nothing was chosen by, it "
        f"reaches {reached}."
    )


def _knee(found: Findings) -> str:
    knee, best = found.knee.row, found.best_point
    if knee is None or best is None:
        return f"There is no knee: {found.knee.reason}."
    name = found.run.state.trials[int(knee["trial"])].title
    where = f"The knee is {name} after {count(knee['epochs'], 'epoch')}: "
    share = knee["seconds"] / best["seconds"]
    accuracies, column = found.run.accuracies, found.run.accuracies.column
    less = best[column] - knee[column]
    if less <= 0:
        return f"{where}no other design of the front is more accurate."
    return (
        f"{where}{accuracies.tell(knee)} for {price_of(knee)}, {points(less)} less than "
        f"the most accurate design for {percent(share, 0 if share >= 0.01 else 1)} of its training "
        "time."
    )


def _beyond(found: Findings) -> str:
    """A sentence on what a percentage point costs beyond the knee, and what it cost up to there."""
    knee, best = found.knee.row, found.best_point
    column = found.run.accuracies.column
    if knee is None or best is None or best[column] <= knee[column]:
        return ""
    first = found.front.iloc[0]
    unit, device = _paid_in(best)
    after = _a_point(knee, best, unit, column)
    money = ""
    if pd.notna(best["cost"]):
        money = f" (cost {amount(_a_point(knee, best, 'cost', column))})"
    before = ""
    if knee[column] > first[column]:
        before = f", after {hours(_a_point(first, knee, unit, column), device)} up to the knee"
    return f"Beyond the knee each further point costs {hours(after, device)}{money}{before}."


def _a_point(start: pd.Series, end: pd.Series, unit: str, accuracy: str) -> float:
    gained = 100 * (end[accuracy] - start[accuracy])
    return float((end[unit] - start[unit]) / gained)
