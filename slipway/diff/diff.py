"""What the next publish of an environment would change: values, objects, and what stands against it.

    found = diff(root, "prod", facts_source=None, against=None, progress=print)
    found.differs, found.values, found.objects

The files are rendered from the stack file as it is now. What AWS answered comes from the facts that the branch holds,
so that a review needs neither an account nor Pulumi.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from infra import charts
from infra.assemble import example, renewed
from infra.delivery import guards
from infra.delivery.git import Remote
from infra.delivery.inputs import Inputs, read_inside, read_overrides
from infra.delivery.present import Present, in_folder, present
from infra.errors import Problem, SettingsError, WouldUninstall
from infra.settings import Settings
from infra.stack_config import from_stack_file, stack_file
from slipway.diff.objects import ObjectChange
from slipway.diff.sides import HARBOR, changes_between, sides
from slipway.rendering import TOKEN_VARIABLE, read_facts
from values.changes import Change, changes, component_of
from values.facts import Facts
from values.releases import Release, releases

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Diff:
    """What differs.

    Attributes:
        environment: its name.
        against: what it is compared with, as people name it.
        facts: where they come from, as people name it.
        charts: the Harbor chart's version there (empty before the first publish) and here.
        files: paths that a publish would write or remove.
        values: settings of Helm's values documents that differ.
        objects: Kubernetes objects that differ, of Flux and of the charts.
        overrides: the team's own values documents → the keys they set.
        refusals: why a publish would stop.
        notes: what could not be compared.
    """

    environment: str
    against: str
    facts: str
    charts: tuple[str, str]
    files: Sequence[str]
    values: Sequence[Change]
    objects: Sequence[ObjectChange]
    overrides: Mapping[str, Sequence[str]]
    refusals: Sequence[str]
    notes: Sequence[str]

    @property
    def differs(self) -> bool:
        """A publish would make a commit."""
        return bool(self.files)


def diff(root: Path, environment: str, *, facts_source: str | None, against: Path | None, progress: Progress) -> Diff:
    """Compare what an environment's settings render to with what is delivered now.

    Args:
        root: the project's folder.
        environment: name of the stack file.
        facts_source: file with facts, ``-`` for stdin; None for those that are delivered, renewed by the settings.
        against: folder with the files that are delivered; None for the GitOps branch.
        progress: told what takes long.

    Raises:
        SettingsError: the stack file, the facts or the folder are not usable.
        ValuesError: the values do not fit the chart.
        RemoteUnavailable, HumanEdit: see `infra.errors`.
        ToolError: there is no git.
    """
    settings = from_stack_file(stack_file(root, environment))
    given = read_facts(facts_source, environment) if facts_source else None
    home = "/".join(filter(None, (settings.gitops.path, "apps/harbor", environment)))
    there, named = _there(settings, given, root, against)
    facts, source = (given, "those given") if given else _facts(settings, there.texts.get(f"{home}/facts.json"))
    overrides = read_overrides(root, environment)
    files = Inputs(facts.to_json(), overrides, read_inside(root, environment)).files()
    before = {path: text for path, text in there.texts.items() if component_of(path)}

    def chart(release: Release) -> Path:
        if release.chart == HARBOR:
            return charts.archive(release.version, release.repository, progress)
        return charts.cached_or_refuse(release.version, release.repository, release.chart)

    old, new = sides(before, files, chart)
    made_up = ["these are example facts: publishing refuses them until AWS has answered"] if facts.example else []
    return Diff(
        environment=environment,
        against=named,
        facts=source,
        charts=(_delivered_chart(there), facts.chart_version),
        files=sorted(path for path in {*before, *files} if before.get(path) != files.get(path)),
        values=changes(_values(before), _values(files)),
        objects=changes_between(old, new),
        overrides={name: _keys(text) for name, text in overrides.items()},
        refusals=[*([] if against else _refusals(there, files, facts)), *made_up],
        notes=list(dict.fromkeys([*old.notes.values(), *new.notes.values()])),
    )


def _there(settings: Settings, given: Facts | None, root: Path, against: Path | None) -> tuple[Present, str]:
    """Give what is delivered now: the lock's files, and whatever stands where ours would be written."""
    gitops, environment = settings.gitops, settings.environment
    likely = given or example(settings)
    inputs = Inputs(likely.to_json(), read_overrides(root, environment), read_inside(root, environment))
    wanted = list(inputs.files())
    remote = Remote.of(gitops, os.environ.get(TOKEN_VARIABLE), root)
    folder = against or (Path(remote.folder) if remote.folder else None)
    if folder:
        return in_folder(folder, gitops_path=gitops.path, environment=environment, also=wanted), str(folder)
    there = present(remote, gitops_path=gitops.path, environment=environment, also=lambda _lock: wanted)
    return there, f"{remote.shown} {gitops.branch}" + (
        f" at {there.commit[:10]}" if there.commit else ", which is empty"
    )


def _facts(settings: Settings, delivered: str | None) -> tuple[Facts, str]:
    """Give facts as the settings are now, and where AWS's answers in them come from."""
    if delivered is None:
        return example(settings), "made up: nothing is delivered yet"
    try:
        facts = Facts.from_json(delivered)
    except ValidationError:
        what = "the facts that are delivered are of another Slipway's form"
        raise SettingsError(Problem(where="facts.json", what=what, fix="give --facts FILE")) from None
    return renewed(settings, facts), "the delivered ones, renewed by the stack file"


def _delivered_chart(there: Present) -> str:
    if there.lock:
        return there.lock.chart
    return next((one.version for one in releases(there.texts) if one.chart == HARBOR), "")


def _values(files: Mapping[str, str]) -> dict[str, str]:
    return {path: text for path, text in files.items() if "/values/" in path}


def _refusals(there: Present, files: Mapping[str, str], facts: Facts) -> list[str]:
    """Say why `slipway publish` would stop, in short; it says it in full."""
    owned = there.lock.files if there.lock else {}
    edited = [path for path in there.edited if there.texts.get(path) != files.get(path)]
    foreign = [path for path in files if path not in owned and there.texts.get(path) not in {None, files[path]}]
    found = [f"{path}: was {'edited' if path in there.texts else 'removed'} by hand" for path in edited]
    found += [f"{path}: is there, and not Slipway's" for path in foreign]
    if there.lock and _ordered(there.lock.chart) > _ordered(facts.chart_version):
        found.append(f"the branch delivers chart {there.lock.chart}, newer than {facts.chart_version}")
    if there.lock:
        try:
            guards.refuse_other_content(
                there.lock, there.lock.model_copy(update={"files": dict.fromkeys(files, "")}), ""
            )
        except WouldUninstall as error:
            found += [problem.what for problem in error.problems]
    return found


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _keys(text: str) -> list[str]:
    path = "apps/harbor/x/release/values/override.yaml"
    return [one.key for one in changes({}, {path: text})]
