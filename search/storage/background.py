"""A thread that does something again and again, and says so when it cannot."""

import contextlib
import threading
from collections.abc import Callable

from models.error_text import first_line


class Repeated:
    """Calls `do` every so many seconds from `start` to `stop`. What goes wrong is told once, until
    it goes well again; the thread goes on whatever it was."""

    def __init__(
        self, do: Callable[[], None], every: float, say: Callable[[str], None], trouble: str
    ) -> None:
        """`trouble` says what is wrong when `do` fails."""
        self._do, self._every, self._say, self._trouble = do, every, say, trouble
        self._left = threading.Event()
        self._failed = False
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends, after what is being done."""
        self._left.set()
        if self._thread.ident is not None:
            self._thread.join()

    def once(self) -> str:
        """Does it now; why it failed, else nothing."""
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
        with contextlib.suppress(Exception):  # nobody reads it any more
            self._say(line)
