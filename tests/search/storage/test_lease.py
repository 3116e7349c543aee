"""Who may train a run: one process at a time, and the one before sees that it is taken over."""

import dataclasses
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib import request

import pytest

from search.storage import lease as leases
from search.storage.copier import Copier
from search.storage.lease import FILE, Holder, Lease, TakenOver, await_free, check_free, read
from search.storage.store import Folder, open_store
from tests.search.processes import wait_for


@pytest.fixture(autouse=True)
def soon(monkeypatch) -> None:
    """Nobody is waited for who looks every ten seconds only."""
    monkeypatch.setattr(leases, "SETTLE_SECONDS", 0.4)


@pytest.fixture
def store(tmp_path: Path) -> Folder:
    return Folder(str(tmp_path / "store"))


def take(store: Folder, known: int = 0, said: list[str] | None = None, **how) -> Lease:
    say = (lambda line: None) if said is None else said.append
    return Lease(store, "run", known, say, **how)


def change(store: Folder, **fields) -> None:
    """What lease.json would say of another owner."""
    found = read(store)
    assert found is not None
    content = dataclasses.asdict(dataclasses.replace(found, **fields))
    store.write(FILE, json.dumps(content).encode())


def test_a_run_is_held_by_one_and_others_are_told_by_whom_and_what_to_do(store) -> None:
    with take(store) as held:
        assert held.generation == 1
        with pytest.raises(ValueError) as refused:
            take(store)
        said = str(refused.value)
        assert "\n" not in said and "run run is being trained by" in said
        for part in ("process", " since 20", "UTC", "last heard of 0 s ago", "--take-over", "45 s"):
            assert part in said
    with take(store) as again:  # it was given back
        assert again.generation == 2


def test_the_generation_is_above_those_of_the_ledger_and_of_all_before(store) -> None:
    take(store, known=5).release()
    assert read(store).generation == 6
    assert take(store, known=2).generation == 7


def test_a_word_from_the_owner_keeps_it_and_silence_frees_it(store) -> None:
    with take(store, every=0.05):
        change(store, machine="another machine", host="other", beat=time.time() - 1000)
        time.sleep(0.3)  # says again that it is there
        with pytest.raises(ValueError, match="being trained"):
            take(store)
    change(store, machine="another machine", released=False, beat=time.time() - 30)
    with pytest.raises(ValueError, match=r"last heard of 3. s ago"):
        check_free(store, "run")
    change(store, beat=time.time() - 46)
    check_free(store, "run")


def test_a_head_that_was_lost_is_waited_for_until_it_counts_as_gone(store, monkeypatch) -> None:
    """Of another machine nobody can see whether it still lives, but by its word."""
    monkeypatch.setattr("search.storage.lease.SECONDS", 1.5)
    monkeypatch.setattr("search.storage.lease.LOOK_SECONDS", 0.05)
    take(store)
    change(store, machine="another machine", host="lost", beat=time.time())
    said: list[str] = []
    await_free(store, "run", said.append)
    assert len(said) == 1 and "lost" in said[0] and "waiting" in said[0]
    assert not read(store).holds()
    change(store, beat=time.time())  # it is at work after all
    word = threading.Timer(0.4, lambda: change(store, beat=time.time()))
    word.start()
    with pytest.raises(ValueError, match="being trained by lost"):
        await_free(store, "run", said.append)
    word.join()


def test_a_killed_process_of_this_machine_holds_nothing(store, tmp_path: Path) -> None:
    code = (
        "import sys, time; from search.storage.lease import Lease\n"
        "from search.storage.store import Folder\n"
        "Lease(Folder(sys.argv[1]), 'run', 0, print).__enter__(); print('held', flush=True)\n"
        "time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None and owner.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match=f"process {owner.pid}"):
            take(store)
        owner.kill()
    held = take(store)
    assert held.generation == 2
    change(store, machine="another machine", pid=owner.pid)  # whose processes cannot be seen
    with pytest.raises(ValueError, match="being trained"):
        check_free(store, "run")


def test_a_number_that_another_process_has_now_is_no_owner(store) -> None:
    take(store)
    change(store, beat=time.time() - 20, since=0.0, pid=1)
    assert read(store).holds()
    child = subprocess.Popen(["sleep", "30"])
    try:
        change(store, beat=time.time() - 20, pid=child.pid)  # it began later than the last word
        assert not read(store).holds()
    finally:
        child.kill()
        child.wait()


def test_who_is_taken_over_sees_it_says_it_once_and_writes_no_more(store, tmp_path: Path) -> None:
    said: list[str] = []
    run = tmp_path / "run"
    (run / "ledger").mkdir(parents=True)
    (run / "ledger/000000.jsonl").write_text("first")
    with (
        take(store, said=said, every=0.05) as first,
        Copier(run, store, said.append, every=0.05, lease=first) as copier,
    ):
        assert store.read("ledger/000000.jsonl") == b"first"
        with take(store, take_over=True) as second:
            assert second.generation == first.generation + 1
            store.write("ledger/000000.jsonl", b"second")
            store.write("checkpoints/0/epoch-0001.pt", b"needed")
            (run / "ledger/000000.jsonl").write_text("first, and more")
            copier.checkpoints.delete("checkpoints/0/epoch-0001.pt")
            wait_for(lambda: bool(first.lost), 5)
            with pytest.raises(TakenOver):
                copier.copy()
            second.check()
    assert store.read("ledger/000000.jsonl") == b"second"
    assert store.names("checkpoints")
    assert len(said) == 1 and said[0].startswith("Stopping: run run was taken over by ")
    assert read(store).generation == second.generation


def test_a_copy_looks_itself_before_it_writes(store, tmp_path: Path) -> None:
    """A lease that could not be renewed for long may be another's meanwhile."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.json").write_text("{}")
    first = take(store, every=1000)
    take(store, take_over=True)
    with pytest.raises(TakenOver):
        Copier(tmp_path / "run", store, print, lease=first).copy()
    assert store.names("") == [FILE]


def test_a_storage_that_is_not_mounted_any_more_is_not_written(store, tmp_path: Path) -> None:
    """In its place is an empty folder of this machine, which would take all that is written."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.json").write_text("{}")
    place, said = Path(store.path), []
    with take(store, every=0.02, said=said) as held:
        place.rename(tmp_path / "unmounted")
        place.mkdir()
        with Copier(tmp_path / "run", store, said.append, every=0.02, lease=held):
            wait_for(lambda: len(said) > 1, 5)
            assert store.names("") == []
            place.rmdir()
            (tmp_path / "unmounted").rename(place)
    assert all("not there any more: look whether it is mounted" in line for line in said)
    assert store.read("run.json") == b"{}"


def test_a_lease_that_was_deleted_by_hand_is_written_again(store) -> None:
    store.write("ledger/000000.jsonl", b"")
    with take(store, every=0.02):
        store.delete(FILE)
        wait_for(lambda: read(store) is not None, 5)


def test_of_two_that_took_it_at_once_one_has_it(store) -> None:
    first, second = take(store), take(store, take_over=True)
    change(store, generation=first.generation)  # neither saw the other
    second._own = dataclasses.replace(second._own, generation=first.generation)
    ahead, behind = sorted((first, second), key=lambda lease: lease._own.owner)[::-1]
    for _ in range(2):  # whoever looks and writes in which order
        ahead._beat()
        behind._beat()
    assert behind.lost and not ahead.lost
    assert read(store).owner == ahead._own.owner


def test_a_lease_that_cannot_be_renewed_is_told_and_tried_again(store, monkeypatch) -> None:
    said: list[str] = []
    with take(store, said=said, every=0.02):
        with monkeypatch.context() as broken:
            broken.setattr(Folder, "write", _fails)
            time.sleep(0.2)
        time.sleep(0.2)
        assert len(said) == 1 and "cannot be renewed" in said[0] and "trying again" in said[0]
        found = read(store)
        assert found is not None and time.time() - found.beat < 0.2


def _fails(store: Folder, name: str, content: bytes) -> None:
    raise OSError("no space left")


def test_what_is_no_lease_holds_nothing(store) -> None:
    for content in (b"", b"{", b"[]", b'{"owner": "x"}'):
        store.write(FILE, content)
        check_free(store, "run")
    assert isinstance(take(store)._own, Holder)


def test_a_process_in_another_container_is_not_taken_for_gone(store, monkeypatch) -> None:
    take(store)
    monkeypatch.setattr(leases, "_machine", lambda: "another container")
    monkeypatch.setattr(leases, "_runs", lambda pid, since: False)
    with pytest.raises(ValueError, match="being trained"):
        check_free(store, "run")


def test_who_takes_over_waits_until_the_other_has_stopped(store, tmp_path: Path) -> None:
    """What the first one was writing just then is in the storage before the second goes on."""
    (tmp_path / "run").mkdir()
    for number in range(30):
        (tmp_path / f"run/{number}").write_text("by the first")

    class Slow(Folder):
        def write(self, name: str, content: bytes) -> None:
            time.sleep(0.03)
            super().write(name, content)

    said: list[str] = []
    with take(store, every=0.02) as first:
        copier = Copier(tmp_path / "run", Slow(store.path), print, every=60, lease=first)
        copying = threading.Thread(target=copier.__enter__)
        copying.start()
        wait_for(lambda: len(store.names("")) > 5, 5)
        take(store, take_over=True, said=said)
        before = len(store.names(""))
        copying.join()
        assert len(store.names("")) == before < 30
    assert len(said) == 1 and said[0].startswith("Taking run run over from ")


def test_a_lease_lies_in_a_bucket_as_well(monkeypatch) -> None:
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", port=0)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    server.start()
    try:
        place = f"127.0.0.1:{server.get_host_and_port()[1]}"
        request.urlopen(request.Request(f"http://{place}/bucket", method="PUT")).close()
        bucket = open_store(f"s3://bucket/runs?endpoint_override={place}&scheme=http&region=eu")
        assert read(bucket) is None
        with Lease(bucket, "run", 3, print) as held:
            with pytest.raises(ValueError, match="being trained"):
                check_free(bucket, "run")
            held.check()
        found = read(bucket)
        assert found is not None and found.released and found.generation == 4
    finally:
        server.stop()
