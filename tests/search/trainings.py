"""Trainings that go wrong, in place of the real one, wherever they run."""

import contextlib
import functools
import sys
from collections.abc import Iterator
from typing import Any

import torch
from ray import cloudpickle

from models.training.training_run import Training
from search.lanes.worker import TrialSettings
from search.session import run_session

# Workers cannot import tests: what is defined here travels to them whole.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Broken:
    """Cannot be made."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        raise RuntimeError("no such luck")


class Greedy(Training):
    """Designs with hidden dense layers run out of memory in their second epoch."""

    def run_epoch(self):
        if self.epoch == 1 and self.design.dense:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")
        return super().run_epoch()


@contextlib.contextmanager
def training_by(kind: type) -> Iterator[None]:
    """Sessions train with `kind`."""
    plain = run_session.TrialSettings
    run_session.TrialSettings = functools.partial(TrialSettings, make_training=kind)
    try:
        yield
    finally:
        run_session.TrialSettings = plain
