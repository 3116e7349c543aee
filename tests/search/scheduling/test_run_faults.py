"""What stops a whole run, told in a line, and what is our own fault and is not hidden."""

import errno
from pathlib import Path
from types import SimpleNamespace

import pytest
from ray.exceptions import RaySystemError
from ray.tune import TuneError

from models.design import Design
from search.cluster.lane_count import LaneCount
from search.record import run_folder
from search.record.state import fold
from search.scheduling.tune_loop import of_surroundings
from search.session.resuming import check_paused
from search.session.run_session import _stopping, _storage_fault
from search.space.constraints import Limits
from search.storage.store import Folder
from search.terms.plan import Plan
from tests.search.hand_made import end, trial

TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 1, in f\n    g()\n'


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (RaySystemError("GCS is gone"), "GCS is gone"),
        (TuneError(f"{TRACEBACK}OSError: [Errno 28] No space left"), "[Errno 28] No space left"),
        (TuneError(f"{TRACEBACK}FileNotFoundError: gone\n"), "gone"),
        (TuneError(f"{TRACEBACK}ray.exceptions.RpcError: unavailable"), "unavailable"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_the_surroundings_did_is_told_in_a_line(error: Exception, said: str) -> None:
    assert said in of_surroundings(error) and "\n" not in of_surroundings(error)


def test_a_fault_of_the_code_is_not_hidden() -> None:
    with pytest.raises(TuneError):
        of_surroundings(TuneError(f"{TRACEBACK}KeyError: 'answer'"))


def test_storage_that_is_not_mounted_any_more_is_no_storage(tmp_path: Path) -> None:
    store = Folder(str(tmp_path / "mount/runs/one"))
    assert "cannot be read" in _storage_fault(store)
    assert list(tmp_path.iterdir()) == []  # nothing is made in its place
    Path(store.path).mkdir(parents=True)
    (Path(store.path) / "run.json").write_text("{}")
    assert _storage_fault(store) == ""


def test_that_the_end_was_asked_for_is_noted_at_once(tmp_path: Path) -> None:
    said: list[str] = []
    run_folder.write_info(tmp_path, state="running", name="one")
    session = SimpleNamespace(folder=tmp_path, console=SimpleNamespace(print=said.append))
    _stopping(session, "Stopping")
    assert run_folder.read_info(tmp_path)["state"] == "interrupted" and said == ["Stopping"]
    session.folder = tmp_path / "gone"
    _stopping(session, "Stopping")  # nothing can be noted there
    assert len(said) == 2


def test_a_run_is_not_resumed_with_workers_that_its_trials_cannot_have() -> None:
    design = Design(batch_norm=True, dense=(8,), batch_size=32)
    known = fold([trial(0, design), trial(1, Design()), end(1)])
    check_paused(known, Limits((3, 32, 32), 10, workers=16))
    with pytest.raises(ValueError, match="trial 0 of the run cannot go on so: batch norm"):
        check_paused(known, Limits((3, 32, 32), 10, workers=32))


def test_a_place_has_left_with_its_node(monkeypatch) -> None:
    monkeypatch.setattr("search.cluster.ray_connection.node_addresses", lambda: {"10.0.0.7"})
    lanes = LaneCount(Plan(2, 1, 1, 0), None)
    assert not lanes.has_left("10.0.0.7, NVIDIA H100") and not lanes.has_left("")
    assert lanes.has_left("10.0.0.8, NVIDIA H100")
