"""A lane: the Ray Tune trainable (actor) that trains one leg after another with its workers."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray.tune
from ray import cloudpickle

from search.cluster import ray_connection
from search.lanes.leg import Leg, from_config
from search.lanes.worker_group import GroupNotStarted, WorkerGroup
from search.terms.plan import Plan

if TYPE_CHECKING:
    from search.lanes.worker import TrialSettings


class Lane(ray.tune.Trainable):
    """A class trainable of Ray Tune, reused from leg to leg; one `step` trains one epoch.

    When workers are lost `step` raises, and the lane ends: Tune starts another one.
    """

    def setup(
        self,
        config: dict[str, Any],
        settings: bytes = b"",
        plan: Plan | None = None,
        scratch: str = "",
    ) -> None:
        """Starts the workers; `config` is the first leg, `settings` are pickled TrialSettings."""
        assert plan
        ray_connection.apply_settings()
        self._name = secrets.token_hex(4)
        self._start = lambda: WorkerGroup(settings, plan, Path(scratch))
        try:
            self._group = self._start()
        except OSError as error:  # no port or file descriptor: no fault of a trial
            raise GroupNotStarted(f"its lane could not start: {error}") from error
        self._next: Leg | None = None
        self.reset_config(config)

    def step(self) -> dict[str, Any]:
        """Trains one epoch; returns (rank 0's answer, trial, name of the worker group, name of the
        lane) as one value, for Tune keeps statistics of each value in a result.

        The answer is {"waiting": True} while the workers are still starting.
        """
        group = self._group
        answer = group.train(self._next)
        if answer is None:
            return {"answer": ({"waiting": True}, self._trial, group.name, self._name)}
        self._next = None
        if answer.get("spoiling"):
            group.close()
            self._group = self._start()
        return {"answer": (answer, self._trial, group.name, self._name)}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Takes the next leg, as Tune reuses this actor."""
        self._next = from_config(new_config)
        self._trial = self._next.trial
        return True

    def cleanup(self) -> None:
        """Ends the workers."""
        self._group.close()


def make_lane(settings: "TrialSettings", plan: Plan, scratch: Path) -> Any:
    """The trainable for ray.tune.Tuner. The actor itself holds no CPU or GPU: its workers do."""
    packed = cloudpickle.dumps(settings)  # unpickled only by the workers
    lane = ray.tune.with_parameters(Lane, settings=packed, plan=plan, scratch=str(scratch))
    # Tune requires a trial to hold some resource; all cores are for the workers.
    return ray.tune.with_resources(lane, {"memory": 1 << 20})
