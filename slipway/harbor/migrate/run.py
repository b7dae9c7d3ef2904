"""One wave: its rules are started in Harbor, which copies by itself, and followed until they are over.

done = await run_wave(harbor, migration, migration.waves[0], again=False, tell=print)

What is over and went well is not started again, what runs is followed: an interrupted call is simply repeated.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from infra.errors import AnswerLost, HarborAway, HarborError, MigrationError, Problem
from slipway.harbor.client import Created, HarborClient
from slipway.harbor.client.api import replication
from slipway.harbor.client.models import Replication, ReplicationPolicy, ReplicationTask
from slipway.harbor.kinds.parts import all_good
from slipway.harbor.migrate.model import Migration, Rule, Wave

RUNNING, GOOD = "InProgress", "Succeed"
_LOGS = 5  # that are looked into, of each rule
_MISSED = 60  # looks in a row that get no answer: Harbor may be restarted meanwhile
#: Told the counts of all tasks so far.
Tell = Callable[[Mapping[str, int]], None]


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A task that failed: what it was to copy, where its log is, and the log's last errors."""

    source: str
    target: str
    log: str
    lines: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A rule's run.

    Attributes:
        was_done: it was over before this call.
        problem: why it is no success; empty where it is one.
    """

    rule: str
    run: int
    was_done: bool
    total: int = 0
    succeeded: int = 0
    problem: str = ""
    failed: Sequence[Failed] = ()


async def run_wave(
    harbor: HarborClient, migration: Migration, wave: Wave, *, again: bool, tell: Tell, pause: float = 5.0
) -> Sequence[Ran]:
    """Start what has to be started, and follow it.

    Args:
        again: start also what is done: for what was pushed at the source since.
        pause: seconds between two looks.

    Raises:
        MigrationError: the rules are not in Harbor, or not as planned.
        HarborError: nothing could be started.
    """
    policies = await _policies(harbor, migration, wave)
    made = dt.datetime.fromisoformat(migration.made)
    starts = all_good(
        await harbor.each(
            lambda rule=rule: _begin(harbor, policies[rule.name], rule, again=again, made=made) for rule in wave.rules
        )
    )
    runs = await _follow(harbor, [run for run, _ in starts], tell, pause)
    return all_good(
        await harbor.each(
            lambda rule=rule, run=runs[run.id], was=was: _result(harbor, rule, run, was_done=was)
            for rule, (run, was) in zip(wave.rules, starts, strict=True)
        )
    )


async def _policies(harbor: HarborClient, migration: Migration, wave: Wave) -> Mapping[str, ReplicationPolicy]:
    async with harbor.proven():
        every = {each.name: each for each in await harbor.all(replication.every())}
    problems = []
    for rule in wave.rules:
        policy = every.get(rule.name)
        what = "is not in Harbor" if policy is None else _unlike(policy, rule)
        if what:
            problems.append(Problem(where=f"rule {rule.name}", what=what))
    if problems:
        fix = f"slipway harbor apply {migration.environment}"
        raise MigrationError(*problems[:-1], Problem(where=problems[-1].where, what=problems[-1].what, fix=fix))
    return {rule.name: every[rule.name] for rule in wave.rules}


def _unlike(policy: ReplicationPolicy, rule: Rule) -> str:
    if not policy.enabled:
        return "is switched off"
    pattern = next((each.value for each in policy.filters if each.type == "name"), "")
    count = policy.dest_namespace_replace_count
    if pattern != rule.pattern or policy.dest_namespace != rule.namespace or (rule.namespace and count != rule.count):
        return "is another one in Harbor than in the plan"
    return ""


async def _latest(harbor: HarborClient, policy: int) -> Replication | None:
    return max(await harbor.all(replication.runs(policy)), key=lambda run: run.id, default=None)


async def _begin(
    harbor: HarborClient, policy: ReplicationPolicy, rule: Rule, *, again: bool, made: dt.datetime
) -> tuple[Replication, bool]:
    """Give the run to follow, and whether it was over already."""
    number = policy.id or 0
    last = await _latest(harbor, number)
    if last is not None and last.status == RUNNING:
        return last, False
    if last is not None and not again and _is_done(last, rule, made):
        return last, True

    async def find() -> Created | None:
        found = await _latest(harbor, number)
        return Created(str(found.id)) if found and (last is None or found.id > last.id) else None

    started = await harbor.create(replication.start(number), find)
    return Replication(id=started.number, policy_id=number, status=RUNNING), False


def _is_done(run: Replication, rule: Rule, made: dt.datetime) -> bool:
    """Tell whether a run did what the plan wants: one before the plan was of another plan."""
    began = dt.datetime.fromisoformat(run.start_time) if run.start_time else made
    return run.status == GOOD and began >= made and not _brought_nothing(run, rule)


def _brought_nothing(run: Replication, rule: Rule) -> bool:
    """Harbor calls it a success if the source shows it nothing, as to somebody without the right to see it."""
    return run.total == 0 and rule.artifacts > 0


async def _follow(
    harbor: HarborClient, runs: Sequence[Replication], tell: Tell, pause: float
) -> dict[int, Replication]:
    known, missed = {run.id: run for run in runs}, 0
    while active := [run.id for run in known.values() if run.status == RUNNING]:
        looks = await harbor.each(replication.run(number) for number in active)
        lost = [each for each in looks if isinstance(each, HarborError)]
        missed = missed + 1 if lost else 0
        for error in lost:
            if missed > _MISSED or not isinstance(error, HarborAway | AnswerLost):
                raise error
        known |= {run.id: run for run in looks if isinstance(run, Replication)}
        tell(_counts(list(known.values())))
        if any(run.status == RUNNING for run in known.values()):
            await asyncio.sleep(pause)
    return known


def _counts(runs: Sequence[Replication]) -> Mapping[str, int]:
    return {
        "rules": len(runs),
        "over": sum(run.status != RUNNING for run in runs),
        "repositories": sum(run.total for run in runs),
        "copied": sum(run.succeed for run in runs),
        "failed": sum(run.failed for run in runs),
    }


async def _result(harbor: HarborClient, rule: Rule, run: Replication, *, was_done: bool) -> Ran:
    ran = partial(Ran, rule=rule.name, run=run.id, total=run.total, succeeded=run.succeed)
    if run.status == GOOD and not _brought_nothing(run, rule):
        return ran(was_done=was_done)
    if run.status == GOOD:
        what = "Harbor found nothing to copy, and there is something: may its credential at the source see it?"
        return ran(was_done=False, problem=what)
    tasks = await harbor.all(replication.tasks(run.id, status="Failed"))
    failed = all_good(
        await harbor.each(
            lambda task=task, number=number: _failed(harbor, run.id, task, read=number < _LOGS)
            for number, task in enumerate(tasks)
        )
    )
    text = run.status_text.strip() or (f"{len(failed)} of {run.total} repositories failed" if failed else run.status)
    return ran(was_done=False, problem=text, failed=failed)


async def _failed(harbor: HarborClient, run: int, task: ReplicationTask, *, read: bool) -> Failed:
    lines: list[str] = []
    if read:
        try:
            text = await harbor.send(replication.task_log(run, task.id))
            lines = [line for line in text.splitlines() if "[ERROR]" in line][-3:]
        except HarborError as error:
            lines = [f"the log cannot be read: {error}"]
    place = f"{harbor.url}/api/v2.0{replication.task_log_path(run, task.id)}"
    return Failed(source=task.src_resource, target=task.dst_resource, log=place, lines=lines)
