"""What Ray Tune's controller does at each of its steps, beside waiting for an event."""

import itertools
import time
from types import SimpleNamespace

import ray
import ray.tune
from ray.air.execution._internal.actor_manager import RayActorManager
from ray.tune import Stopper
from ray.tune.experiment import Trial

from search.scheduling.tune_adapter import LaneScheduler
from search.scheduling.tune_pace import SECONDS, unhurried


class Asked(Stopper):
    """Counts Tune's steps."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def __call__(self, trial_id, result) -> bool:
        return False

    def stop_all(self) -> bool:
        self.times.append(time.monotonic())
        return False


def test_a_controller_without_events_takes_few_steps(ray_cluster: str, tmp_path) -> None:
    def sleeps(config) -> None:
        time.sleep(4)

    hasty, asked = RayActorManager.next, Asked()
    ray.init(address=ray_cluster, log_to_driver=False)
    try:
        with unhurried():
            ray.tune.Tuner(
                sleeps,
                run_config=ray.tune.RunConfig(storage_path=str(tmp_path), stop=asked, verbose=0),
            ).fit()
    finally:
        ray.shutdown()
    assert RayActorManager.next is hasty
    between = [later - now for now, later in itertools.pairwise(asked.times)]
    assert sum(SECONDS <= wait < 3 * SECONDS for wait in between) >= 3
    assert not any(0.1 <= wait < 0.12 for wait in between)


def test_the_leg_that_waited_longest_is_next_and_the_past_is_not_looked_through() -> None:
    trials = [
        SimpleNamespace(trial_id=f"a_{number:05d}", status=status)
        for number, status in enumerate([Trial.RUNNING, Trial.PENDING, Trial.PENDING])
    ]
    live = {trial.trial_id: trial for trial in reversed(trials)}.values()
    controller = SimpleNamespace(get_live_trials=lambda: live)
    assert LaneScheduler(None).choose_trial_to_run(controller) is trials[1]
    trials[1].status = trials[2].status = Trial.RUNNING
    assert LaneScheduler(None).choose_trial_to_run(controller) is None
