"""A lane: Ray Tune's actor that trains one leg after another with the same workers."""

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
    """Tune's class trainable. A step is an epoch; the next leg is trained by the same actor.

    When its workers are gone `step` raises, and the lane ends: Tune starts another one.
    """

    def setup(
        self,
        config: dict[str, Any],
        settings: bytes = b"",
        plan: Plan | None = None,
        scratch: str = "",
    ) -> None:
        """Starts the workers; `config` is the first leg."""
        assert plan
        ray_connection.apply_settings()
        self._name = secrets.token_hex(4)
        self._start = lambda: WorkerGroup(settings, plan, Path(scratch))
        try:
            self._group = self._start()
        except OSError as error:  # no port, no file: of which no trial is the cause
            raise GroupNotStarted(f"its lane could not start: {error}") from error
        self._next: Leg | None = None
        self.reset_config(config)

    def step(self) -> dict[str, Any]:
        """Trains one epoch: what the worker answers, with the trial and the names of the worker
        group and of the lane, as one value: of each value in a result Tune would keep statistics.

        While the workers are still to come the answer is that the lane is waiting.
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
        """Takes the next leg."""
        self._next = from_config(new_config)
        self._trial = self._next.trial
        return True

    def cleanup(self) -> None:
        """Sends the workers home."""
        self._group.close()


def make_lane(settings: "TrialSettings", plan: Plan, scratch: Path) -> Any:
    """What Ray Tune runs. It holds nothing of the cluster itself: its workers do."""
    packed = cloudpickle.dumps(settings)  # opened by the workers alone
    lane = ray.tune.with_parameters(Lane, settings=packed, plan=plan, scratch=str(scratch))
    # Tune wants a trial to hold something; the cores are all for the workers.
    return ray.tune.with_resources(lane, {"memory": 1 << 20})
