"""What holds in the driver's process while Ray Tune runs."""

from pathlib import Path

import ray
import ray.tune
from threadpoolctl import threadpool_info, threadpool_limits

from benchmarks.asleep import Asleep
from benchmarks.many_lanes import _conversation
from search.tune_loop import run_legs


def blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_blas_has_one_thread_while_trials_run(ray_cluster: str, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    conversation = _conversation(tmp_path / "run", 1)
    seen: list[set[int]] = []

    def over() -> bool:
        seen.append(blas_threads())
        return True

    conversation.over = over  # type: ignore[method-assign]
    place = {"memory": 1 << 20}
    ray.init(address=ray_cluster, log_to_driver=False)
    try:
        with threadpool_limits(limits=2, user_api="blas"):
            run_legs(conversation, lambda scratch: ray.tune.with_resources(Asleep, place))
            assert blas_threads() == {2}
    finally:
        ray.shutdown()
        conversation.recorder.close("interrupted", "tested")
    assert seen and all(each == {1} for each in seen)
