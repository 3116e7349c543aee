"""Runs ray.tune.Tuner with the lanes and the adapter, from the first leg to the end of the
search."""

import builtins
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray.tune
from ray.tune import TuneError

from models.error_text import first_line
from search.scheduling.leg_scheduler import LegScheduler
from search.scheduling.tune_adapter import BudgetStopper, LaneCallback, LaneScheduler, LaneSearcher
from search.scheduling.tune_pace import unhurried

ENVIRONMENT = {
    # By default Tune lets only one trial at a time wait for its placement group.
    "TUNE_MAX_PENDING_TRIALS_PG": "100000",
    # Tune would handle Ctrl-C by itself, and the session would not see it.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    # Tune's experiment state is never read back.
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
}


def run_legs(scheduler: LegScheduler, make_lane: Callable[[Path], Any]) -> None:
    """Trains the legs that the scheduler hands out until the search ends.

    `make_lane` gets a scratch folder for files of Tune and Train, deleted afterwards, and returns
    the trainable.
    """
    os.environ.update(ENVIRONMENT)
    with (
        tempfile.TemporaryDirectory(prefix="kneepoint-", ignore_cleanup_errors=True) as folder,
        unhurried(),
    ):
        scratch = Path(folder)
        ray.tune.Tuner(
            make_lane(scratch / "train"),
            tune_config=ray.tune.TuneConfig(
                search_alg=LaneSearcher(scheduler),
                scheduler=LaneScheduler(scheduler),
                num_samples=-1,
                reuse_actors=True,
            ),
            run_config=ray.tune.RunConfig(
                name="tune",
                storage_path=str(scratch),
                callbacks=[LaneCallback(scheduler)],
                stop=BudgetStopper(scheduler),
                # No checkpoint at the end of a Tune trial, so that its lane is free at once.
                checkpoint_config=ray.tune.CheckpointConfig(checkpoint_at_end=False),
                verbose=0,
            ),
        ).fit()


def of_surroundings(error: Exception) -> str:
    """The message of an error of Ray or the operating system, in a line; raises the error again
    where it comes from our own code, a bug that the user cannot mend.

    Tune wraps what its callbacks raise, with a whole traceback as the text.
    """
    if not isinstance(error, TuneError):
        return first_line(error)
    lines = [line for line in str(error).splitlines() if line and not line[0].isspace()]
    name, _, said = (lines or [""])[-1].partition(": ")
    kind = getattr(builtins, name, None)
    if name.startswith("ray.exceptions.") or (isinstance(kind, type) and issubclass(kind, OSError)):
        return said or name
    raise error
