"""Faults to inject, one after the other, and the switches that change how the whole server behaves.

faults.add({"kind": "status", "status": 503, "operation": "create_robot", "times": 2, "retry_after": 1})
"""

import random
import re
from dataclasses import dataclass, field, fields


@dataclass
class Fault:
    """One fault and the requests that it hits.

    Attributes:
        kind: slow (then answered), late (done at once, answered after `seconds`), status, reset (connection cut before anything is done), lost (done, then cut),
            truncated (done, half of the answer), exit (the process ends, as by kill -9).
        operation, method, path: what it hits; empty hits all. `path` is searched as a regular expression.
        times: how many requests it hits; -1 for all.
        after: how many matching requests pass first.
        share: of the matching requests, the part that is hit.
        code, message: of the error in the answer; without them Harbor's usual ones.
    """

    kind: str
    operation: str = ""
    method: str = ""
    path: str = ""
    times: int = 1
    after: int = 0
    share: float = 1.0
    seconds: float = 0.0
    status: int = 500
    code: str = ""
    message: str = ""
    retry_after: float | None = None
    hits: int = 0

    def matches(self, operation: str, method: str, path: str) -> bool:
        return (
            self.times != 0
            and self.operation in {"", operation}
            and self.method in {"", method}
            and re.search(self.path, path) is not None
        )


CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    412: "PRECONDITION",
    422: "UNPROCESSABLE_ENTITY",
    429: "TOO_MANY_REQUEST",
    500: "UNKNOWN",
}


class Faults:
    """The faults that are armed."""

    def __init__(self) -> None:
        self.armed: list[Fault] = []
        self._random = random.Random(0)

    def clear(self) -> None:
        self.armed = []

    def add(self, data: dict) -> None:
        if "seed" in data:
            self._random.seed(data["seed"])
        known = {each.name for each in fields(Fault)}
        self.armed.append(Fault(**{key: value for key, value in data.items() if key in known}))

    def next(self, operation: str, method: str, path: str) -> Fault | None:
        """Give the fault that this request meets, and count it."""
        for fault in self.armed:
            if not fault.matches(operation, method, path):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            if fault.share < 1 and self._random.random() >= fault.share:
                continue
            fault.times -= fault.times > 0
            fault.hits += 1
            return fault
        return None


COMPONENTS = ("core", "database", "jobservice", "portal", "redis", "registry", "registryctl", "trivy")


@dataclass
class Switches:
    """How the server behaves until told otherwise.

    Attributes:
        unhealthy: component → its error in the health check.
        locked: users whose right password counts for nothing.
        lock_seconds: how long a wrong password takes, and locks the user (a real Harbor: 1.6).
        version: what systeminfo tells.
        overwritten: as with CONFIG_OVERWRITE_JSON: nobody may change the configuration.
        external_url: what the token realm's scheme comes from; empty for the server's own.
        scan_seconds, scan_fails, scan_log_missing, severity: of every scan.
        jobs_paused, heartbeat_age: of the job service.
        blob_redirect: blobs come from another address, as with a store that redirects.
        webhooks_lost: events are not delivered.
        copy_seconds: that a replication waits before each reference.
        stand_in: address of a registry → the one on this machine that is asked in its place.
        record: keep every exchange for the tests to check.
    """

    unhealthy: dict[str, str] = field(default_factory=dict)
    locked: list[str] = field(default_factory=list)
    lock_seconds: float = 0.0
    version: str = "v2.15.2-080b0220"
    overwritten: bool = False
    external_url: str = ""
    scan_seconds: float = 0.0
    scan_fails: bool = False
    scan_log_missing: bool = False
    severity: str = "None"
    blob_redirect: bool = False
    jobs_paused: list[str] = field(default_factory=list)
    heartbeat_age: float = 0.0
    webhooks_lost: bool = False
    copy_seconds: float = 0.0
    stand_in: dict[str, str] = field(default_factory=dict)
    record: bool = False

    def set(self, values: dict) -> None:
        for name, value in values.items():
            if not hasattr(self, name):
                raise KeyError(name)
            setattr(self, name, value)
