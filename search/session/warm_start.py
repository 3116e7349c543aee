"""Warm start: picks the best designs of an earlier run, to be trained first in a new one."""

from dataclasses import replace
from pathlib import Path

from models.design import Design
from search.record.run_folder import find
from search.record.state import Trial, load
from search.space.constraints import Limits
from search.space.design_space import NetworkSpace
from search.terms.front import non_dominated

MOST = 8
"""The most designs taken: half of them the most accurate, the others from the front of score
against training time."""


def designs_of(
    out: Path, run: str, space: NetworkSpace, limits: Limits | None = None
) -> list[tuple[str, Design]]:
    """Designs of `run`, a name below `out` or a folder, the most accurate first; ValueError where
    it is no run, has no result, or none of a design within `limits`.

    With a constant learning rate, or cycles, they are trained as long as those of `space`.
    """
    folder = find(out, run)
    trials = [trial for trial in load(folder).trials.values() if trial.best]
    if not trials:
        raise ValueError(f"--warm-start {run}: no trial of it has a result")
    if limits is not None:
        refusals = [limits.refusal(trial.design) for trial in trials]
        trials = [trial for trial, why in zip(trials, refusals, strict=True) if not why]
        if not trials:
            raise ValueError(
                f"--warm-start {run}: none of its designs may be trained here: {refusals[0]}"
            )
    by_accuracy = sorted(trials, key=_accuracy, reverse=True)
    front = [trials[i] for i in non_dominated([(_accuracy(t), _seconds(t)) for t in trials])]
    chosen = dict.fromkeys(t.design for t in (*by_accuracy[: MOST // 2], *front[::-1]))
    names = {trial.design: f"{folder.name}#{trial.trial}" for trial in reversed(by_accuracy)}
    return [(names[design], _adapted(design, space)) for design in list(chosen)[:MOST]]


def _accuracy(trial: Trial) -> float:
    """The score that the trial's own search maximised."""
    return trial.score or 0.0


def _seconds(trial: Trial) -> float:
    return trial.train_seconds(trial.best["epoch"]) if trial.best else 0.0


def _adapted(design: Design, space: NetworkSpace) -> Design:
    longest = space.max_epochs
    # Such as a finale's, which has no result at rungs.
    if space.has_recipe and design.schedule in ("one_cycle", "triangular"):
        design = replace(design, schedule="cycles")
    any_time = design.schedule in ("constant", "cycles")
    return replace(design, epochs=longest if any_time else min(design.epochs, longest))
