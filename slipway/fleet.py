"""Render many environments: their settings, facts and overrides, with everything that is wrong in any of them at once.

for rendered in render_fleet(root, ["prod", "stage"], facts=None, manifests=False, progress=print):
    rendered.environment, rendered.files
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.assemble import example
from infra.delivery.inputs import read_inside, read_overrides
from infra.errors import Problem, SettingsError
from infra.stack_config import environments, from_stack_file, stack_file
from slipway.rendering import files_of, read_facts
from values.errors import Finding, ValuesError
from values.facts import Facts

#: Seconds without a word that a person takes for a hang.
_PATIENCE = 2.0


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """One environment's files.

    Attributes:
        environment: its name.
        facts: what they are made from.
        overrides: names of the team's own values.
        files: path in the GitOps repository → text.
    """

    environment: str
    facts: Facts
    overrides: Sequence[str]
    files: Mapping[str, str]


def render_fleet(
    root: Path, names: Sequence[str], *, facts: str | None, manifests: bool, progress: Callable[[str], None]
) -> Iterator[Rendered]:
    """Render environments one after the other, so that as few files as possible are in memory.

    Args:
        root: the project's folder.
        names: of the stack files.
        facts: folder with ``<environment>.json``, or for one environment a file or ``-``; None for example facts.
        manifests: Harbor's objects in place of its release.
        progress: told how far it is, where it takes longer than two seconds.

    Raises:
        ChartUnavailable: manifests without the chart.
        SettingsError, ValuesError: after the last one, with what is wrong in each; values only where no settings are.
    """
    problems: dict[Problem, None] = {}
    findings: dict[Finding, None] = {}
    told = time.monotonic()
    for number, name in enumerate(names, 1):
        try:
            one, overrides = _read(root, name, facts)
            files = files_of(one, overrides, read_inside(root, name), manifests=manifests, progress=progress)
            yield Rendered(environment=name, facts=one, overrides=tuple(overrides), files=files)
        except SettingsError as error:
            # What stands in a shared file is wrong in every environment, and said once.
            problems.update(dict.fromkeys(error.problems))
        except ValuesError as error:
            findings.update(dict.fromkeys(error.findings))
        if time.monotonic() - told > _PATIENCE:
            told = time.monotonic()
            progress(f"{number} of {len(names)} environments rendered")
    if problems:
        raise SettingsError(*problems, *(_as_problem(one) for one in findings))
    if findings:
        raise ValuesError(*findings)


def every_environment(root: Path) -> Sequence[str]:
    """Give all environments of the project.

    Raises:
        SettingsError: there is none.
    """
    if found := environments(root):
        return found
    raise SettingsError(
        Problem(where=str(root / "stacks"), what="there is no stack file", fix="`slipway init` makes the first one")
    )


def _read(root: Path, name: str, source: str | None) -> tuple[Facts, dict[str, str]]:
    settings = from_stack_file(stack_file(root, name))
    if source is None:
        facts = example(settings)
    else:
        is_folder = source != "-" and Path(source).is_dir()
        facts = read_facts(str(Path(source) / f"{name}.json") if is_folder else source, name)
    return facts, read_overrides(root, name)


def _as_problem(finding: Finding) -> Problem:
    return Problem(where=f"{finding.path} {finding.key}".strip(), what=finding.message, fix=finding.suggestion)
