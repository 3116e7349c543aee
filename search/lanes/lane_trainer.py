"""Ray Train inside a lane's own process, and the places in the cluster that it takes."""

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

from search.lanes.lane_places import name_of_place


class LaneTrainer(TorchTrainer):
    """Ray's TorchTrainer, with its controller in a thread of the lane's own process.

    A process of its own for it, one that gives back what it held when it dies, and one that manages
    the data sets of Ray Data, which no trial uses, would be half a GiB a lane.
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
    """Ray Train's worker group in a place whose name tells whose it is."""

    places: list[Any]
    """Of this process, to be given back."""

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
    """What Ray Train did not, whose start failed half-way. It ends what still runs there."""
    while Workers.places:
        remove_placement_group(Workers.places.pop())


class LaneTorch(TorchConfig):
    """Ray's settings of the process group, over the network interface that Ray itself uses."""

    @property
    def backend_cls(self) -> type[_TorchBackend]:
        """What sets the process group up."""
        return _Backend


class _Backend(_TorchBackend):
    def on_start(self, worker_group: Any, backend_config: TorchConfig) -> None:
        if len(worker_group) > 1:
            worker_group.execute(_choose_interface)
        super().on_start(worker_group, backend_config)


def _choose_interface() -> None:
    """Tells gloo where to listen: it would ask for the host's name, which many systems say is at
    127.0.0.1, and wait for the workers of other hosts there."""
    import socket

    import psutil

    own = ray.util.get_node_ip_address()
    for name, addresses in psutil.net_if_addrs().items():
        if any(each.family in (socket.AF_INET, socket.AF_INET6) and each.address == own
               for each in addresses):  # fmt: skip
            os.environ.setdefault("GLOO_SOCKET_IFNAME", name)
