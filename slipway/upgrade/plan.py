"""The plan of an upgrade: which way, what it means for this environment, what the cluster will do, what to save first.

    plan = make_plan(Target(environment="prod", root=root, settings=settings, to=""), remote, progress=print)
    plan.after, plan.objects, plan.commands

It reads the branch and renders; it changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.assemble import example
from infra.charts import HARBOR, archive, cached_or_refuse
from infra.delivery.git import Remote
from infra.delivery.inputs import Inputs, read_inside, read_overrides
from infra.errors import Problem, RemoteUnavailable, UpgradeError
from infra.settings import Settings
from slipway.diff.objects import ObjectChange
from slipway.diff.sides import changes_between, sides
from slipway.upgrade.backup import Command, commands
from slipway.upgrade.delivered import Delivered, delivered
from values import contract
from values.changes import Change, changes
from values.chart_history import Step, ordered, refusals, steps
from values.errors import Refused
from values.facts import SUPPORTED_CHART_VERSIONS, Facts
from values.releases import Release, releases

Progress = Callable[[str], None]

#: Core's start-up probe, as the chart has it: failureThreshold, periodSeconds.
_STARTUP_PROBE = (360, 10)


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is to be upgraded, and to what.

    Attributes:
        root: the project.
        settings: of the environment.
        to: chart version; empty for the newest supported.
        facts: given by the user instead of those in the branch.
    """

    root: Path
    settings: Settings
    to: str = ""
    facts: Facts | None = None

    @property
    def version(self) -> str:
        """The chart version to go to."""
        return self.to or SUPPORTED_CHART_VERSIONS[0]


@dataclass(frozen=True, kw_only=True)
class Touch:
    """Something of the new chart that touches this environment.

    Attributes:
        key: dotted key, or the short name of a behaviour.
        what: the fact.
        do: what a person must do; empty for nothing.
        source: URL.
    """

    key: str
    what: str
    do: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An upgrade as it would be.

    Attributes:
        environment: its name.
        before, after: chart versions; the same where there is nothing left to do.
        harbor: version of Harbor before and after.
        stack_file: version that the stack file names now.
        commit: the branch's last; empty where files only are delivered, or it could not be read.
        is_read: what is delivered could be read.
        facts: what is published, with the new version in it.
        touches: what the charts' differences mean here.
        values: what changes in the generated values.
        objects: what changes in the cluster; Flux's own alone where the charts could not be rendered.
        steps: the neighbours on the way.
        migration_seconds: how long core is given for the database.
        commands: what to save first.
        notes: what the plan could not know.
    """

    environment: str
    before: str
    after: str
    harbor: tuple[str, str]
    stack_file: str
    commit: str
    is_read: bool
    facts: Facts
    touches: Sequence[Touch]
    values: Sequence[Change]
    objects: Sequence[ObjectChange]
    steps: Sequence[Step]
    migration_seconds: int
    commands: Sequence[Command]
    notes: Sequence[str]

    @property
    def is_delivered(self) -> bool:
        """The branch has the version already; only the stack file may be behind."""
        return self.before == self.after

    @property
    def refused(self) -> Sequence[ObjectChange]:
        """Objects that Kubernetes would not take, or for which Flux would uninstall the release."""
        return [one for one in self.objects if one.fails or one.reinstalls]

    @property
    def schema(self) -> tuple[int, int]:
        """Version of the database's schema before and after."""
        return (self.steps[0].schema.before, self.steps[-1].schema.after) if self.steps else (0, 0)


def make_plan(target: Target, remote: Remote, *, progress: Progress) -> Plan:
    """Plan the upgrade of one environment.

    Raises:
        UpgradeError: it goes back, skips a minor, or begins at something that is not delivered; all reasons at once.
        ValuesError: values that the new chart does not take.
        PublishError, ToolError: the branch is not readable, for another reason than that it is away.
    """
    notes: list[str] = []
    now = _delivered(target, remote, notes, progress)
    before = now.facts.chart_version if now else target.settings.chart_version
    _refuse(target, now, before)
    facts = target.facts or (now.facts if now else example(target.settings))
    after_facts = facts.model_copy(update={"chart_version": target.version})
    overrides = read_overrides(target.root, target.settings.environment)
    inside = read_inside(target.root, target.settings.environment)
    new = Inputs(after_facts.to_json(), overrides, inside).files()
    start = now.overrides if now else _fitting(overrides, before, notes)
    before_facts = now.facts if now else facts.model_copy(update={"chart_version": before})
    old = now.files if now else Inputs(before_facts.to_json(), start, inside).files()
    way = steps(before, target.version)
    handed = _handed(old, before_facts, start, inside), _handed(new, after_facts, overrides, inside)
    values = _values(handed[0]), _values(handed[1])
    return Plan(
        environment=target.settings.environment,
        before=before,
        after=target.version,
        harbor=(contract.harbor_version(before), contract.harbor_version(target.version)),
        stack_file=target.settings.chart_version,
        commit=now.commit if now else "",
        is_read=now is not None,
        facts=after_facts,
        touches=tuple(_touches(way, *values)),
        values=changes(*({path: text for path, text in files.items() if "/values/" in path} for files in handed)),
        objects=_objects(old, new, notes, progress) if way else (),
        steps=way,
        migration_seconds=_migration_seconds(values[1]),
        commands=commands(target.settings, facts, before=before) if way else (),
        notes=notes,
    )


def _delivered(target: Target, remote: Remote, notes: list[str], progress: Progress) -> Delivered | None:
    progress(f"reading {remote.shown} {remote.branch}")
    settings = target.settings
    try:
        found = delivered(
            remote,
            gitops_path=settings.gitops.path,
            environment=settings.environment,
            overrides=read_overrides(target.root, settings.environment),
            inside=read_inside(target.root, settings.environment),
        )
    except RemoteUnavailable as error:
        said = f"the branch was not read, so the plan begins at the stack file's chart: {error.problems[0]}"
        notes += [said] if target.facts else [said, "the facts are made up: addresses and ids are examples"]
        return None
    if found is None:
        where = f"{remote.shown} {remote.branch}"
        fix = f"set chartVersion to {target.version} and publish: there is nothing to upgrade"
        what = f"delivers nothing for {settings.environment}"
        raise UpgradeError(Problem(where=where, what=what, fix=fix))
    return found


def _refuse(target: Target, now: Delivered | None, before: str) -> None:
    """Refuse every way that is not safe, with all reasons at once.

    Raises:
        UpgradeError: there is one.
    """
    environment, said = target.settings.environment, target.settings.chart_version
    stack = f"stacks/Pulumi.{environment}.yaml"
    problems = [
        Problem(where=f"upgrade of {environment}", what=one.fact, fix=one.fix) for one in _ways(before, target.version)
    ]
    stayed_behind = before == target.version and _is_older(said, before)
    if now and said not in {before, target.version} and not stayed_behind:
        fix = f"make it {before}: the upgrade edits it itself"
        problems.append(
            Problem(where=f"{stack} chartVersion", what=f"says {said}, and the branch delivers {before}", fix=fix)
        )
    if now:
        problems += [
            Problem(
                where=path,
                what="was edited by hand",
                fix=f"slipway publish {environment} says what to do about it",
            )
            for path in now.edited
        ]
    if now and now.pending and before != target.version:
        what = f"{len(now.pending)} files would change at chart {before} already: {', '.join(now.pending[:3])}…"
        fix = f"first slipway publish {environment}, and wait until it is delivered: one change at a time"
        problems.append(Problem(where=f"branch at {now.commit[:12]}", what=what, fix=fix))
    if problems:
        raise UpgradeError(*problems)


def _is_older(one: str, other: str) -> bool:
    return ordered(one) < ordered(other)


def _ways(before: str, after: str) -> Sequence[Refused]:
    try:
        return refusals(before, after)
    except Refused as refused:
        return [refused]


def _fitting(overrides: Mapping[str, str], version: str, notes: list[str]) -> dict[str, str]:
    """Leave out overrides that the chart before does not take: they may be there for the one after."""
    taken = {name: text for name, text in overrides.items() if not contract.findings(name, text, version)}
    notes += [f"the values {name} are new: chart {version} does not take them" for name in overrides.keys() - taken]
    return taken


def _touches(way: Sequence[Step], old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Touch]:
    """Give the differences between the charts that touch an environment with these values."""
    for step in way:
        for key, (before, after) in step.defaults.items():
            if (value := _at(new, key)) is not None and value != after:
                what = f"is {value!r} by your own values and stays; the chart's own goes from {before!r} to {after!r}"
                yield Touch(key=key, what=what, do="follow it, or take it out", source=step.source)
        for key, (before, after) in step.retyped.items():
            if _at(new, key) is not None:
                yield Touch(key=key, what=f"takes {after} now; before: {before}", do="", source=step.source)
        if used := [key for key in step.added if _at(new, key) is not None]:
            what = f"new in {step.after}, and used from now on"
            yield Touch(key=", ".join(used), what=what, do="", source=step.source)
        for one in step.behaviour:
            if one.concerns(old) or one.concerns(new):
                yield Touch(key=one.id, what=one.what, do=one.do, source=one.source)


def _at(values: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401  # any YAML value
    node: Any = values
    for part in key.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def _handed(
    files: Mapping[str, str], facts: Facts, overrides: Mapping[str, str], inside: Mapping[str, str]
) -> Mapping[str, str]:
    """Give the files from which Helm is handed its values; manifests hold none, and are made of these."""
    return files if facts.content == "values" else Inputs(facts.to_json(), overrides, inside).as_values().files()


def _values(files: Mapping[str, str]) -> Mapping[str, Any]:
    """Give what Harbor's release hands to the chart."""
    return next(one.values for one in releases(files) if one.chart == HARBOR)


def _objects(
    old: Mapping[str, str], new: Mapping[str, str], notes: list[str], progress: Progress
) -> Sequence[ObjectChange]:
    """Give every object that changes, as far as the charts can be had; the rest is a note."""

    def chart(release: Release) -> Path:
        if release.chart != HARBOR:
            return cached_or_refuse(release.version, release.repository, release.chart)
        found = archive(release.version, release.repository, progress)
        progress(f"rendering chart {release.version}")
        return found

    before, after = sides(old, new, chart)
    notes += dict.fromkeys([*before.notes.values(), *after.notes.values()])
    return changes_between(before, after)


def _migration_seconds(values: Mapping[str, Any]) -> int:
    """Give how long core's start-up probe waits for the database's migration."""
    threshold, period = _STARTUP_PROBE
    probe = "core.startupProbe"
    return (_at(values, f"{probe}.failureThreshold") or threshold) * (_at(values, f"{probe}.periodSeconds") or period)
