"""The first signal stops softly, the next one at once, and a closed terminal only ever softly."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from search.cli import interrupt
from search.cli.interrupt import Interrupt, ending_cleanly, handlers_kept

ALL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def handlers_as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in ALL}
    yield
    for number, handler in before.items():
        assert signal.getsignal(number) == handler
        signal.signal(number, handler)


@pytest.mark.parametrize("first", ALL)
def test_the_first_one_asks(first: signal.Signals) -> None:
    said: list[str] = []
    with Interrupt(said.append) as asked:
        assert not asked.asked
        signal.raise_signal(first)
        assert asked.asked
    assert len(said) == 1 and said[0].startswith("Stopping")


@pytest.mark.parametrize("first", ALL)
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_the_second_one_ends(first, second, monkeypatch) -> None:
    monkeypatch.setattr(interrupt, "SAME_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt), ending_cleanly(), Interrupt(lambda line: None):
        signal.raise_signal(first)
        signal.raise_signal(second)
        time.sleep(10)


@pytest.mark.parametrize("first", ALL)
def test_a_terminal_hangs_up_more_than_once(first: signal.Signals) -> None:
    said: list[str] = []
    with ending_cleanly(), Interrupt(said.append) as asked:
        for number in (first, signal.SIGHUP, signal.SIGHUP):
            signal.raise_signal(number)
    assert asked.asked and len(said) == 1


def test_a_request_to_end_that_comes_twice_at_once_is_one() -> None:
    with ending_cleanly(), Interrupt(lambda line: None) as asked:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
    assert asked.asked


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_outside_of_a_search_it_ends_through_the_clean_up(number: signal.Signals) -> None:
    cleaned = False
    with pytest.raises(KeyboardInterrupt), ending_cleanly():
        try:
            signal.raise_signal(number)
        finally:
            signal.raise_signal(number)  # again, which does not disturb
            cleaned = True
    assert cleaned


class _Deleted:
    """Does something as it is deleted: Python prints what a destructor raises, and goes on."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    def __del__(self) -> None:
        self._act()


@pytest.mark.parametrize("number", ALL)
def test_one_that_comes_while_something_is_deleted_is_not_lost(number, capfd) -> None:
    heard = False
    with pytest.raises(KeyboardInterrupt), ending_cleanly():
        _Deleted(lambda: signal.raise_signal(number))
        _Deleted(lambda: time.sleep(4 * interrupt.AGAIN_SECONDS))  # and lost once more
        heard = True
        time.sleep(10)
    assert heard and capfd.readouterr().err == ""


@pytest.mark.parametrize("number", ALL)
def test_one_that_is_lost_at_the_end_kills_nobody(number) -> None:
    with ending_cleanly():
        _Deleted(lambda: signal.raise_signal(number))
    time.sleep(4 * interrupt.AGAIN_SECONDS)


def test_under_nohup_a_hang_up_is_nothing() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ending_cleanly(), Interrupt(lambda line: None) as asked:
            signal.raise_signal(signal.SIGHUP)
            assert not asked.asked
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_is_started_outlives_the_terminal() -> None:
    """And a handler that is set meanwhile, as Ray's, goes again."""
    with handlers_kept():
        signal.signal(signal.SIGTERM, lambda *all: sys.exit(1))
        child = subprocess.Popen(["sleep", "60"])
    other = subprocess.Popen(["sleep", "60"])
    for process in (child, other):
        process.send_signal(signal.SIGHUP)
    assert other.wait(10) == -signal.SIGHUP
    time.sleep(0.2)
    assert child.poll() is None
    child.kill()
    child.wait()
