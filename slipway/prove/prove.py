"""A proof before it is played: taken up or begun, with its stage and what it costs.

prepared = prepare(root, Wishes(environment="dev", on="aws"))
prepared.plan()                     # commands and cost; nothing is written yet
prepared.agreed(limit=5.0)
proof = prepared.proof(watcher)
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.errors import Problem, ProofError, SettingsError
from infra.settings import Settings
from infra.stack_config import from_stack_file, stack_file
from slipway.prove import stack
from slipway.prove.money import Money, money_of
from slipway.prove.part import Part, Stage
from slipway.prove.procedure import Proof
from slipway.prove.record import On, Record, now, open_record, own_name, proofs_folder
from slipway.prove.redact import Clean
from slipway.prove.report import markdown, report_of, versions_of
from slipway.steps import Watcher
from values.facts import DEFAULT_CHART_VERSION

SKIPPABLE = ("upgrade", "verify")


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the user asked for.

    Attributes:
        environment: that is proved; on kind only the cluster's name comes from it.
        on: where.
        registry: Harbor to verify on the rehearsal.
        skip: steps to leave out.
        accounts: leave ids of AWS accounts in the report.
        only_end: play the end of what an earlier run left, and nothing else.
    """

    environment: str
    on: On
    registry: str = ""
    skip: frozenset[str] = frozenset()
    accounts: bool = False
    only_end: bool = False


@dataclass(kw_only=True)
class Prepared:
    """A proof that can be played.

    Attributes:
        root: the project.
        wishes: of the user.
        record: new, or the one that is gone on with.
        stage: where it is played.
        money: what it costs; None where nothing does.
        is_new: nothing of it was played yet.
        only_ends: nothing but its end is left to be played.
    """

    root: Path
    wishes: Wishes
    record: Record
    stage: Stage
    money: Money | None
    is_new: bool
    only_ends: bool

    def commands(self) -> list[str]:
        """Give what is left to be run, as a person would type it."""
        parts = self.stage.parts() if self.record.status == "playing" else []
        left = [part for part in parts if not self.record.passed(part.name)]
        return [*_shown(left), *self._ending()]

    def _ending(self) -> list[str]:
        """Give the commands of the end as they are when everything before was played."""
        begun = [part.name for part in self.stage.parts()]
        played = [_passed(name) for name in begun]
        record = replace(self.record, steps=[*self.record.steps, *played])
        with_all = replace(self.stage, record=record)  # ty: ignore[invalid-argument-type]  # every stage is a dataclass
        return _shown(with_all.ending())

    def agreed(self, limit: float | None) -> None:
        """Take down what was agreed to, and begin."""
        if limit is not None:
            self.record.limit = limit
        if not self.is_new:
            self.record.runs += 1
        self.record.save()

    def proof(self, watcher: Watcher) -> Proof:
        """Give what plays it."""
        versions = versions_of(self.root, self.stage.programs())

        def write() -> None:
            data = self.report(versions)
            (self.record.folder / "report.json").write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
            (self.record.folder / "report.md").write_text(markdown(data))

        return Proof(
            stage=self.stage, record=self.record, watcher=watcher, accounts=self.wishes.accounts, written=write
        )

    def report(self, versions: Mapping[str, str]) -> dict[str, Any]:
        """Give the report, with everything in it cleaned once more."""
        data = report_of(self.record, self.stage.facts(), versions)
        return _cleaned(data, Clean(os.environ, accounts=self.wishes.accounts))

    def seconds(self) -> float | None:
        """Give how long the steps may go on from now; None for as long as they need."""
        if self.money is None or self.record.limit is None:
            return None
        allowed = self.money.seconds(self.record.limit)
        if not self.record.billed_since:
            return allowed
        return allowed - (datetime.now(UTC) - datetime.fromisoformat(self.record.billed_since)).total_seconds()


def prepare(root: Path, wishes: Wishes) -> Prepared:
    """Take up a proof that was stopped, or begin one; nothing is written or run.

    Raises:
        SettingsError: the environment's stack file, or what was asked for, is not usable.
        ProofError: it may not begin, or there is nothing to end.
    """
    _refuse_contradictions(wishes)
    settings = None if wishes.on == "kind" else from_stack_file(stack_file(root, wishes.environment))
    record = open_record(root, wishes.environment, wishes.on)
    is_new = record is None
    if record is None:
        if wishes.only_end:
            what = f"no proof of {wishes.environment} on {wishes.on} has left anything"
            raise ProofError(Problem(where="--teardown", what=what, fix="leave it out to begin one"))
        record = _begun(root, wishes, settings)
    _refuse_unplayable(root, wishes, settings, record)
    _tell_killed(record)
    if wishes.only_end:
        record.status = "tearing down"
    money = None
    if wishes.on == "aws" and settings and record.status == "playing":
        money = money_of(root, wishes.environment, stack.derived(settings, record.name, record.charts))
        record.hourly = money.hourly
    stage = _stage(root, wishes, settings, record)
    return Prepared(
        root=root,
        wishes=wishes,
        record=record,
        stage=stage,
        money=money,
        is_new=is_new,
        only_ends=record.status == "tearing down",
    )


def _begun(root: Path, wishes: Wishes, settings: Settings | None) -> Record:
    name = own_name(wishes.environment, wishes.on)
    wanted = settings.chart_version if settings else DEFAULT_CHART_VERSION
    charts = (wanted, wanted) if "upgrade" in wishes.skip else stack.chart_versions(wanted)
    port = 0
    if wishes.on == "kind":
        from slipway.prove.kind import free_port  # noqa: PLC0415

        port = free_port()
    folder = proofs_folder(root) / name
    return Record(
        folder=folder, environment=wishes.environment, on=wishes.on, name=name, begun=now(), charts=charts, port=port
    )


def _stage(root: Path, wishes: Wishes, settings: Settings | None, record: Record) -> Stage:
    if settings is None:
        from slipway.prove.kind import KindStage  # noqa: PLC0415

        return KindStage(root=root, record=record, skip=wishes.skip)
    if wishes.on == "aws":
        from slipway.prove.aws import AwsStage  # noqa: PLC0415

        return AwsStage(root=root, settings=settings, record=record, skip=wishes.skip)
    from slipway.prove.rehearsal import RehearsalStage  # noqa: PLC0415

    return RehearsalStage(
        root=root, settings=settings, record=record, registry=wishes.registry.rstrip("/"), skip=wishes.skip
    )


def _refuse_contradictions(wishes: Wishes) -> None:
    problems = []
    if unknown := sorted(wishes.skip - set(SKIPPABLE)):
        fix = f"what may be left out: {', '.join(SKIPPABLE)}"
        problems.append(Problem(where=f"--skip {unknown[0]}", what="is no step that may be left out", fix=fix))
    verifies = wishes.on == "rehearsal" and "verify" not in wishes.skip and not wishes.only_end
    if wishes.registry and wishes.on != "rehearsal":
        fix = "leave it out: the proof verifies the registry that it makes"
        problems.append(Problem(where="--registry", what=f"is for the rehearsal, and this is {wishes.on}", fix=fix))
    elif verifies and not wishes.registry:
        fix = "give the address of one that may be tried, or --skip verify"
        problems.append(Problem(where="--registry", what="a rehearsal runs no Harbor that could be verified", fix=fix))
    if wishes.registry and not _is_address(wishes.registry):
        what = f"{wishes.registry!r} is no address of a registry"
        problems.append(Problem(where="--registry", what=what, fix="give https://HOST[:PORT], without credentials"))
    if problems:
        raise SettingsError(*problems)


def _is_address(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username and parts.path in {"", "/"}


def _refuse_unplayable(root: Path, wishes: Wishes, settings: Settings | None, record: Record) -> None:
    if wishes.on == "aws" and settings and record.status == "playing" and not record.steps:
        stack.refuse_unplayable(settings, stack_file(root, wishes.environment))


def _tell_killed(record: Record) -> None:
    """Say of a step that a killed run was in how it ended."""
    record.steps = [
        replace(step, result="interrupted", says="the run was killed in it") if step.result == "running" else step
        for step in record.steps
    ]


def _passed(name: str) -> Any:  # noqa: ANN401
    from slipway.prove.record import Played  # noqa: PLC0415

    return Played(name=name, command="", began="", seconds=0.0, result="passed")


def _shown(parts: Sequence[Part]) -> list[str]:
    return [part.command.shown for part in parts if part.command and not part.left_out]


def _cleaned(value: Any, clean: Clean) -> Any:  # noqa: ANN401  # JSON
    if isinstance(value, str):
        return "\n".join(clean(line) for line in value.split("\n"))
    if isinstance(value, Mapping):
        return {key: _cleaned(item, clean) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item, clean) for item in value]
    return value
