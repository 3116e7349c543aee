"""Writes each trial's learning curves as TensorBoard event files, one TensorBoard run a trial."""

import struct
from pathlib import Path

from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import masked_crc32c

from models.short_design import file_name
from search.record.state import Trial

SCALARS = (
    *("train_loss", "train_accuracy", "val_loss", "val_accuracy", "val_balanced_accuracy"),
    "images_per_second",
)
VERSION = "brain.Event:2"
"""The format's version, in the first event of each file."""


class Scalars:
    """Appends scalar events below `run`/tensorboard, opening a file only to write it.

    A SummaryWriter of tensorboardX would keep a thread and an open file for each running trial, of
    which there may be a thousand.
    """

    def __init__(self, run: Path) -> None:
        self._folder = run / "tensorboard"

    def epoch(self, trial: Trial) -> None:
        """Appends the newest epoch of `trial`."""
        folder = self._folder_of(trial)
        path = folder / "events.out.tfevents.kneepoint"
        line, records = trial.epochs[-1], b""
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            first = Event(wall_time=line["time"], file_version=VERSION)
            records = _record(first.SerializeToString())
        values = [
            Summary.Value(tag=name, simple_value=line[name])
            for name in SCALARS
            if line.get(name) is not None
        ]
        event = Event(wall_time=line["time"], step=line["epoch"], summary=Summary(value=values))
        with path.open("ab") as file:
            file.write(records + _record(event.SerializeToString()))

    def _folder_of(self, trial: Trial) -> Path:
        """The trial's folder, named after its design; as an older version named it if that
        exists."""
        older = self._folder / f"{trial.trial:04d}-{trial.design.id}"
        newer = self._folder / f"{trial.trial:04d}-{trial.name or file_name(trial.design)}"
        return older if older.exists() else newer


def _record(data: bytes) -> bytes:
    """A record in TensorFlow's framing: length, its checksum, data, its checksum."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, _checksum(length), data, _checksum(data)))


def _checksum(data: bytes) -> bytes:
    return struct.pack("<I", masked_crc32c(data))
