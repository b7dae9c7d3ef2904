"""A proof from its first step to its last: whatever happens on the way, the end is played and the report written.

proof = Proof(stage=stage, record=record, watcher=watcher)
proof.run(seconds=None)             # record.status, record.steps, record.remains
"""

import contextlib
import signal
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from infra.errors import Problem, ProofError, SlipwayError
from slipway.prove.commands import Abandoned, Answer, play
from slipway.prove.deadline import Deadline
from slipway.prove.part import Part, Stage
from slipway.prove.record import Played, Record, Result, now
from slipway.steps import Step, Watcher, run_steps
from values.errors import ValuesError

_LONGEST_LINE = 400


@dataclass(kw_only=True)
class Proof:
    """One run of a proof.

    Attributes:
        stage: where it is played.
        record: what was done, and is done.
        watcher: shown what runs.
        accounts: leave ids of AWS accounts in what is written.
        written: told after each step, so that a report is there whatever comes.
    """

    stage: Stage
    record: Record
    watcher: Watcher
    accounts: bool = False
    written: Callable[[], None] = lambda: None

    def run(self, seconds: float | None) -> None:
        """Play what is left of it; the outcome is in the record.

        Args:
            seconds: how long the steps before the end may take; None for as long as they need.
        """
        try:
            self._play_to_the_end(seconds)
        finally:
            with _undisturbed():
                self._close()

    def _play_to_the_end(self, seconds: float | None) -> None:
        """Play the steps and then the end, unless somebody wants none."""
        abandoned = False
        try:
            if self.record.status == "playing":
                abandoned = self._play_steps(seconds)
        finally:
            # Also after a mistake of our own: what costs must not stand.
            if not abandoned:
                self._play_end()

    def _play_steps(self, seconds: float | None) -> bool:
        """Play what is left of the steps; tell whether everything is to be left standing."""
        deadline = Deadline(seconds)
        try:
            with deadline:
                run_steps(self._steps(self.stage.parts()), self.watcher)
        except Abandoned:
            return True
        except KeyboardInterrupt:
            if deadline.is_over:
                self._stop()
                self.watcher.note("the time that the limit pays for is over: tearing down")
            else:
                self.watcher.note("interrupted: tearing down what was made; Ctrl-C again leaves it standing")
        except (SlipwayError, ValuesError) as error:
            self.watcher.note(str(error))
        return False

    def _stop(self) -> None:
        """Write down that the limit ended it, in whatever step that was."""
        if not self.record.steps or self.record.steps[-1].result not in {"interrupted", "running"}:
            self.record.steps.append(Played(name="go on", command="", began=now(), seconds=0.0, result="running"))
        self._mark("stopped", "the time that the limit pays for was over")

    def _play_end(self) -> None:
        self.record.status = "tearing down"
        self._save()
        try:
            run_steps(self._steps(self.stage.ending()), self.watcher)
        except KeyboardInterrupt:
            self.watcher.note("interrupted: the rest is left standing")
        except (SlipwayError, ValuesError) as error:
            self.watcher.note(str(error))

    def _close(self) -> None:
        """Say what is left; nobody interrupts that."""
        try:
            self.record.remains = self.stage.remains()
        except (SlipwayError, OSError) as error:
            self.record.remains = [f"what is left of {self.record.name} could not be asked: {error}"]
        if not self.record.remains:
            self.record.status = "over"
        self.record.ended = now()
        self._save()

    # --- a step

    def _steps(self, parts: Sequence[Part]) -> list[Step[None]]:
        return [
            Step(part.name, lambda part=part: self._do(part)) for part in parts if not self.record.passed(part.name)
        ]

    def _do(self, part: Part) -> None:
        """Play a part and write down how it ended.

        Raises:
            SlipwayError: it failed, and what follows needs it.
        """
        if part.left_out:
            self._begin(part, "")
            self._mark("left out", part.left_out)
            return
        try:
            self._play(part)
        except SlipwayError:
            if part.otherwise:
                self.watcher.note(f"{part.name} failed; going on with {part.otherwise.name}")
                self._do(part.otherwise)
            elif part.essential:
                raise
            else:
                self.watcher.note(f"{part.name} failed; what follows is played all the same")

    def _play(self, part: Part) -> None:
        part.before()
        if part.pays and not self.record.billed_since:
            self.record.billed_since = now()
        command = part.command
        log = f"{len(self.record.steps) + 1:02}-{part.name.replace(' ', '-')}.log"
        self._begin(part, command.shown if command else "", log if command else "")
        started = time.monotonic()
        try:
            answer = Answer(code=0, out="", tail=[])
            if command:
                path = self.record.folder / "logs" / log
                answer = play(
                    replace(command, more=part.more()),
                    path,
                    accounts=self.accounts,
                    tell=self.watcher.tell,
                    announce=self.watcher.note,
                )
            self._finish(part, answer, time.monotonic() - started)
        except KeyboardInterrupt:
            self._mark("interrupted", "interrupted", seconds=time.monotonic() - started)
            raise
        except (SlipwayError, ValuesError, OSError) as error:
            if self.record.steps[-1].result == "running":
                self._mark("failed", str(error).splitlines()[0], seconds=time.monotonic() - started)
            raise

    def _finish(self, part: Part, answer: Answer, seconds: float) -> None:
        """Write down how a part ended that ended by itself.

        Raises:
            ProofError: not well.
        """
        says = part.says(answer.out)
        if not answer.code:
            part.after()
            self._mark("passed", says, seconds=seconds, code=0)
            return
        says = says or _last_words(answer.tail)
        self._mark("failed", says, seconds=seconds, code=answer.code, tail=answer.tail)
        log = self.record.folder / "logs" / self.record.steps[-1].log
        what = f"ended with exit code {answer.code}: {says}"
        raise ProofError(Problem(where=part.name, what=what, fix=f"all that it said is in {log}"))

    def _begin(self, part: Part, command: str, log: str = "") -> None:
        step = Played(name=part.name, command=command, began=now(), seconds=0.0, result="running", log=log)
        self.record.steps.append(step)
        self._save()

    def _mark(
        self,
        result: Result,
        says: str,
        *,
        seconds: float | None = None,
        code: int | None = None,
        tail: Sequence[str] = (),
    ) -> None:
        """Say how the step that was begun last ended."""
        last = self.record.steps[-1]
        self.record.steps[-1] = replace(
            last,
            result=result,
            says=says[:_LONGEST_LINE] if result == "passed" else says,
            seconds=last.seconds if seconds is None else round(seconds, 1),
            code=code,
            tail=list(tail),
        )
        self._save()

    def _save(self) -> None:
        self.record.save()
        self.written()


def _last_words(tail: Sequence[str]) -> str:
    errors = [line.strip() for line in tail if line.lstrip().startswith(("error:", "ERROR:"))]
    return (errors or [line.strip() for line in tail if line.strip()] or ["it said nothing"])[-1]


@contextlib.contextmanager
def _undisturbed() -> Generator[None]:
    """Let no Ctrl-C break off what must be said."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
