"""Figure of learning curves: accuracy by epoch, training dashed and held-out solid."""

from typing import Literal, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from analysis.figures.figure_style import BLACK, MARKERS, SERIES, new_figure
from analysis.run import frames
from analysis.run.labels import trial_label
from analysis.run.run_folder import Run

MOST_TRIALS = 5


class Curve(NamedTuple):
    """One trial's accuracies; NaN for an epoch that diverged."""

    label: str
    epochs: NDArray[np.int64]
    training: NDArray[np.float64]
    """Percent."""
    held_out: NDArray[np.float64]
    """Percent."""
    balanced: NDArray[np.float64] | None = None
    """Percent balanced accuracy on the held-out images; None where it is not reported."""


class CurvesInfo(NamedTuple):
    """The curves of one figure, at most five, and what the solid lines are."""

    curves: list[Curve]
    held_out: str


def best_curves_info(run: Run) -> CurvesInfo:
    """The trials with the best accuracy, the best first."""
    held = [trial for trial in run.state.trials.values() if trial.best]
    best = sorted(held, key=lambda t: (-(t.score or 0.0), t.trial))
    return curves_info(run, [trial.trial for trial in best[:MOST_TRIALS]])


def curves_info(run: Run, trials: list[int]) -> CurvesInfo:
    """The trials of these numbers."""
    curves = []
    for number in trials:
        trial = run.state.trials[number]
        frame = frames.epochs(trial)
        curves.append(
            Curve(
                label=trial_label(number, trial.name),
                epochs=frame["epoch"].to_numpy(dtype=int),
                training=100 * frame["train_accuracy"].to_numpy(dtype=float),
                held_out=100 * frame["val_accuracy"].to_numpy(dtype=float),
                balanced=100 * frame["val_balanced_accuracy"].to_numpy(dtype=float)
                if "val_balanced_accuracy" in run.accuracies.columns
                else None,
            )
        )
    return CurvesInfo(curves, run.held_out)


def draw(info: CurvesInfo) -> Figure:
    """One colour and marker a trial; the legends stand outside of the curves."""
    figure = new_figure(3.6 + 0.12 * len(info.curves))
    axes = figure.add_subplot()
    for curve, colour, marker in zip(info.curves, SERIES, MARKERS, strict=False):
        every = max(1, len(curve.epochs) // 8)
        axes.plot(curve.epochs, curve.training, "--", color=colour, linewidth=1.2)
        if curve.balanced is not None:
            axes.plot(curve.epochs, curve.balanced, ":", color=colour, linewidth=2)
        axes.plot(
            curve.epochs,
            curve.held_out,
            color=colour,
            marker=marker,
            ms=4.5,
            markevery=every,
            label=curve.label,
        )
    axes.set_xlabel("epoch")
    axes.set_ylabel("accuracy, %")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    handles, labels = axes.get_legend_handles_labels()
    kinds: dict[str, Literal["-", "--", ":"]] = {info.held_out: "-", "training": "--"}
    if any(curve.balanced is not None for curve in info.curves):
        kinds[f"{info.held_out}, balanced"] = ":"
    styles = [Line2D([], [], color=BLACK, linestyle=kind) for kind in kinds.values()]
    figure.legend(styles, list(kinds), loc="outside upper center", ncols=len(kinds))
    figure.legend(handles, labels, loc="outside lower center", ncols=2, columnspacing=1.2)
    return figure
