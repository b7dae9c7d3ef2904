"""Watch a delivery from the side while the engine still works, so that the report can tell what happened when."""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from infra.delivery.status.chain import Chain
from infra.errors import SlipwayError

_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Stay:
    """How long a link was on its way.

    Attributes:
        name: of the link.
        started, ended: `time.time()`.
        outcome: done, failed or moving (still).
        says: its last words.
    """

    name: str
    started: float
    ended: float
    outcome: str
    says: str


@dataclass
class Watch:
    """Looks at the chain several times a second until the block ends.

    with Watch(look) as watch: …
    watch.stays
    """

    look: Callable[[], Chain]
    last: Chain | None = None
    _open: dict[str, Stay] = field(default_factory=dict)
    _closed: list[Stay] = field(default_factory=list)
    _end: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> "Watch":
        """Begin to look."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop looking."""
        self.stop()

    def stop(self) -> None:
        """Stop looking: what was seen is what there is to tell."""
        self._end.set()
        self._thread.join()

    @property
    def stays(self) -> list[Stay]:
        """Everything seen so far, in the order of the ends."""
        with self._lock:
            return [*self._closed, *self._open.values()]

    def take_in(self, chain: Chain) -> None:
        """Take a look into account; before there is a commit nothing is on its way."""
        if not chain.commit:
            return
        now = time.time()
        with self._lock:
            self.last = chain
            for link in chain.links:
                if link.state == "waiting":
                    continue
                begun = self._open.pop(link.name, None)
                if link.state == "done" and begun is None:
                    continue  # it was done before anybody looked, or is done still
                stay = Stay(
                    name=link.name,
                    started=begun.started if begun else now,
                    ended=now,
                    outcome=link.state,
                    says=link.says,
                )
                if link.state == "done":
                    self._closed.append(stay)
                else:
                    self._open[link.name] = stay

    def _run(self) -> None:
        while not self._end.wait(_PAUSE_SECONDS):
            with contextlib.suppress(SlipwayError):  # it is being started, or stopped; `follow` tells what is wrong
                self.take_in(self.look())
