"""Follow the events that `pulumi --event-log` writes, and tell what an operation did from them.

log = EventLog(path)
log.read()                    # as often as one likes: each line is read once
log.progress()                # "112 done, 3 under way, longest database"
log.outcome("up", seconds)    # at the end
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COMMIT = "pulumi-python:dynamic/slipway:Commit"
#: What the engine and gRPC put before somebody's own words, which say it all.
_WRAPPINGS = ("an unhandled error occurred: ", "Exception calling application: ")
#: The engine's last words for any failure, with nothing in them.
_EMPTY_SUMMARIES = ("", "update failed", "preview failed")


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A resource, or the program itself (no URN), that failed, with the reason."""

    urn: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Operated:
    """One operation on one resource, as it was seen in the log.

    Attributes:
        urn, operation: create, update, delete …
        started, ended: `time.time()` when the log told it, a tenth of a second late at most.
        failed: it did.
    """

    urn: str
    operation: str
    started: float
    ended: float
    failed: bool


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one engine operation did.

    Attributes:
        operation: preview, up, refresh or destroy.
        seconds: wall clock.
        changes: operation on resources → how many, without those that stay the same.
        failures: empty when it succeeded.
        files: paths that differ in the commit; all of them where there was none.
        operated: every operation that took place, in the order of their ends.
    """

    operation: str
    seconds: float
    changes: Mapping[str, int]
    failures: Sequence[Failure]
    files: Sequence[str]
    operated: Sequence[Operated]


@dataclass
class EventLog:
    """One operation's events, taken in as they are written."""

    path: Path
    _offset: int = 0
    _done: int = 0
    _under_way: dict[str, float] = field(default_factory=dict)  # URN → begin, in their order
    _operated: list[Operated] = field(default_factory=list)
    _changes: dict[str, int] = field(default_factory=dict)
    _failures: dict[tuple[str, str], None] = field(default_factory=dict)
    _files: Sequence[str] = ()

    def read(self) -> None:
        """Take in what was written since the last time."""
        for event in self._new_events():
            if metadata := event.get("resourcePreEvent", {}).get("metadata"):
                self._under_way[metadata["urn"]] = time.time()
                self._files = _files(metadata) or self._files
            elif ended := event.get("resOutputsEvent") or event.get("resOpFailedEvent"):
                self._take_in_end(ended["metadata"], failed="resOpFailedEvent" in event)
            elif diagnostic := event.get("diagnosticEvent"):
                self._take_in_diagnostic(diagnostic)
            elif violation := event.get("policyEvent"):
                self._take_in_violation(violation)
            elif summary := event.get("summaryEvent"):
                self._changes = dict(summary.get("resourceChanges") or {})

    def progress(self) -> str:
        """Tell how far it is and what is waited for the longest; empty before the first resource."""
        if not self._under_way and not self._done:
            return ""
        longest = next(iter(self._under_way), "").rpartition("::")[2]
        return f"{self._done} done, {len(self._under_way)} under way" + (f", longest {longest}" if longest else "")

    def outcome(self, operation: str, seconds: float) -> Outcome:
        """Tell what the operation did."""
        return Outcome(
            operation=operation,
            seconds=seconds,
            changes={name: count for name, count in self._changes.items() if name != "same"},
            failures=[Failure(urn=urn, message=message) for urn, message in self._failures],
            files=self._files,
            operated=self._operated,
        )

    def _new_events(self) -> Iterator[dict[str, Any]]:
        """Give the events of whole lines; a half-written one is left for the next time."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                yield json.loads(line)

    def _take_in_end(self, metadata: Mapping[str, Any], *, failed: bool) -> None:
        self._done += 1
        now = time.time()
        started = self._under_way.pop(metadata["urn"], now)
        if metadata["op"] != "same":
            self._operated.append(
                Operated(urn=metadata["urn"], operation=metadata["op"], started=started, ended=now, failed=failed)
            )

    def _take_in_diagnostic(self, diagnostic: Mapping[str, Any]) -> None:
        """Keep an error with its resource; the program's own is told twice by the engine, and kept once."""
        if diagnostic["severity"] != "error":
            return
        urn, message = diagnostic.get("urn", ""), diagnostic["message"].strip()
        for wrapping in _WRAPPINGS:
            message = message.removeprefix(wrapping)
        if "pulumi:pulumi:Stack" in urn:
            urn = ""
        if urn or message not in _EMPTY_SUMMARIES:
            self._failures[urn, message] = None

    def _take_in_violation(self, violation: Mapping[str, Any]) -> None:
        """Keep a violation that stops the engine as a failure of its resource; advice stops nothing."""
        if violation["enforcementLevel"] == "mandatory":
            reason, _, fix = violation["message"].strip().partition("\n")
            message = f"violates {violation['policyName']} of {violation['policyPackName']}: {reason}\n    {fix}"
            self._failures[violation.get("resourceUrn", ""), message] = None


def _files(metadata: Mapping[str, Any]) -> list[str]:
    """Give the paths that differ by this operation on the commit; a destroy leaves them unless it withdraws them."""
    if not metadata["urn"].split("::")[2].endswith(COMMIT):
        return []
    before, after = (((metadata.get(state) or {}).get("inputs") or {}) for state in ("old", "new"))
    if metadata["op"] == "delete" and not before.get("withdraw_on_destroy"):
        return []
    old, new = before.get("files") or {}, after.get("files") or {}
    return sorted(path for path in {*old, *new} if old.get(path) != new.get(path))
