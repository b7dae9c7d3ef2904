"""A time that ends what runs, as Ctrl-C does.

with Deadline(seconds) as deadline:
    …
deadline.is_over
"""

import signal
import threading
from types import TracebackType


class Deadline:
    """Interrupts the main thread when the time is up; use it as a context manager, in the main thread."""

    def __init__(self, seconds: float | None) -> None:
        """Set it.

        Args:
            seconds: from the beginning of the block; None for no end, what is not above zero interrupts at once.
        """
        self.is_over = False
        self._seconds = seconds
        self._lock = threading.Lock()
        self._runs = False
        self._timer: threading.Timer | None = None

    def __enter__(self) -> "Deadline":
        """Begin.

        Raises:
            KeyboardInterrupt: the time is over already.
        """
        if self._seconds is None:
            return self
        if self._seconds <= 0:
            self.is_over = True
            raise KeyboardInterrupt
        self._runs = True
        self._timer = threading.Timer(min(self._seconds, threading.TIMEOUT_MAX), self._interrupt)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Interrupt nobody from here on."""
        with self._lock:
            self._runs = False
        if self._timer:
            self._timer.cancel()

    def _interrupt(self) -> None:
        with self._lock:
            if not self._runs:
                return
            self.is_over = True
            # To the thread itself: another one that takes the signal would not wake it.
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
