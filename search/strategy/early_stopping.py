"""Early stopping of trials by their intermediate accuracies: Ray's ASHA (scheduler "asha")."""

from types import SimpleNamespace

from ray.tune.schedulers import ASHAScheduler, TrialScheduler


class Asha:
    """Ray's ASHAScheduler (Li et al., arXiv 1810.05934), called per trial of the search instead of
    per Ray Tune trial; a stopped trial ends for good."""

    def __init__(self, max_epochs: int, reduction: int, grace: int = 1) -> None:
        self._scheduler = ASHAScheduler(
            time_attr="epoch",
            metric="val_accuracy",
            mode="max",
            max_t=max_epochs,
            grace_period=grace,
            reduction_factor=reduction,
        )
        self._known: set[int] = set()

    def goes_on(self, trial: int, epoch: int, accuracy: float) -> bool:
        """Whether a trial is trained further after an epoch; asked once for each."""
        known = SimpleNamespace(trial_id=str(trial))
        if trial not in self._known:
            self._known.add(trial)
            self._scheduler.on_trial_add(None, known)
        result = {"epoch": epoch, "val_accuracy": accuracy}
        return self._scheduler.on_trial_result(None, known, result) != TrialScheduler.STOP
