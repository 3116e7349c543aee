"""--cluster-down: the cluster goes when all of the run was read back from its storage, else never.

The cluster is a fake, and so is the search: it leaves a run's folder and its copy, as a real one.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from search.cluster import ray_up
from search.run import main
from search.session import run_session, run_storage
from search.storage import lease as leases
from search.storage.copier import Copier
from search.storage.lease import Lease
from search.storage.store import Folder, below
from tests.analysis.conftest import RunMaker


class Cluster:
    """How often it was taken down, and a search on it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.down = 0
        self.run, self.storage = root / "runs/run", Folder(str(root / "storage"))
        self.store = below(self.storage, "run")
        self.fails: BaseException | None = None
        self.state = "finished"
        self.during: Callable[[], None] = lambda: None
        """Happens in the search's last moment, when the last copy is made."""
        monkeypatch.setattr(ray_up, "take_down", self._take_down)
        monkeypatch.setattr(run_session, "run", self._search)
        monkeypatch.setattr(run_storage, "LAST_SECONDS", 0.01)
        monkeypatch.setattr(leases, "SETTLE_SECONDS", 0.1)

    def _take_down(self) -> None:
        self.down += 1

    def _search(self, options, console, named, last_copy) -> tuple[Path, bool]:
        made = RunMaker(self.run)
        made.record(state="running")
        lease = Lease(self.store, "run", 0, console.print)
        last_copy.folder, last_copy.storage, last_copy.lease = self.run, self.storage, lease
        with lease, Copier(self.run, self.store, console.print, every=0.05, lease=lease):
            made.write("run", event="start", generation=lease.generation)
            made.trial(0, [0.5, 0.6])
            made.record(state=self.state)
            (self.run / "winner").mkdir()
            (self.run / "winner/weights.pt").write_bytes(b"all that was searched for")
            self.during()
            if self.fails:
                raise self.fails
        return self.run, True

    def command(self) -> int:
        words = ["--dataset", "digits", "--cluster-down", "--storage", str(self.storage)]
        return main(words)


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch) -> Cluster:
    return Cluster(tmp_path, monkeypatch)


@pytest.fixture
def broken(monkeypatch) -> Callable[[str], None]:
    """The storage cannot write files of this name any more."""
    write = Folder.write

    def begin(part: str) -> None:
        def fails(store: Folder, name: str, content: bytes) -> None:
            if part in name:
                raise OSError(28, "No space left on device")
            write(store, name, content)

        monkeypatch.setattr(Folder, "write", fails)

    return begin


def test_a_cluster_whose_run_is_in_its_storage_goes(cluster: Cluster, capsys) -> None:
    assert cluster.command() == 0
    assert cluster.down == 1
    assert cluster.store.read("winner/weights.pt") == b"all that was searched for"
    said = capsys.readouterr()
    assert "is being taken down" in said.out and not said.err


def check_stays(cluster: Cluster, capsys, why: str) -> None:
    assert cluster.down == 0
    said = capsys.readouterr().err
    assert said.startswith("error: the cluster stays: ") and said.count("\n") == 1
    assert why in said


@pytest.mark.parametrize("part", ["winner/", "ledger/", "run.json", ""])
def test_a_last_copy_that_fails_leaves_the_cluster(cluster, broken, capsys, part: str) -> None:
    cluster.during = lambda: broken(part)
    assert cluster.command() == 1
    check_stays(cluster, capsys, "No space left on device")
    assert (cluster.run / "winner/weights.pt").exists()


def test_a_copy_that_comes_back_otherwise_leaves_the_cluster(cluster, monkeypatch, capsys) -> None:
    """What a storage took without a word, and did not keep."""
    read = Folder.read

    def cut(store: Folder, name: str) -> bytes:
        return read(store, name)[: -3 if name == "winner/weights.pt" else None]

    monkeypatch.setattr(Folder, "read", cut)
    assert cluster.command() == 1
    check_stays(cluster, capsys, "winner/weights.pt is another one there")


def test_a_storage_that_does_not_answer_leaves_the_cluster(cluster, monkeypatch, capsys) -> None:
    def silent(store: Folder, folder: str) -> list[str]:
        raise TimeoutError("timed out")

    monkeypatch.setattr(Folder, "names", silent)
    assert cluster.command() == 1
    check_stays(cluster, capsys, "timed out")


def test_what_was_written_after_the_last_copy_is_copied_before_the_cluster_goes(
    cluster, monkeypatch
) -> None:
    end = Copier.__exit__

    def last(copier: Copier, *raised: object) -> None:
        end(copier, *raised)
        (cluster.run / "report").mkdir()
        (cluster.run / "report/index.html").write_text("made at the very end")

    monkeypatch.setattr(Copier, "__exit__", last)
    assert cluster.command() == 0 and cluster.down == 1
    assert cluster.store.read("report/index.html") == b"made at the very end"


def test_a_crash_leaves_a_cluster_whose_run_is_not_in_its_storage(cluster, broken, capsys) -> None:
    cluster.fails = RuntimeError("nobody thought of it")
    cluster.during = lambda: broken("ledger/")
    with pytest.raises(RuntimeError):
        cluster.command()
    check_stays(cluster, capsys, "No space left on device")


def test_a_crash_before_it_is_known_where_the_run_is_leaves_the_cluster(
    cluster, monkeypatch, capsys
) -> None:
    def crash(*given: object) -> None:
        raise RuntimeError("nobody thought of it")

    monkeypatch.setattr(run_session, "run", crash)
    with pytest.raises(RuntimeError):
        cluster.command()
    check_stays(cluster, capsys, "not known")


def test_a_crash_with_all_in_the_storage_takes_the_cluster_down(cluster: Cluster) -> None:
    cluster.fails = RuntimeError("nobody thought of it")
    with pytest.raises(RuntimeError):
        cluster.command()
    assert cluster.down == 1


def test_a_run_that_was_taken_over_leaves_the_cluster_and_the_storage(cluster, capsys) -> None:
    def taken() -> None:
        Lease(cluster.store, "run", 0, print, take_over=True)
        cluster.store.write("winner/weights.pt", b"of the other")

    cluster.during = taken
    assert cluster.command() == 1
    check_stays(cluster, capsys, "taken over by")
    assert cluster.store.read("winner/weights.pt") == b"of the other"


def test_an_interrupted_run_and_one_without_the_option_take_nothing_down(cluster, capsys) -> None:
    cluster.state = "interrupted"
    assert cluster.command() == 0 and cluster.down == 0
    assert "The cluster stays: the run was cut" in capsys.readouterr().out
    cluster.state = "finished"
    shutil.rmtree(cluster.run)
    cluster.store.delete_folder("")
    assert main(["--dataset", "digits", "--storage", str(cluster.storage)]) == 0
    assert cluster.down == 0


def test_ray_down_that_cannot_be_started_is_told(cluster, monkeypatch, capsys) -> None:
    def fails() -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(ray_up, "take_down", fails)
    assert cluster.command() == 1
    check_stays(cluster, capsys, "Permission denied")


def test_a_run_whose_folder_is_its_own_place_in_the_storage_is_there(cluster, tmp_path) -> None:
    assert run_storage.LastCopy(tmp_path / "run", None).missing() == ""
