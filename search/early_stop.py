"""Rules that end trials early, by the epochs that they have shown."""

from types import SimpleNamespace

from ray.tune.schedulers import ASHAScheduler, TrialScheduler

from search.state import Trial


class Asha:
    """Ray's ASHA (Li et al., arXiv 1810.05934) by our trials' numbers: it knows of no legs."""

    def __init__(self, max_epochs: int, reduction: int) -> None:
        self._scheduler = ASHAScheduler(
            time_attr="epoch",
            metric="val_accuracy",
            mode="max",
            max_t=max_epochs,
            grace_period=1,
            reduction_factor=reduction,
        )
        self._known: set[int] = set()

    def goes_on(self, trial: Trial) -> bool:
        """Whether `trial` is trained further after its newest epoch."""
        known = SimpleNamespace(trial_id=str(trial.trial))
        if trial.trial not in self._known:
            self._known.add(trial.trial)
            self._scheduler.on_trial_add(None, known)
        line = trial.epochs[-1]
        result = {"epoch": line["epoch"], "val_accuracy": line["val_accuracy"]}
        return self._scheduler.on_trial_result(None, known, result) != TrialScheduler.STOP


def never(trial: Trial) -> bool:
    """The rule that ends none early: every trial goes on."""
    return True
