"""Ray Train's TorchTrainer with its controller inside the lane's process, and with placement groups
that are named after the lane."""

import asyncio
import os
import secrets
from typing import Any

import ray
from ray.train.torch import TorchConfig, TorchTrainer
from ray.train.torch.config import _TorchBackend
from ray.train.v2._internal.execution.controller import TrainController
from ray.train.v2._internal.execution.worker_group.placement_group_handle import (
    DefaultPlacementGroupHandle,
)
from ray.train.v2._internal.execution.worker_group.worker_group import WorkerGroup
from ray.util.placement_group import placement_group, remove_placement_group

from search.lanes.placement_groups import name_of_place


class LaneTrainer(TorchTrainer):
    """Ray's TorchTrainer, with its controller in the process that calls `fit`: the lane's.

    Ray's default, one process for the controller, one that cleans up placement groups, and one for
    Ray Data, which no trial uses, would take half a GiB of memory a lane.
    """

    def _create_default_callbacks(self) -> list[Any]:
        unused = ("DatasetsCallback", "PlacementGroupCleanerCallback")
        callbacks = super()._create_default_callbacks()
        return [each for each in callbacks if type(each).__name__ not in unused]

    def _initialize_and_run_controller(self, **arguments: Any) -> Any:
        controller = _Controller(**arguments)
        asyncio.run(controller.run())
        return controller.get_result()


class Workers(WorkerGroup):
    """Ray Train's worker group, in a placement group that is named after its lane."""

    places: list[Any]
    """Placement groups that this process made and has not removed."""

    def _create_placement_group(self, scaling_config: Any, worker_group_context: Any) -> Any:
        context = worker_group_context
        place = placement_group(
            [context.resources_per_worker] * context.num_workers,
            strategy=context.placement_strategy,
            name=name_of_place(ray.get_runtime_context().get_actor_id(), secrets.token_hex(4)),
            bundle_label_selector=context.label_selector,
        )
        self.places.append(place)
        return DefaultPlacementGroupHandle(place)


Workers.places = []


class _Controller(TrainController):
    worker_group_cls = Workers


def give_places_back() -> None:
    """Removes this process's placement groups, such as those of a start that failed half-way, and
    so ends what still runs in them."""
    while Workers.places:
        remove_placement_group(Workers.places.pop())


class LaneTorch(TorchConfig):
    """Ray's TorchConfig, with the process group on the network interface that Ray itself uses."""

    @property
    def backend_cls(self) -> type[_TorchBackend]:
        """The class that sets the process group up."""
        return _Backend


class _Backend(_TorchBackend):
    def on_start(self, worker_group: Any, backend_config: TorchConfig) -> None:
        if len(worker_group) > 1:
            worker_group.execute(_choose_interface)
        super().on_start(worker_group, backend_config)


def _choose_interface() -> None:
    """Sets gloo's network interface: by default it resolves the host's name, which many systems map
    to 127.0.0.1, where workers of other hosts cannot reach it."""
    import socket

    import psutil

    own = ray.util.get_node_ip_address()
    for name, addresses in psutil.net_if_addrs().items():
        if any(each.family in (socket.AF_INET, socket.AF_INET6) and each.address == own
               for each in addresses):  # fmt: skip
            os.environ.setdefault("GLOO_SOCKET_IFNAME", name)
