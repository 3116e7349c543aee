"""Storage: files whole or not there, copies that are never older than they may be."""

import os
import time
from pathlib import Path
from threading import Timer

import pyarrow as pa
import pytest

from models.design import Design
from search.record import checkpoint_retention, state
from search.record.state import fold
from search.storage import store as store_module
from search.storage.copier import Copier, DelayedDeletion, difference, fetch
from search.storage.store import Bucket, Folder, below, check_writable, open_store
from tests.search.hand_made import end, epoch, trial
from tests.search.processes import wait_for


class Broken(Folder):
    """Storage that does not work while `broken` is set."""

    broken = False

    def write(self, name: str, content: bytes) -> None:
        if Broken.broken:
            raise OSError(30, "Read-only file system")
        super().write(name, content)


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(params=["folder", "bucket"])
def store(request, tmp_path: Path):
    """The bucket is a file system of pyarrow's, the one that stays on this machine."""
    if request.param == "folder":
        return Folder(str(tmp_path / "store"))
    (tmp_path / "store/a/b").mkdir(parents=True)  # an object store needs no folders
    return Bucket(f"file://{tmp_path}/store")


def test_files_are_written_listed_read_and_deleted(store) -> None:
    assert store.names("a") == []
    store.write("a/one", b"1")
    store.write("a/b/two", b"2")
    store.write("a/one", b"11")
    assert sorted(store.names("a")) == ["a/b/two", "a/one"]
    assert sorted(store.names("")) == ["a/b/two", "a/one"]
    assert (store.read("a/one"), store.read("a/b/two")) == (b"11", b"2")
    store.delete("a/one")
    store.delete("a/one")
    assert store.names("a") == ["a/b/two"]
    with pytest.raises(OSError):
        store.read("a/one")
    store.delete_folder("a")
    assert store.names("a") == []
    check_writable(store, "here")
    assert store.names("") == []


def test_stores_are_told_apart(tmp_path: Path) -> None:
    assert open_store(str(tmp_path)) == Folder(str(tmp_path))
    assert open_store(f"file://{tmp_path}") == Folder(str(tmp_path))
    assert below(Folder("/a"), "run") == Folder("/a/run")
    assert below(Bucket("s3://b/p?region=x"), "run") == Bucket("s3://b/p/run?region=x")
    with pytest.raises(ValueError, match="--storage nothing://x cannot be opened"):
        open_store("nothing://x")


def test_storage_that_cannot_be_written_is_named_with_the_machine(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"file/x cannot be written from node 7: "):
        check_writable(Folder(str(tmp_path / "file/x")), "node 7")


def a_run(folder: Path) -> Path:
    for name in ("ledger/000000.jsonl", "run.json", "winner/design.json", "trials.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    for left_out in ("checkpoints/0/epoch-0001.pt", "run.lock", "trials.tmp"):
        (folder / left_out).parent.mkdir(parents=True, exist_ok=True)
        (folder / left_out).write_text("not this")
    return folder


def test_a_run_comes_back_from_its_copy(tmp_path: Path) -> None:
    run, store = a_run(tmp_path / "run"), Folder(str(tmp_path / "store"))
    with Copier(run, store, print, every=0.05):
        (run / "ledger/000000.jsonl").write_text("longer than it was")
        (run / "ledger/000001.jsonl").write_text("new")
        deadline = time.monotonic() + 5
        while len(store.names("ledger")) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert store.read("ledger/000001.jsonl") == b"new"
        (run / "trials.csv").write_text("the last word")
    back = tmp_path / "back"
    assert fetch(store, back)
    expected = content(run)
    for name in ("checkpoints/0/epoch-0001.pt", "run.lock", "trials.tmp"):
        del expected[name]
    assert content(back) == expected
    assert not fetch(Folder(str(tmp_path / "empty")), tmp_path / "nothing")


def test_checkpoints_go_only_when_the_ledger_that_says_so_is_copied(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run")
    store = Broken(str(tmp_path / "store"))
    copier = Copier(run, store, lambda said: None)
    copier.copy()
    copier.checkpoints.write("checkpoints/1/epoch-0001.pt", b"old")
    (run / "ledger/000000.jsonl").write_text("epoch 2 is there")
    copier.checkpoints.delete("checkpoints/1/epoch-0001.pt")
    assert store.names("checkpoints")
    Broken.broken = True
    with pytest.raises(OSError):
        copier.copy()
    assert store.names("checkpoints")
    Broken.broken = False
    copier.copy()
    assert not store.names("checkpoints")
    assert store.read("ledger/000000.jsonl") == b"epoch 2 is there"


def test_storage_that_fails_is_told_once_and_tried_again(tmp_path: Path) -> None:
    run, store, said = a_run(tmp_path / "run"), Broken(str(tmp_path / "store")), []
    with Copier(run, store, said.append, every=0.02):
        Broken.broken = True
        (run / "run.json").write_text("changed")
        time.sleep(0.3)
        Broken.broken = False
    assert len(said) == 1 and "Read-only" in said[0] and "trying again" in said[0]
    assert store.read("run.json") == b"changed"


def test_a_copy_from_a_stranger_cannot_leave_the_run_s_folder(tmp_path: Path) -> None:
    class Strange(Folder):
        def names(self, folder: str) -> list[str]:
            return ["run.json", "../outside"]

    store = Strange(str(tmp_path / "store/deep"))
    store.write("run.json", b"{}")
    store.write("../outside", b"run me")
    with pytest.raises(ValueError, match="no file of a run"):
        fetch(store, tmp_path / "out/run")
    assert not (tmp_path / "out/outside").exists()


def test_a_delayed_store_reads_and_writes_at_once(tmp_path: Path) -> None:
    delayed = DelayedDeletion(Folder(str(tmp_path)))
    delayed.write("a/b", b"1")
    delayed.delete("a/b")
    delayed.delete_folder("a")
    assert delayed.names("a") == ["a/b"] and delayed.read("a/b") == b"1"
    for each in delayed.take():
        each()
    assert delayed.names("a") == [] and delayed.take() == []


def test_a_file_that_is_written_again_is_not_deleted_for_what_it_was(tmp_path: Path) -> None:
    """Its deletion was deferred when an earlier session's file of that name was obsolete."""
    store = Folder(str(tmp_path))
    delayed = DelayedDeletion(store)
    known = fold([trial(0, Design(epochs=9)), *(epoch(0, n, 0.1 * n) for n in (1, 2, 3))])
    for number in (3, 9):
        store.write(checkpoint_retention.checkpoint_name(0, number), b"earlier")
    keeper = checkpoint_retention.CheckpointKeeper(delayed, known)
    state.apply(known, end(0, "paused"))
    keeper.settle(known.trials[0])  # epoch 9 is obsolete
    store.write(checkpoint_retention.checkpoint_name(0, 9), b"new")
    for number in range(4, 10):
        state.apply(known, epoch(0, number, 0.1 * number))
    state.apply(known, end(0))
    keeper.settle(known.trials[0])
    for delete in delayed.take():
        delete()
    assert [store.read(name) for name in store.names("checkpoints")] == [b"new"]


def test_epochs_that_the_ledger_lacks_are_deleted_at_once(tmp_path: Path) -> None:
    store = Folder(str(tmp_path))
    known = fold([trial(0), epoch(0, 1, 0.5), epoch(0, 2, 0.6), trial(1)])
    for which, number in ((0, 1), (0, 2), (0, 3), (0, 9), (1, 1), (7, 1)):
        store.write(checkpoint_retention.checkpoint_name(which, number), b"")
    checkpoint_retention.delete_unrecorded(store, known)
    left = [checkpoint_retention.checkpoint_name(*each) for each in ((0, 1), (0, 2), (7, 1))]
    assert sorted(store.names("checkpoints")) == sorted(left)


def test_a_fetch_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    class Flaky(Folder):
        def read(self, name: str) -> bytes:
            if name == "trials.csv":
                raise OSError("the network is gone")
            return super().read(name)

    run = a_run(tmp_path / "run")
    with Copier(run, Folder(str(tmp_path / "store")), print):
        pass
    with pytest.raises(OSError):
        fetch(Flaky(str(tmp_path / "store")), tmp_path / "back/run")
    assert list((tmp_path / "back").iterdir()) == []
    assert fetch(Folder(str(tmp_path / "store")), tmp_path / "back/run")


def test_a_search_goes_on_while_storage_cannot_be_listed(tmp_path: Path) -> None:
    from models.design import Design
    from search.record import checkpoint_retention
    from search.record.state import Trial

    class Silent(Folder):
        def names(self, folder: str) -> list[str]:
            raise OSError("timed out")

    trial = Trial(0, Design(), seed=0, parameters=1, flops=1, state="paused")
    state = checkpoint_retention.SearchState(trials={0: trial})
    keeper = checkpoint_retention.CheckpointKeeper(Silent(str(tmp_path)), state)
    keeper.settle(trial)
    checkpoint_retention.sweep(Silent(str(tmp_path)), state)
    checkpoint_retention.keep_needed(Silent(str(tmp_path)), trial)


@pytest.mark.parametrize(
    "error", [pa.ArrowInvalid("bad"), pa.ArrowException("bad"), ValueError("bad"), TimeoutError()]
)
def test_whatever_pyarrow_raises_is_an_os_error(tmp_path: Path, monkeypatch, error) -> None:
    class Sick:
        def __getattr__(self, name: str):
            raise error

    monkeypatch.setattr(store_module, "_open", lambda uri: (Sick(), "root"))
    bucket = Bucket("s3://bucket/path")
    for call in (
        lambda: bucket.write("a", b"1"),
        lambda: bucket.read("a"),
        lambda: bucket.names(""),
        lambda: bucket.delete_folder("a"),
        lambda: check_writable(bucket, "here"),
    ):
        with pytest.raises(OSError):
            call()
    bucket.delete("a")  # if it is there


def test_the_copier_goes_on_after_an_error_of_any_kind(tmp_path: Path) -> None:
    class Odd(Folder):
        def write(self, name: str, content: bytes) -> None:
            if name == "run.json" and content == b"bad":
                raise KeyError("nobody thought of it")
            super().write(name, content)

    run, store, said = a_run(tmp_path / "run"), Odd(str(tmp_path / "store")), []
    with Copier(run, store, said.append, every=0.02):
        (run / "run.json").write_text("bad")
        wait_for(lambda: bool(said), 5)
        (run / "run.json").write_text("good again")
        wait_for(lambda: store.read("run.json") == b"good again", 5)
    assert len(said) == 1 and "nobody thought of it" in said[0]


def test_a_last_copy_that_fails_is_tried_again_and_then_told(tmp_path: Path) -> None:
    run, store, said = a_run(tmp_path / "run"), Broken(str(tmp_path / "store")), []
    try:
        with Copier(run, store, said.append, every=0.02):
            Broken.broken = True
            (run / "run.json").write_text("changed")
        assert len(said) == 2
        assert "the last copy of" in said[1] and "Read-only file system" in said[1]
    finally:
        Broken.broken = False
    with Copier(run, store, said.append, every=60):
        Broken.broken = True
        (run / "run.json").write_text("changed again")
        Timer(0.2, lambda: setattr(Broken, "broken", False)).start()
    assert store.read("run.json") == b"changed again"


def test_a_run_s_storage_that_fails_at_its_begin_ends_no_run(tmp_path: Path) -> None:
    run, store, said = a_run(tmp_path / "run"), Broken(str(tmp_path / "store")), []
    Broken.broken = True
    with Copier(run, store, said.append, every=0.02):
        Broken.broken = False
    assert len(said) == 1
    assert store.read("run.json") == b"run.json"


def test_what_a_storage_lacks_is_found_by_reading_it_back(tmp_path: Path) -> None:
    run, store = a_run(tmp_path / "run"), Folder(str(tmp_path / "store"))
    with Copier(run, store, print):
        pass
    assert difference(run, store) == ""
    path = Path(store.path, "winner/design.json")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"?")  # of the same length
    assert difference(run, store) == "winner/design.json is another one there"
    path.unlink()
    assert difference(run, store) == "winner/design.json is not there"
    path.write_bytes(whole)
    (run / "ledger/000000.jsonl").write_text("longer than the copy")
    assert "ledger/000000.jsonl" in difference(run, store)
    with Copier(run, store, print):
        pass
    store.write("ledger/000001.jsonl", b"")
    assert difference(run, store) == "ledger/000001.jsonl is of another ledger"


def test_what_is_written_may_be_read_by_colleagues(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        Folder(str(tmp_path)).write("a", b"1")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644
