"""How long the real Harbor takes, as data, and a queue that takes as long.

Each entry: seconds that one request alone takes, and seconds that it keeps the whole server busy (one over the
requests a second that were measured). Measured on one core of Harbor 2.15.2 on two shared cores.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    alone: float
    busy: float


#: By operation; `read` and `write` stand for all others.
REAL: Mapping[str, Cost] = {
    "read": Cost(0.004, 1 / 1350),
    "write": Cost(0.005, 1 / 300),
    "list_projects": Cost(0.058, 0.052),
    "create_project": Cost(0.0057, 1 / 221),
    "update_project": Cost(0.005, 1 / 259),
    "delete_project": Cost(0.006, 1 / 191),
    "create_robot": Cost(0.005, 1 / 272),
    "refresh_secret": Cost(0.0045, 1 / 299),
    "create_member": Cost(0.005, 1 / 265),
    "create_webhook": Cost(0.005, 1 / 331),
    "create_immutable": Cost(0.005, 1 / 327),
    "create_label": Cost(0.005, 1 / 328),
    "update_quota": Cost(0.005, 1 / 277),
    "create_retention": Cost(0.005, 1 / 240),
    "robot_by_password": Cost(0.005, 1 / 490),
    "user_by_password": Cost(0.118, 1 / 16),
}
#: A quota in a page makes Harbor wait, idle, this long.
PER_QUOTA = 0.017
#: A project in a page of them, against a page of a hundred.
PER_PAGE = 100


class Queue:
    """The server's own time: a request waits for those before it, then takes its own."""

    def __init__(self) -> None:
        self.costs: Mapping[str, Cost] = {}
        self._free_at = 0.0

    def delay(self, name: str, *, writes: bool, rows: int = 0, by: str = "") -> float:
        """Give the seconds that a request has to wait from now, and book its share of the server."""
        if not self.costs:
            return 0.0
        cost = self.costs.get(name) or self.costs["write" if writes else "read"]
        share = min(max(rows, 1) / PER_PAGE, 1.0) if name == "list_projects" else 1.0
        alone, busy = max(cost.alone * share, 0.002), max(cost.busy * share, 0.0007)
        if name == "list_quotas":
            alone += PER_QUOTA * rows
        if login := self.costs.get(by):  # measured with a small read in it
            read = self.costs["read"]
            alone, busy = alone + login.alone - read.alone, busy + login.busy - read.busy
        now = time.monotonic()
        self._free_at = max(now, self._free_at) + busy
        return max(self._free_at, now + alone) - now
