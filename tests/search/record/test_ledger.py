import os
from pathlib import Path

import pytest

from search.record.ledger import Ledger, LedgerError, generation, read


def write(folder: Path, count: int, segment_lines: int = 10_000) -> None:
    ledger = Ledger(folder, segment_lines)
    for number in range(count):
        ledger.append(("cost", {"trial": number}))
    ledger.close()


def test_lines_come_back_in_order(tmp_path: Path) -> None:
    write(tmp_path, 5)
    lines = list(read(tmp_path))
    assert [line["seq"] for line in lines] == [0, 1, 2, 3, 4]
    assert [line["trial"] for line in lines] == [0, 1, 2, 3, 4]
    assert {line["kind"] for line in lines} == {"cost"}
    assert all(line["time"] > 1.6e9 for line in lines)


def test_several_lines_at_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, segment_lines=2)
    lines = ledger.append(*(("cost", {"trial": number}) for number in range(5)))
    assert lines == list(read(tmp_path))
    assert [line["seq"] for line in lines] == [0, 1, 2, 3, 4]
    assert len(list(tmp_path.iterdir())) == 3


def test_segments(tmp_path: Path) -> None:
    write(tmp_path, 7, segment_lines=3)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "000000.jsonl",
        "000001.jsonl",
        "000002.jsonl",
    ]
    assert [line["seq"] for line in read(tmp_path)] == list(range(7))


def test_torn_last_line_is_dropped_and_the_ledger_goes_on(tmp_path: Path) -> None:
    write(tmp_path, 3)
    segment = tmp_path / "000000.jsonl"
    segment.write_bytes(segment.read_bytes()[:-5])
    assert [line["seq"] for line in read(tmp_path)] == [0, 1]
    write(tmp_path, 2)
    assert [line["seq"] for line in read(tmp_path)] == [0, 1, 2, 3]


def test_each_line_is_on_disk_at_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.append(("run", {"event": "start"}))
    assert [line["event"] for line in read(tmp_path)] == ["start"]


def test_lines_written_together_wait_for_the_disk_once(tmp_path: Path, monkeypatch) -> None:
    waits: list[int] = []
    ledger = Ledger(tmp_path)
    monkeypatch.setattr(os, "fsync", waits.append)
    with ledger.together():
        for number in range(3):
            ledger.append(("cost", {"trial": number}))
            assert [line["trial"] for line in read(tmp_path)] == list(range(number + 1))
        assert not waits and ledger.waiting
    assert len(waits) == 1 and not ledger.waiting
    ledger.append(("cost", {"trial": 3}))
    assert len(waits) == 2
    with pytest.raises(KeyError), ledger.together():
        ledger.append(("cost", {"trial": 4}))
        raise KeyError
    assert len(waits) == 3  # what was written is there all the same


def test_a_new_segment_is_in_its_folder_when_its_first_line_is_on_disk(
    tmp_path: Path, monkeypatch
) -> None:
    """A machine that goes down may else lose the file, however well its lines were written."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(os.fstat(number).st_ino))
    folder = tmp_path / "ledger"
    ledger = Ledger(folder, segment_lines=2)
    ledger.append(*(("cost", {"trial": number}) for number in range(3)))
    expected = (tmp_path, folder, folder / "000000.jsonl", folder, folder / "000001.jsonl")
    assert synced == [path.stat().st_ino for path in expected]


def test_generations_are_counted_where_they_are_not_said() -> None:
    start = {"kind": "run", "event": "start"}
    assert generation([]) == 0
    assert generation([start, {"kind": "cost"}, start]) == 2
    assert generation([start, start | {"generation": 7}, start]) == 8


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda lines: [*lines[:1], b"{broken", *lines[2:]], "line 2: not JSON"),
        (lambda lines: [lines[0], *lines[2:]], "line 2: seq 1 expected"),
    ],
)
def test_damage_in_between_is_named(tmp_path: Path, damage, said: str) -> None:
    write(tmp_path, 4)
    segment = tmp_path / "000000.jsonl"
    segment.write_bytes(b"\n".join(damage(segment.read_bytes().split(b"\n"))))
    with pytest.raises(LedgerError, match=said):
        list(read(tmp_path))


def test_no_ledger_is_an_empty_one(tmp_path: Path) -> None:
    assert list(read(tmp_path / "nothing")) == []
