"""Runs Ray Tune from the first trial to the end of the search."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray.tune

from search.jobs import Job
from search.plan import Plan
from search.tune_adapter import Ask, BudgetStopper, Conversation, Tell

Trainable = Callable[..., Any]


def run_trials(
    conversation: Conversation,
    job: Job,
    plan: Plan,
    make_trainable: Callable[[Path], Trainable],
) -> None:
    """Trains what the conversation's proposer proposes until it, the budget or the user ends it.

    What Tune and Train write goes to a scratch folder that is gone afterwards.
    """
    # Tune lets one trial at a time wait for its place unless told otherwise; and it would answer
    # Ctrl-C by itself, telling nobody.
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(plan.lanes)
    os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"
    with tempfile.TemporaryDirectory(prefix="kneepoint-", ignore_cleanup_errors=True) as folder:
        scratch = Path(folder)
        ray.tune.Tuner(
            make_trainable(scratch),
            tune_config=ray.tune.TuneConfig(
                search_alg=Ask(conversation),
                scheduler=job.scheduler,
                num_samples=-1,
                max_concurrent_trials=plan.lanes,
                reuse_actors=False,
            ),
            run_config=ray.tune.RunConfig(
                name="tune",
                storage_path=str(scratch),
                callbacks=[Tell(conversation)],
                stop=BudgetStopper(conversation),
                verbose=0,
            ),
        ).fit()
