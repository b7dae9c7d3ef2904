"""Live progress on stderr: one line that moves on a terminal, one line for each step elsewhere."""

import sys
import time
from types import TracebackType

from slipway.cli import console

#: Without a terminal, a step says again that it lives after so many seconds.
_SILENCE_SECONDS = 10.0


class Live:
    """A watcher of steps (`slipway.steps.Watcher`); use it as a context manager."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._told = time.monotonic()
        self._status = None
        self._step = ""

    def __enter__(self) -> "Live":
        """Begin to draw, on a terminal."""
        if self._terminal:
            from rich.console import Console

            self._status = Console(stderr=True, no_color=not console.coloured(sys.stderr)).status("…")
            self._status.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        if self._status:
            self._status.stop()

    def begin(self, name: str) -> None:
        """Show that a step begins."""
        self._step, self._told = name, time.monotonic()
        if self._status:
            self._status.update(name)

    def tell(self, text: str) -> None:
        """Show what the step says; without a terminal seldom, unless it is more than a count."""
        if self._status:
            self._status.update(f"{self._step}: {text.splitlines()[0]}")
        elif time.monotonic() - self._told > _SILENCE_SECONDS:
            self._told = time.monotonic()
            console.note(f"{self._step}: {text.splitlines()[0]}")

    def note(self, text: str) -> None:
        """Show something to be read."""
        if self._status:
            self._status.console.print(text, markup=False, highlight=False)
        else:
            console.note(text)

    def end(self, name: str, seconds: float) -> None:
        """Show that a step is done."""
        if self._status:
            self._status.console.print(f"[green]✓[/green] {name}  [dim]{seconds:.1f} s[/dim]")
        else:
            console.note(f"{name}: done in {seconds:.1f} s")
