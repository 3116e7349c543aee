"""A background thread that repeats one task at a fixed interval and reports its failures."""

import contextlib
import threading
from collections.abc import Callable

from models.error_text import first_line


class Repeated:
    """Calls `do` every `every` seconds, in a daemon thread, from `start` to `stop`.

    A run of failures is reported once, until a call succeeds; no Exception ends the thread.
    """

    def __init__(
        self, do: Callable[[], None], every: float, say: Callable[[str], None], trouble: str
    ) -> None:
        """`say` gets the lines for the user; `trouble` is how they begin when `do` fails."""
        self._do, self._every, self._say, self._trouble = do, every, say, trouble
        self._left = threading.Event()
        self._failed = False
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, after the call in progress."""
        self._left.set()
        if self._thread.ident is not None:
            self._thread.join()

    def once(self) -> str:
        """Calls `do` now, in the caller's thread; the error in a line, empty on success."""
        try:
            self._do()
        except Exception as error:
            if not self._failed:
                self._tell(f"Notice: {self._trouble}, trying again ({first_line(error)})")
            self._failed = True
            return first_line(error)
        self._failed = False
        return ""

    def _work(self) -> None:
        try:
            while not self._left.wait(self._every):
                self.once()
        except BaseException as error:
            self._tell(f"Notice: {self._trouble}, and is not tried any more ({first_line(error)})")

    def _tell(self, line: str) -> None:
        with contextlib.suppress(Exception):  # the output may be closed
            self._say(line)
