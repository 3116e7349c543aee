"""A lane's Ray Train worker group, which outlives its trials: one TorchTrainer run trains them all.

The TorchTrainer runs in a thread. Its workers connect to this process and wait for messages: a
message and its answer take well under a millisecond, and a worker that dies is noticed at once.
"""

import multiprocessing
import queue
import secrets
import threading
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import ray
import ray.train

from search.lanes.faults import cause
from search.lanes.lane_port import LanePort
from search.lanes.lane_trainer import LaneTorch, LaneTrainer, give_places_back
from search.lanes.leg import Leg
from search.lanes.serve import serve
from search.terms.plan import Plan

PATIENCE_SECONDS = 5
"""How long `train` waits for workers that are still starting, before it returns None."""
GRACE_SECONDS = 5
"""How long to wait, after one worker's failure, for the failures or the loss of the others."""
CLOSE_SECONDS = 5
"""How long `close` waits for the workers to end; then they end with their lane's process."""


class GroupError(RuntimeError):
    """A worker group has ended; the message is one line that says why."""


class GroupNotStarted(GroupError):
    """The group ended before all its workers had connected."""


class GroupLost(GroupError):
    """A worker, or the TorchTrainer that runs the workers, was lost."""


class WorkerGroup:
    """The worker group of one lane: started by the constructor, awaited at the first `train`."""

    def __init__(self, settings: bytes, plan: Plan, scratch: Path) -> None:
        """`settings` are pickled TrialSettings; `scratch` is for the files of Ray Train, which are
        never read again."""
        self.name = secrets.token_hex(4)
        self.workers = plan.workers_per_trial
        self._arrived: dict[int, Connection] = {}
        """Connections of the workers that have reported their rank, by rank."""
        self._reason = "it was closed"
        key = secrets.token_bytes(32)
        self._arrivals: queue.Queue[Connection | None] = queue.Queue()
        """New connections of workers; None when the group has ended."""
        self._ended, self._ends = multiprocessing.Pipe(duplex=False)
        """Becomes readable when the group has ended, so that `wait` returns."""
        self._port = LanePort(ray.util.get_node_ip_address(), key, self.workers, self._arrivals.put)
        self.address = self._port.address
        self._run = threading.Thread(
            target=self._fit,
            args=(
                _trainer(
                    {"settings": settings, "address": self.address, "key": key},
                    plan,
                    scratch / self.name,
                ),
            ),
            daemon=True,
        )
        self._run.start()

    def train(self, leg: Leg | None) -> dict[str, Any] | None:
        """Trains the first epoch of `leg`, or with None the current leg's next; rank 0's answer.

        Returns None while the workers are still starting; nothing was sent to them then. Raises
        GroupError when a worker is lost, instead of waiting for it.
        """
        if not self._await_workers():
            return None
        try:
            for connection in self._arrived.values():
                connection.send(leg)
        except OSError as error:
            raise GroupLost(f"a worker is gone ({error})") from error
        return self._answers()

    def close(self) -> None:
        """Closes the connections, upon which the workers end; waits CLOSE_SECONDS at most."""
        self._port.close()
        for connection in self._arrived.values():
            connection.close()
        self._run.join(CLOSE_SECONDS)

    def _fit(self, trainer: LaneTrainer) -> None:
        try:
            trainer.fit()
        except BaseException as error:  # of whatever kind: `train` must not wait on
            self._reason = _last_line(error)
        finally:
            give_places_back()
            self._ends.close()
            self._arrivals.put(None)

    def _await_workers(self) -> bool:
        """Waits until all workers have reported their rank; False after PATIENCE_SECONDS without a
        further one."""
        while len(self._arrived) < self.workers:
            try:
                connection = self._arrivals.get(timeout=PATIENCE_SECONDS)
            except queue.Empty:
                return False
            if connection is None:
                raise GroupNotStarted(f"the workers could not start: {self._reason}")
            ready = wait([connection, self._ended])
            try:
                if connection not in ready:
                    raise EOFError
                self._arrived[connection.recv()] = connection
            except (EOFError, OSError) as error:
                self._run.join(CLOSE_SECONDS)
                raise GroupNotStarted(f"a worker could not start: {self._reason}") from error
        return True

    def _answers(self) -> dict[str, Any]:
        """Rank 0's answer, or the failure that caused the others; GroupLost where a worker died."""
        answers: dict[int, dict[str, Any]] = {}
        failures: list[dict[str, Any]] = []
        while len(answers) < self.workers:
            left = {r: c for r, c in self._arrived.items() if r not in answers}
            ready = wait([*left.values(), self._ended], GRACE_SECONDS if failures else None)
            if not ready:  # the others are in a collective that the failed one has left
                break
            if self._ended in ready:
                raise GroupLost(f"the worker group has ended: {self._reason}")
            for rank in (rank for rank, connection in left.items() if connection in ready):
                try:
                    answers[rank] = left[rank].recv()
                except (EOFError, OSError) as error:
                    raise GroupLost(f"worker {rank} is gone") from error
                if "failure" in answers[rank]:
                    failures.append(answers[rank])
        return cause(failures) if failures else answers[0]


def _trainer(config: dict[str, Any], plan: Plan, folder: Path) -> LaneTrainer:
    share: dict[str, float] = {"CPU": plan.cpus_per_worker}
    if plan.gpus_per_worker:
        share["GPU"] = plan.gpus_per_worker
    return LaneTrainer(
        serve,
        train_loop_config=config,
        torch_config=LaneTorch(),
        scaling_config=ray.train.ScalingConfig(
            num_workers=plan.workers_per_trial,
            use_gpu=plan.gpus_per_worker > 0,
            resources_per_worker=share,
        ),
        run_config=ray.train.RunConfig(name=folder.name, storage_path=str(folder.parent)),
    )


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[-1][:300]
