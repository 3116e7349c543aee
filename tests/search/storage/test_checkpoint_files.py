"""What is told apart where a checkpoint cannot be read or written."""

import errno
import os
from pathlib import Path

import pytest
import torch

from models import checkpoint
from search.lanes import faults
from search.storage import checkpoint_files
from search.storage.checkpoint_files import CheckpointError, StorageError
from search.storage.store import Folder

NAME = "checkpoints/3/epoch-0002.pt"
CONTENT = {"epoch": 2, "weights": torch.arange(4.0)}


class Shaky(Folder):
    """A folder that fails as often as it is told, and then works again."""

    def fail(self, error: OSError, times: int) -> None:
        object.__setattr__(self, "left", times)
        object.__setattr__(self, "error", error)

    def _maybe(self) -> None:
        if getattr(self, "left", 0):
            object.__setattr__(self, "left", self.left - 1)
            raise self.error

    def read(self, name: str) -> bytes:
        self._maybe()
        return super().read(name)

    def write(self, name: str, content: bytes) -> None:
        self._maybe()
        super().write(name, content)


@pytest.fixture
def store(tmp_path: Path, monkeypatch) -> Shaky:
    monkeypatch.setattr(checkpoint_files, "WAITS", (0.0, 0.0, 0.0))
    (tmp_path / "run.json").write_text("{}")
    return Shaky(str(tmp_path))


def test_what_was_written_is_read(store: Shaky) -> None:
    checkpoint_files.write(store, NAME, CONTENT)
    found = checkpoint_files.read(store, NAME)
    assert found["epoch"] == 2 and found["weights"].tolist() == [0, 1, 2, 3]


HICCUPS = [OSError(errno.EIO, "I/O error"), TimeoutError("timed out"), FileNotFoundError("stale")]


@pytest.mark.parametrize("error", HICCUPS, ids=lambda error: type(error).__name__)
def test_a_hiccup_is_waited_for(store: Shaky, error: OSError) -> None:
    store.fail(error, 3)
    checkpoint_files.write(store, NAME, CONTENT)
    store.fail(error, 3)
    assert checkpoint_files.read(store, NAME)["epoch"] == 2


def test_storage_that_does_not_come_back(store: Shaky) -> None:
    checkpoint_files.write(store, NAME, CONTENT)
    store.fail(OSError(errno.EIO, "I/O error"), 100)
    with pytest.raises(StorageError, match=r"cannot be written: I/O error") as written:
        checkpoint_files.write(store, NAME, CONTENT)
    with pytest.raises(StorageError, match=r"cannot be read: I/O error"):
        checkpoint_files.read(store, NAME)
    assert faults.describe(written.value)["kind"] == "storage"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_no_room_is_the_run_s_fault(store: Shaky, number: int) -> None:
    store.fail(OSError(number, os.strerror(number)), 100)
    with pytest.raises(StorageError) as raised:
        checkpoint_files.write(store, NAME, CONTENT)
    told = faults.describe(raised.value)
    assert told == {
        "failure": f"{store} cannot be written: {os.strerror(number)}",
        "kind": "run",
    }


def test_an_object_store_s_quota_is_no_room_either() -> None:
    error = OSError("AWS Error QUOTA EXCEEDED during PutObject")
    assert faults.describe(StorageError("x", error))["kind"] == "run"


def test_a_failed_fsync_is_no_written_checkpoint(store: Shaky, monkeypatch) -> None:
    calls = []

    def fsync(handle: int) -> None:
        calls.append(handle)
        raise OSError(errno.EIO, "I/O error")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StorageError):
        checkpoint_files.write(store, NAME, CONTENT)
    assert len(calls) == 4
    assert not (Path(store.path) / NAME).exists()


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_a_cut_checkpoint_is_damaged(store: Shaky, kept: int) -> None:
    checkpoint_files.write(store, NAME, CONTENT)
    path = Path(store.path) / NAME
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match="damaged") as raised:
        checkpoint_files.read(store, NAME)
    assert faults.describe(raised.value)["kind"] == "checkpoint"


def test_a_checkpoint_with_something_else_in_it_is_damaged(store: Shaky) -> None:
    path = Path(store.path) / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no checkpoint at all, but long enough to be one" * 100)
    with pytest.raises(CheckpointError):
        checkpoint_files.read(store, NAME)
    with pytest.raises(CheckpointError), checkpoint_files.reading(NAME):
        torch.nn.Linear(2, 3).load_state_dict(torch.nn.Linear(2, 4).state_dict())


def test_a_checkpoint_that_is_gone_is_told_from_storage_that_is_gone(store: Shaky) -> None:
    with pytest.raises(CheckpointError, match="gone"):
        checkpoint_files.read(store, NAME)
    (Path(store.path) / "run.json").unlink()  # nothing is mounted there any more
    with pytest.raises(StorageError):
        checkpoint_files.read(store, NAME)
    with pytest.raises(StorageError, match="cannot be written: it is gone"):
        checkpoint_files.write(store, NAME, CONTENT)
    assert not (Path(store.path) / NAME).exists()


def test_what_the_device_does_is_not_the_file_s_fault(store: Shaky) -> None:
    for error in (
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("CUDA error: an illegal memory access was encountered"),
    ):
        with pytest.raises(type(error)), checkpoint_files.reading(NAME):
            raise error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "design"),
        (MemoryError(), "design"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "design"),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), "design"),
        (RuntimeError("CUDA error: device-side assert triggered"), "machine"),
        (torch.distributed.DistBackendError("NCCL error: unhandled system error"), "machine"),
        (ConnectionResetError("Connection reset by peer"), "machine"),
        (ValueError("nobody thought of that"), "machine"),
    ],
    ids=str,
)
def test_whose_fault_an_error_of_a_training_is(error: Exception, kind: str) -> None:
    assert faults.describe(error)["kind"] == kind


def test_the_cause_of_several_workers_failures() -> None:
    lost = {"failure": "gloo: connection closed", "kind": "machine"}
    memory = {"failure": "out_of_memory", "kind": "design"}
    full = {"failure": "No space left on device", "kind": "run"}
    assert faults.cause([lost, memory]) == memory
    assert faults.cause([lost, full, memory]) == full


def test_a_checkpoint_is_packed_as_before(store: Shaky) -> None:
    checkpoint_files.write(store, NAME, CONTENT)
    assert checkpoint.load(Path(store.path) / NAME)["epoch"] == 2
