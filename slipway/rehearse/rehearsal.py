"""The rehearsal of an environment, as a list of steps: real engine, program, Git and Flux; played AWS."""

import contextlib
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from infra.errors import Problem, RehearsalError, SlipwayError
from infra.settings import Settings
from infra.stack_config import from_stack_file, stack_file
from slipway.forecast.cost import Cost, cost
from slipway.forecast.prices import prices_in
from slipway.forecast.usage import usage_of
from slipway.graph.from_state import graph_of_state
from slipway.rehearse import report
from slipway.rehearse.cluster.cluster import PROGRAMS
from slipway.rehearse.cluster.played.git_server import GitServer
from slipway.rehearse.cluster.played.internet import served_here
from slipway.rehearse.delivery import Delivery, delivering
from slipway.rehearse.engine import Engine
from slipway.rehearse.events import Outcome
from slipway.rehearse.nameserver import ParentZone, parent_zone
from slipway.rehearse.page import html
from slipway.rehearse.page_of import page_of
from slipway.rehearse.simulated.kubernetes import KubernetesProvider
from slipway.rehearse.simulated.schema import PACKAGES, UnknownTypeError, schema_of
from slipway.rehearse.simulated.server import Behaviour, SimulatedProvider, serving
from slipway.rehearse.workspace import Workspace, opened
from slipway.steps import Step, Watcher, run_steps
from slipway.teardown.keeping import kept
from slipway.teardown.previous import previous_steps
from slipway.teardown.procedure import Mode
from slipway.teardown.procedure import steps as teardown_steps
from slipway.tools.find import find

DELEGATION = "pulumi-python:dynamic/slipway:Delegation"
ZONE = "aws:route53/zone:Zone"


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to rehearse.

    Attributes:
        fresh: start with an empty account and an empty repository.
        destroy: play the end as well: what holds data stays at AWS, and is forgotten.
        teardown: play `slipway teardown` as well, in this mode.
        fail: type tokens, or ``token::name``, whose creation fails.
        policy_pack: let the preview be judged by the project's ``policy/`` as well.
        speed: simulated seconds in one real second.
        to: where it ends: the ``cluster``, when Flux has delivered, or the ``commit``.
        keep: leave the cluster running.
    """

    to: Literal["cluster", "commit"] = "cluster"
    keep: bool = False
    fresh: bool = False
    destroy: bool = False
    teardown: Mode | None = None
    fail: tuple[str, ...] = ()
    policy_pack: bool = False
    speed: float = 600.0

    @property
    def ends(self) -> bool:
        """Whether the environment is gone afterwards."""
        return self.destroy or self.teardown in {Mode.keep_data, Mode.delete_data}


def rehearse(root: Path, environment: str, options: Options, watcher: Watcher) -> report.Report:
    """Rehearse one environment from wherever its last rehearsal ended.

    Raises:
        SettingsError: the stack file is not usable.
        ToolError: a program is missing, and none can be built.
        RehearsalError: an operation failed; the next rehearsal goes on from there.
        NotDelivered: Flux did not deliver the commit.
    """
    settings = from_stack_file(stack_file(root, environment))
    _refuse_unknown_types(options.fail)
    watcher.begin("find the programs")
    wanted = ("pulumi", *(() if options.to == "commit" else PROGRAMS))
    programs = {name: find(name, progress=watcher.tell, announce=watcher.note) for name in wanted}
    with contextlib.ExitStack() as stack:
        workspace = stack.enter_context(opened(root, environment, fresh=options.fresh))
        parent = stack.enter_context(parent_zone())
        delivery = None
        if options.to == "cluster":
            keep = options.keep and not options.ends
            delivery = stack.enter_context(delivering(settings, workspace, programs, watcher, keep=keep))
            kubeconfig, internet = delivery.cluster.kubeconfig, delivery.cluster.internet
        else:
            git = GitServer(repository=workspace.repository, identities=workspace.identities)
            kubeconfig, internet = None, stack.enter_context(served_here(git, workspace.cluster / "charts"))
        admins = settings.cluster.admin_role_arns
        behaviour = Behaviour(
            journal=workspace.journal, speed=options.speed, fail=options.fail,
            secrets_manager=workspace.secrets_manager, caller=admins[0] if admins else "",
        )  # fmt: skip
        played = [SimulatedProvider(package, behaviour) for package in PACKAGES]
        played.append(KubernetesProvider(behaviour, kubeconfig))
        engine = Engine(
            pulumi=programs["pulumi"],
            workspace=workspace,
            environment=workspace.engine_environment(
                providers={provider.package: stack.enter_context(serving(provider)) for provider in played},
                dns_server=parent.address,
                internet=internet,
                kubeconfig=kubeconfig,
            ),
            progress=watcher.tell,
            announce=watcher.note,
        )
        result = _Rehearsal(settings, workspace, engine, parent, options, watcher, delivery).run()
    if options.ends:
        # EKS is gone, and with it everything that was in the cluster.
        shutil.rmtree(workspace.cluster, ignore_errors=True)
    return result


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
    delivery: Delivery | None
    reports: list[report.StepReport] = field(default_factory=list)
    built: Mapping[str, Any] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)

    def run(self) -> report.Report:
        started, before = time.time(), self.workspace.head()
        self.workspace.write_settings()
        self.engine.select_stack()
        try:
            run_steps(self._steps(), self.watcher)
        except SlipwayError as error:
            self._write_page(started, before, failure=str(error))
            raise
        deployment = self.engine.deployment() if not self.options.ends else self.built
        self._tell_what_could_not_fail()
        there = self.workspace.files()
        result = report.Report(
            environment=self.workspace.environment,
            pulumi=self.engine.pulumi.version,
            seconds=round(time.time() - started, 1),
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
            delivery=self.delivery.report(kept=self.options.keep) if self.delivery else None,
            page=str(self.workspace.report),
        )
        prices, usage = prices_in(self.settings.region), usage_of(self.settings.profile)
        a_month = cost(graph_of_state(deployment), prices, usage, datetime.now(UTC).date())
        self._write_page(started, before, result=result, a_month=a_month)
        return result

    def _steps(self) -> list[Step[None]]:
        steps = []
        if self.options.teardown is Mode.previous:
            # Before any other `up`: what is protected may not leave the program.
            again = self._must("up again", "up", unchanged=True)
            return [*previous_steps(self, self.settings), Step("up again", again)]
        if self.delivery and self.delivery.is_new and self._resources():
            # A state without its cluster: what a person would do after a cluster was rebuilt beside its data.
            steps.append(Step("refresh, the cluster is new", self._must("refresh, the cluster is new", "refresh")))
        judged = ("--policy-pack", str(self.workspace.root / "policy")) if self.options.policy_pack else ()
        steps.append(Step("preview", self._must("preview", "preview", *judged)))
        if self._waits_for_delegation():
            steps += [Step("up, as far as the zone", self._up_to_the_zone), Step("delegate", self._delegate)]
        steps += [
            Step("up", self._must("up", "up")),
            Step("up again", self._must("up again", "up", unchanged=True)),
            Step("refresh", self._must("refresh", "refresh", unchanged=True)),
        ]
        if self.delivery:
            steps.append(Step("Flux delivers", self.delivery.follow))
        if self.options.destroy:
            steps += [
                Step("allow deletion", self._allow_deletion),
                Step("destroy", self._must("destroy", "destroy")),
            ]
        if self.options.teardown:
            self.built = {}
            steps += teardown_steps(self, self.options.teardown, self._withdraw)
        return steps

    def _must(self, name: str, operation: str, *more: str, unchanged: bool = False) -> Callable[[], None]:
        """Give a step that runs an engine operation and stands for its success."""

        def do() -> None:
            outcome = self.engine.run(operation, *more)
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

    def _write_page(
        self,
        started: float,
        before: str,
        *,
        result: report.Report | None = None,
        a_month: Cost | None = None,
        failure: str = "",
    ) -> None:
        """Write the report for the browser, also of a rehearsal that failed."""
        stays = self.delivery.watch.stays if self.delivery else []
        self.workspace.report.write_text(
            html(
                page_of(
                    self.workspace,
                    result,
                    failure=failure,
                    steps=self.reports,
                    stays=stays,
                    started=started,
                    commits=self.workspace.commits_since(before),
                    cost=a_month,
                )
            )
        )

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

    def _withdraw(self) -> None:
        """Take Harbor out of the played cluster, as from a real one."""
        self.built = self.deployment()
        if self.options.teardown is Mode.keep_data:
            self.kept = [f"{item.type}::{item.name}" for item in kept(self.built)]
        if self.delivery:
            self.delivery.withdraw(self.watcher.tell)

    def deployment(self) -> Mapping[str, Any]:
        """Give the state (`slipway.teardown.procedure.Stack`)."""
        return self.engine.deployment()

    def up(self, *, targets: Sequence[str], settings: Mapping[str, Any]) -> None:
        """Run `up` with settings changed; the next `write_settings` takes them back."""
        self.workspace.write_settings(**settings)
        name = "lift the protection" if settings else "delete the previous generation"
        self._must(name, "up", *(part for urn in targets for part in ("--target", urn)))()

    def destroy(self, *, keep_protected: bool) -> None:
        """Destroy, and make sure that exactly what was promised is left."""
        self._must("destroy", "destroy", *(("--exclude-protected",) if keep_protected else ()))()
        left = [f"{item.type}::{item.name}" for item in kept(self.deployment())]
        everything = [item["urn"] for item in self._resources() if item.get("custom") and not _is_provider(item)]
        if sorted(left) != sorted(self.kept) or len(everything) != len(left):
            raise RehearsalError(
                Problem(
                    where="destroy",
                    what=f"left {len(everything)} resources, {len(self.kept)} were to stay",
                    fix=f"look at {set(left) ^ set(self.kept) or everything}",
                )
            )

    def _tell_what_could_not_fail(self) -> None:
        """Say which --fail was in vain: a rehearsal that gets here saw no failure."""
        for asked in self.options.fail:
            self.watcher.note(f"--fail {asked}: none was created, so none failed; `--fresh` creates everything again")

    def _resources(self) -> list[dict[str, Any]]:
        return self.engine.deployment().get("resources") or []


def _is_provider(resource: Mapping[str, Any]) -> bool:
    return resource["type"].startswith("pulumi:providers:")


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
