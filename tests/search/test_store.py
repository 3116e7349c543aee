"""Storage: files whole or not there, copies that are never older than they may be."""

import time
from pathlib import Path

import pytest

from search.copier import Copier, Delayed, fetch
from search.store import Bucket, Folder, below, check_writable, open_store


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
    delayed = Delayed(Folder(str(tmp_path)))
    delayed.write("a/b", b"1")
    delayed.delete("a/b")
    delayed.delete_folder("a")
    assert delayed.names("a") == ["a/b"] and delayed.read("a/b") == b"1"
    for each in delayed.take():
        each()
    assert delayed.names("a") == [] and delayed.take() == []


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
    from search import weights
    from search.state import Trial

    class Silent(Folder):
        def names(self, folder: str) -> list[str]:
            raise OSError("timed out")

    trial = Trial(0, Design(), seed=0, parameters=1, flops=1, state="paused")
    state = weights.SearchState(trials={0: trial})
    keeper = weights.Keeper(Silent(str(tmp_path)), state)
    keeper.settle(trial)
    weights.sweep(Silent(str(tmp_path)), state)
    weights.keep_needed(Silent(str(tmp_path)), trial)
