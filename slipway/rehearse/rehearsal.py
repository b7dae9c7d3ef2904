"""The rehearsal of an environment, as a list of steps: the real engine, the real program, real Git, played AWS."""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.errors import Problem, RehearsalError
from infra.settings import Settings
from infra.stack_config import from_stack_file, stack_file
from slipway.rehearse import report
from slipway.rehearse.engine import Engine
from slipway.rehearse.events import Outcome
from slipway.rehearse.nameserver import ParentZone, parent_zone
from slipway.rehearse.simulated.schema import PACKAGES, UnknownTypeError, schema_of
from slipway.rehearse.simulated.server import Behaviour, serving
from slipway.rehearse.workspace import Workspace, opened
from slipway.steps import Step, Watcher, run_steps
from slipway.tools.find import find

DELEGATION = "pulumi-python:dynamic/slipway:Delegation"
ZONE = "aws:route53/zone:Zone"


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to rehearse.

    Attributes:
        fresh: start with an empty account and an empty repository.
        destroy: play the end as well.
        fail: type tokens, or ``token::name``, whose creation fails.
        speed: simulated seconds in one real second.
    """

    fresh: bool = False
    destroy: bool = False
    fail: tuple[str, ...] = ()
    speed: float = 600.0


def rehearse(root: Path, environment: str, options: Options, watcher: Watcher) -> report.Report:
    """Rehearse one environment from wherever its last rehearsal ended.

    Raises:
        SettingsError: the stack file is not usable.
        ToolError: no `pulumi`, and none can be built.
        RehearsalError: an operation failed; the next rehearsal goes on from there.
    """
    settings = from_stack_file(stack_file(root, environment))
    _refuse_unknown_types(options.fail)
    watcher.begin("find pulumi")
    pulumi = find("pulumi", progress=watcher.tell, announce=watcher.note)
    with contextlib.ExitStack() as stack:
        workspace = stack.enter_context(opened(root, environment, fresh=options.fresh))
        parent = stack.enter_context(parent_zone())
        behaviour = Behaviour(journal=workspace.journal, speed=options.speed, fail=options.fail)
        providers = {package: stack.enter_context(serving(package, behaviour)) for package in PACKAGES}
        engine = Engine(
            pulumi=pulumi,
            workspace=workspace,
            environment=workspace.engine_environment(providers=providers, dns_server=parent.address),
            progress=watcher.tell,
            announce=watcher.note,
        )
        return _Rehearsal(settings, workspace, engine, parent, options, watcher).run()


def _refuse_unknown_types(asked: tuple[str, ...]) -> None:
    """Refuse a type that can never be created, since waiting for its failure would be in vain.

    Raises:
        RehearsalError: a token that the installed SDKs do not have.
    """
    problems = []
    for token in asked:
        try:
            schema_of(token.partition("::")[0])
        except UnknownTypeError as error:
            problems.append(
                Problem(
                    where=f"--fail {token}", what=str(error), fix="give a type token like aws:rds/instance:Instance"
                )
            )
    if problems:
        raise RehearsalError(*problems)


@dataclass
class _Rehearsal:
    settings: Settings
    workspace: Workspace
    engine: Engine
    parent: ParentZone
    options: Options
    watcher: Watcher
    reports: list[report.StepReport] = field(default_factory=list)
    built: Mapping[str, Any] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)

    def run(self) -> report.Report:
        started, before = time.monotonic(), self.workspace.head()
        self.workspace.write_settings()
        self.engine.select_stack()
        run_steps(self._steps(), self.watcher)
        deployment = self.engine.deployment() if not self.options.destroy else self.built
        self._tell_what_could_not_fail()
        there = self.workspace.files()
        return report.Report(
            environment=self.workspace.environment,
            pulumi=self.engine.pulumi.version,
            seconds=round(time.monotonic() - started, 1),
            steps=self.reports,
            resources=report.resources_by_service(deployment),
            real_time=report.real_time(deployment),
            commit=report.CommitReport(
                id=self.workspace.head(),
                created=self.workspace.commits_since(before),
                files=[path for path in report.delivered_files(deployment) if path in there],
                repository=str(self.workspace.repository),
            ),
            kept=self.kept,
        )

    def _steps(self) -> list[Step[None]]:
        steps = [Step("preview", self._must("preview", "preview"))]
        if self._waits_for_delegation():
            steps += [Step("up, as far as the zone", self._up_to_the_zone), Step("delegate", self._delegate)]
        steps += [
            Step("up", self._must("up", "up")),
            Step("up again", self._must("up again", "up", unchanged=True)),
            Step("refresh", self._must("refresh", "refresh", unchanged=True)),
        ]
        if self.options.destroy:
            steps += [
                Step("allow deletion", self._allow_deletion),
                Step("destroy", self._must("destroy", "destroy")),
            ]
        return steps

    def _must(self, name: str, operation: str, *, unchanged: bool = False) -> Callable[[], None]:
        """Give a step that runs an engine operation and stands for its success."""

        def do() -> None:
            outcome = self.engine.run(operation)
            self.reports.append(report.step_report(name, outcome))
            _raise_failures(name, outcome)
            if unchanged and outcome.changes:
                done = ", ".join(f"{count} {what}" for what, count in outcome.changes.items())
                raise RehearsalError(
                    Problem(
                        where=name, what=f"must change nothing, and did: {done}", fix=_UNCHANGED_HINTS[operation],
                    )
                )  # fmt: skip

        return do

    def _waits_for_delegation(self) -> bool:
        dns = self.settings.dns
        if dns.existing_zone or dns.delegate_from:
            return False
        return not any(resource["type"] == DELEGATION for resource in self._resources())

    def _up_to_the_zone(self) -> None:
        """Run into the gate: the zone is there, its parent does not know it, and nothing that costs money is made."""
        outcome = self.engine.run("up")
        self.reports.append(report.step_report("up, as far as the zone", outcome))
        others = [failure for failure in outcome.failures if failure.urn and DELEGATION not in failure.urn]
        if others or not any(DELEGATION in failure.urn for failure in outcome.failures):
            _raise_failures("up, as far as the zone", outcome)
        self.watcher.note(next(failure.message for failure in outcome.failures if DELEGATION in failure.urn))

    def _delegate(self) -> None:
        """Play the owner of the parent zone."""
        for resource in self._resources():
            if resource["type"] == ZONE:
                outputs = resource["outputs"]
                self.parent.delegate(outputs["name"], outputs["nameServers"])
                self.watcher.note(f"played: the parent delegates {outputs['name']} to {outputs['nameServers'][0]} …")

    def _allow_deletion(self) -> None:
        """Take both protections away: AWS's by the setting and an `up`, Pulumi's in the state."""
        self.workspace.write_settings(deletionProtection=False)
        self._must("allow deletion", "up")()
        self.engine.unprotect()
        self.built = self.engine.deployment()
        self.kept = [resource["urn"] for resource in self.built["resources"] if resource.get("retainOnDelete")]

    def _tell_what_could_not_fail(self) -> None:
        """Say which --fail was in vain: a rehearsal that gets here saw no failure."""
        for asked in self.options.fail:
            self.watcher.note(f"--fail {asked}: none was created, so none failed; `--fresh` creates everything again")

    def _resources(self) -> list[dict[str, Any]]:
        return self.engine.deployment().get("resources") or []


_RESUMABLE = "    what was made is in the state: run it again and it goes on from here"
_UNCHANGED_HINTS = {
    "up": "something in the program differs from run to run; `pulumi preview --diff` shows what",
    "refresh": "somebody changed what was made (a generated file, say); the next run brings it back or says why not",
}


def _raise_failures(name: str, outcome: Outcome) -> None:
    """Report every failure of an operation.

    Raises:
        RehearsalError: there is one.
    """
    if outcome.failures:
        raise RehearsalError(
            *(Problem(where=_where(name, failure.urn), what=failure.message) for failure in outcome.failures),
            detail="" if outcome.operation == "preview" else _RESUMABLE,
        )


def _where(name: str, urn: str) -> str:
    if not urn:
        return name
    _, _, types, resource = urn.split("::", 3)
    return f"{name}: {types.rpartition('$')[2]} {resource}"
