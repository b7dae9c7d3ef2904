"""Checks at the same time, as many as a bound allows, each with its limit of time.

    outcomes = run_checks(checks, scene, at_once=8, tell=print)

Threads, since git, boto3 and Kubernetes' client all block. A check that does not come to its end in time has failed;
what it started is ended with the run, so that nothing of it stays behind.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from infra.errors import SlipwayError
from slipway.doctor.check import Check, Failed, Outcome, Skipped, State, Warned
from slipway.doctor.scene import Scene
from values.errors import ValuesError

#: How long a check that is ended may take to clear up.
_GRACE = 2.0
#: Seconds between two words of what still runs.
_BEAT = 1.0
_GOOD = ("ok", "warning")
_BECAUSE, _HOW = "because ", {"failed": "failed", "skipped": "was skipped"}


def run_checks(
    checks: Sequence[Check],
    scene: Scene,
    *,
    at_once: int = 8,
    tell: Callable[[Outcome], None] = lambda _: None,
    wait: Callable[[Sequence[str]], None] = lambda _: None,
) -> list[Outcome]:
    """Run checks and give what came of each, in their order.

    Args:
        checks: what to run, each after what it needs.
        scene: what they look at.
        at_once: how many at the same time.
        tell: told of each as soon as it is over.
        wait: told each second which ones still run.
    """
    run = _Run(scene, at_once, tell, wait)
    before = _children()
    try:
        run.all(checks)
    finally:
        _end(_children() - before, run.threads)
    return [run.outcomes[check.id] for check in checks]


class _Run:
    """One run: what waits, what runs until when, and what is over."""

    def __init__(
        self, scene: Scene, at_once: int, tell: Callable[[Outcome], None], wait: Callable[[Sequence[str]], None]
    ) -> None:
        self.scene, self.at_once, self.tell, self.wait = scene, at_once, tell, wait
        self.outcomes: dict[str, Outcome] = {}
        self.threads: list[threading.Thread] = []
        self._running: dict[str, tuple[Check, float]] = {}
        self._over: queue.SimpleQueue[Outcome] = queue.SimpleQueue()

    def all(self, checks: Sequence[Check]) -> None:
        chosen, waiting = {check.id for check in checks}, list(checks)
        while waiting or self._running:
            for check in list(waiting):
                needs = [other for other in check.needs if other in chosen]
                if not all(other in self.outcomes for other in needs):
                    continue
                if blocked := _blocked(check, needs, self.outcomes):
                    waiting.remove(check)
                    self._end(blocked)
                elif len(self._running) < self.at_once:
                    waiting.remove(check)
                    self._start(check)
            if self._running:
                self._wait()

    def _start(self, check: Check) -> None:
        self._running[check.id] = (check, time.monotonic() + check.seconds)
        thread = threading.Thread(target=lambda: self._over.put(_judged(check, self.scene)), daemon=True, name=check.id)
        self.threads.append(thread)
        thread.start()

    def _wait(self) -> None:
        """Wait for the next one that is over, or that has had its time."""
        check, until = min(self._running.values(), key=lambda one: one[1])
        left = until - time.monotonic()
        try:
            outcome = self._over.get(timeout=max(0.0, min(left, _BEAT)))
        except queue.Empty:
            self.wait(list(self._running))
            if left > _BEAT:
                return
            says = f"not over within {check.seconds:g} s"
            outcome = Outcome(check=check, state="failed", says=says, fix=check.fix, seconds=check.seconds)
        if self._running.pop(outcome.check.id, None):  # otherwise it had its time
            self._end(outcome)

    def _end(self, outcome: Outcome) -> None:
        self.outcomes[outcome.check.id] = outcome
        self.tell(outcome)


def _blocked(check: Check, needs: Sequence[str], outcomes: Mapping[str, Outcome]) -> Outcome | None:
    """Give the outcome of a check that needs one that failed or did not run."""
    for other in needs:
        found = outcomes[other]
        if found.state not in _GOOD:
            # What was itself in the way of the other one is what a person looks for.
            says = found.says if found.says.startswith(_BECAUSE) else f"{_BECAUSE}{other} {_HOW[found.state]}"
            return Outcome(check=check, state="skipped", says=says)
    return None


def _judged(check: Check, scene: Scene) -> Outcome:
    started = time.monotonic()
    state, says, fix = _result(check, scene)
    return Outcome(check=check, state=state, says=says, fix=fix, seconds=time.monotonic() - started)


def _result(check: Check, scene: Scene) -> tuple[State, str, str]:
    try:
        return "ok", check.do(scene), ""
    except Skipped as skipped:
        return "skipped", str(skipped), ""
    except Warned as found:
        return "failed" if isinstance(found, Failed) else "warning", found.says, found.fix or check.fix
    except SlipwayError as error:
        return "failed", *words(error, check.fix)
    except ValuesError as error:
        fixes = dict.fromkeys(one.suggestion for one in error.findings if one.suggestion)
        said = (str(replace(one, suggestion="")) for one in error.findings)
        return "failed", "\n".join(said), "\n".join([*fixes, check.fix])
    except Exception as error:  # noqa: BLE001  # one check's mistake must not take the others' answers away
        return "failed", f"the check itself went wrong: {type(error).__name__}: {error}", "report this as a bug"


def words(error: SlipwayError, fix: str = "") -> tuple[str, str]:
    """Give what an error says, and its next steps or else `fix`."""
    said = [f"{one.where}: {one.what}" if one.where else one.what for one in error.problems]
    detail = [line.strip() for line in error.detail.splitlines() if line.strip()][:3]
    fixes = dict.fromkeys(one.fix for one in error.problems if one.fix)
    return "\n".join([*said, *detail]), "\n".join(fixes) or fix


def _children() -> "set[int]":
    import psutil  # noqa: PLC0415

    return {one.pid for one in psutil.Process().children(recursive=True)}


def _end(pids: "set[int]", threads: Sequence[threading.Thread]) -> None:
    """End what checks that did not come to their end have started, and let them clear up."""
    living = [thread for thread in threads if thread.is_alive()]
    if not living:
        return
    import psutil  # noqa: PLC0415

    for pid in pids:
        with contextlib.suppress(psutil.Error):
            psutil.Process(pid).kill()
    until = time.monotonic() + _GRACE
    for thread in living:
        thread.join(max(0.0, until - time.monotonic()))
