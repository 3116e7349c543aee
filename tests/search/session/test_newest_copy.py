"""A run that goes from machine to machine: the newest copy goes on, and no epoch of any is lost."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from search.cli.options import SearchOptions
from search.record import ledger
from search.run import main
from search.session import newest_copy, resuming, run_storage
from search.session.newest_copy import compare
from search.storage import lease as leases
from search.storage.copier import Copier
from search.storage.lease import Lease
from search.storage.store import Folder
from tests.analysis.conftest import RunMaker
from tests.search.session.test_resuming import PLAIN, settings


class Machine:
    """One with a folder of runs of its own; all share a storage."""

    def __init__(self, root: Path, name: str) -> None:
        self.out, self.storage = root / name, root / "storage"
        self.run = self.out / "run"
        self.store = Folder(str(self.storage / "run"))

    def begin(self) -> None:
        self.session(None)

    def resume(self, trial: int, **how) -> None:
        """Goes on with the run, trains one trial of two epochs, and is killed before its end."""
        earlier = self.find(**how)
        self.session(earlier, trial)

    def find(self, name: str = "run", **how) -> resuming.Earlier:
        how = {"storage": str(self.storage)} | how
        return resuming.find(SearchOptions(out=self.out, resume=name, **how))

    def session(self, earlier: resuming.Earlier | None, trial: int = 0) -> None:
        with self.lease(earlier) as lease, Copier(self.run, self.store, print, lease=lease):
            self.train(trial, lease.generation)

    def lease(self, earlier: resuming.Earlier | None) -> Lease:
        return run_storage.take_lease(self.run, Folder(str(self.storage)), earlier, Console())

    def train(self, trial: int, generation: int) -> None:
        made = RunMaker(self.run)
        made.write("run", event="start", generation=generation)
        given = SearchOptions(**vars(PLAIN) | {"storage": str(self.storage)})
        made.record(state="running", settings=settings(given), dataset={"fingerprint": "f"})
        made.trial(trial, [0.5, 0.6], state="running")
        made.ledger.close()

    @property
    def trials(self) -> list[int]:
        return trials(self.run)


def trials(run: Path) -> list[int]:
    return [line["trial"] for line in ledger.read(run / "ledger") if line["kind"] == "epoch"][::2]


@pytest.fixture(autouse=True)
def soon(monkeypatch) -> None:
    """Nobody is waited for who looks every ten seconds only."""
    monkeypatch.setattr(leases, "SETTLE_SECONDS", 0.1)


@pytest.fixture
def machines(tmp_path: Path) -> tuple[Machine, Machine]:
    return Machine(tmp_path, "a"), Machine(tmp_path, "b")


def test_a_b_a_loses_no_epoch(machines, capsys) -> None:
    """The local copies are left in place, each older than the storage when its turn comes."""
    a, b = machines
    a.begin()
    (a.run / "report").mkdir()
    (a.run / "report/index.html").write_text("made later, here alone")
    b.resume(1)
    assert b.trials == [0, 1] and a.trials == [0]
    a.resume(2)
    assert a.trials == [0, 1, 2]
    assert trials(Path(a.store.path)) == [0, 1, 2]
    assert "brought up to date" in capsys.readouterr().out
    assert (a.run / "report/index.html").read_text() == "made later, here alone"
    b.resume(3)
    a.resume(4)
    assert a.trials == trials(Path(a.store.path)) == [0, 1, 2, 3, 4]
    generations = [e["generation"] for e in ledger.read(a.run / "ledger") if e["kind"] == "run"]
    assert generations == [1, 2, 3, 4, 5]
    assert [path.name for path in a.out.iterdir()] == ["run"]  # nothing was lost: nothing is kept


@pytest.mark.parametrize(
    ("how", "cwd"),
    [
        ({"storage": None}, "a"),  # as run.json has it
        ({"name": "PATH"}, "a"),
        ({"name": "a/run"}, "."),
        ({"name": "run/", "out": Path()}, "a"),
        ({"name": "."}, "a/run"),
        ({"name": "link"}, "a"),
    ],
)
def test_however_the_run_is_named(machines, how, cwd, tmp_path: Path, monkeypatch) -> None:
    a, b = machines
    a.begin()
    b.resume(1)
    (a.out / "link").symlink_to("run")
    monkeypatch.chdir(tmp_path / cwd)
    if how.get("name") == "PATH":
        how = {"name": str(a.run)}
    out = how.pop("out", a.out)
    given = SearchOptions(
        out=out, resume=how.get("name", "run"), storage=how.get("storage", str(a.storage))
    )
    earlier = resuming.find(given)
    assert a.trials == [0, 1] and len(earlier.known.trials) == 2
    assert earlier.folder.name == "run"
    assert earlier.folder.resolve() == a.run


def test_a_path_that_is_not_here_comes_from_the_storage(machines, monkeypatch) -> None:
    a, b = machines
    a.begin()
    monkeypatch.chdir(a.storage.parent)
    assert b.find(name="c/run").folder == Path("c/run")
    assert trials(Path("c/run")) == [0]


def test_a_local_copy_that_is_newer_goes_on(machines, capsys) -> None:
    """The last lines were not copied: here a crash took the machine before they could be."""
    a, _ = machines
    a.begin()
    RunMaker(a.run).trial(1, [0.7, 0.8])
    a.find()
    assert a.trials == [0, 1]
    a.resume(2)
    assert trials(Path(a.store.path)) == [0, 1, 2]
    assert "Notice" not in capsys.readouterr().out


def test_of_two_that_went_on_the_newer_generation_counts_and_the_other_is_kept(
    machines, capsys
) -> None:
    a, b = machines
    a.begin()
    RunMaker(a.run).trial(7, [0.7, 0.8] * 10)  # longer, but not copied before it was lost
    b.resume(1)
    a.resume(2)
    assert a.trials == [0, 1, 2]
    kept = a.out / "run.superseded-1"
    assert trials(kept)[:2] == [0, 7]
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "went on in two places" in said and str(kept) in said
    RunMaker(a.run).trial(8, [0.7])
    b.resume(3)
    a.resume(4)
    assert (a.out / "run.superseded-2").is_dir() and kept.is_dir()
    with pytest.raises(ValueError, match="is a copy of run run"):
        a.find(name="run.superseded-1", storage=None)


def test_an_older_generation_in_the_storage_is_kept_too(machines, capsys) -> None:
    a, b = machines
    a.begin()
    b.find()
    b.train(1, generation=2)  # went on here, and copied; then an old copy came back
    for number in (5, 6):
        RunMaker(a.run).trial(number, [0.7] * 20)
    with Copier(a.run, a.store, print):
        pass
    a.store.write("ledger/000007.jsonl", b"")
    b.resume(2)
    assert b.trials == [0, 1, 2] == trials(Path(b.store.path))
    assert "ledger/000007.jsonl" not in b.store.names("ledger")
    assert trials(b.out / "run.superseded-1")[0] == 0
    assert "kept as" in capsys.readouterr().out


def test_a_second_head_is_refused_and_touches_nothing(machines) -> None:
    a, b = machines
    a.begin()
    b.resume(1)
    with b.lease(b.find()):
        with pytest.raises(ValueError, match=r"is being trained by .* --take-over"):
            a.find()
        assert a.trials == [0]
        earlier = a.find(take_over=True)
        assert earlier.take_over and a.trials == [0, 1]
        with a.lease(earlier) as lease:
            assert lease.generation == 4


def test_only_a_run_that_goes_on_is_taken_over(capsys) -> None:
    assert main(["--dataset", "digits", "--take-over"]) == 2
    assert "--take-over needs --resume NAME" in capsys.readouterr().err


def test_what_went_on_between_the_look_and_the_lease_is_not_overwritten(machines) -> None:
    a, b = machines
    a.begin()
    earlier = a.find()
    b.resume(1)
    a.session(earlier, 2)
    assert a.trials == trials(Path(a.store.path)) == [0, 1, 2]


def test_a_lease_whose_run_cannot_be_brought_up_to_date_is_given_back(
    machines, monkeypatch
) -> None:
    a, b = machines
    a.begin()
    earlier = a.find()
    b.resume(1)
    with monkeypatch.context() as broken:
        broken.setattr(newest_copy, "fetched", _fails)
        with pytest.raises(ValueError, match="timed out"):
            a.lease(earlier)
    b.resume(2)


def test_another_run_of_that_name_is_left_alone(machines) -> None:
    a, b = machines
    a.begin()
    b.storage = b.storage.with_name("other")
    b.store = Folder(str(b.storage / "run"))
    b.begin()
    copy = a.storage.rename(a.storage.with_name("moved"))
    b.storage.rename(a.storage)
    with pytest.raises(ValueError, match="holds another run"):
        a.find()
    assert a.trials == [0] and copy.is_dir()


def test_a_run_without_a_storage_is_not_replaced_from_one(machines) -> None:
    a, b = machines
    a.begin()
    b.out.mkdir()
    made = RunMaker(b.run)
    made.write("run", event="start")
    made.record(settings=settings(PLAIN))
    with pytest.raises(ValueError, match="--storage belongs to the run"):
        b.find()
    assert trials(b.run) == []


def test_a_storage_that_cannot_be_read_is_not_overwritten(machines, monkeypatch, capsys) -> None:
    a, b = machines
    a.begin()
    b.resume(1)
    before = Path(a.store.path, "ledger/000000.jsonl").read_bytes()
    with monkeypatch.context() as broken:
        broken.setattr(Folder, "read", _fails)
        words = ["--resume", "run", "--out", str(a.out), "--storage", str(a.storage)]
        assert main(words) == 2
    assert "cannot be read" in capsys.readouterr().err
    Path(a.store.path, "ledger/000000.jsonl").write_bytes(b"{broken\n" + before)
    with pytest.raises(ValueError, match="line 1: not JSON"):
        a.find()
    assert a.trials == [0]


def _fails(store: Folder, name: object) -> bytes:
    raise OSError("timed out")


def test_a_fetch_that_breaks_off_leaves_the_older_copy(machines, monkeypatch) -> None:
    a, b = machines
    a.begin()
    b.resume(1)
    (b.run / "winner.json").write_text("{}")
    with Copier(b.run, b.store, print):
        pass
    read = Folder.read

    def flaky(store: Folder, name: str) -> bytes:
        if name == "winner.json":
            raise OSError("timed out")
        return read(store, name)

    with monkeypatch.context() as broken:
        broken.setattr(Folder, "read", flaky)
        with pytest.raises(ValueError, match="timed out"):
            a.find()
    assert a.trials == [0]
    assert [path.name for path in a.out.iterdir()] == ["run"]
    a.find()
    assert a.trials == [0, 1]


def test_a_copy_without_run_json_is_not_complete(machines) -> None:
    a, b = machines
    a.begin()
    a.store.delete("run.json")
    with pytest.raises(ValueError, match="no run run"):
        b.find()


def line(seq: int, **fields):
    return {"seq": seq, "kind": "run", "event": "start", **fields}


def test_ledgers_are_compared_by_what_they_share() -> None:
    first, second, other = line(0), line(1, generation=2), line(1, generation=3)
    assert not compare([first], [first]).is_newer_there
    assert compare([first], [first, second]).is_newer_there
    assert not compare([first, second], [first]).is_newer_there
    assert compare([], [first]).is_newer_there and not compare([first], []).is_newer_there
    found = compare([first, second, line(2)], [first, other, line(2), line(3)])
    assert (found.shared, found.here, found.there) == (1, 2, 3)
    assert found.forked and found.is_newer_there
    longer = [first, second] + [{"seq": n, "kind": "cost"} for n in range(2, 9)]
    assert compare(longer, [first, other]).is_newer_there
    assert not compare([first, other], longer).is_newer_there
    unequal = json.loads('{"seq": 1, "kind": "epoch", "val_loss": NaN}')
    same = json.loads('{"seq": 1, "kind": "epoch", "val_loss": NaN}')
    assert not compare([first, unequal], [first, same]).forked
