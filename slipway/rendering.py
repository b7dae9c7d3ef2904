"""From an environment's name to its files: what `render` and `publish` share."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from infra.assemble import example
from infra.delivery.inputs import Inputs, read_overrides
from infra.errors import Problem, SettingsError, ToolError
from infra.settings import Settings
from infra.stack_config import from_stack_file, stack_file
from slipway.project import find_root
from values.facts import Facts

if TYPE_CHECKING:
    from infra.delivery.order import Published

TOKEN_VARIABLE = "SLIPWAY_GIT_TOKEN"  # noqa: S105


def _silent(_: str) -> None:
    """Tell nobody."""


def render_environment(
    environment: str, facts_source: str | None, *, manifests: bool = False, progress: Callable[[str], None] = _silent
) -> dict[str, str]:
    """Render the files of one environment: path in the GitOps repository → text.

    Args:
        environment: name of the stack file.
        facts_source: file with facts, ``-`` for stdin, or None for example facts.
        manifests: Harbor's objects in place of its release.
        progress: told that the chart is fetched, which manifests are rendered from.

    Raises:
        SettingsError: the stack file or the facts are not usable.
        ValuesError: a key that the chart does not know, or a value of the wrong type.
        ChartUnavailable: manifests without the chart.
    """
    root, settings = _settings(environment)
    facts = read_facts(facts_source, environment) if facts_source else example(settings)
    overrides = read_overrides(root, environment)
    if not manifests:
        return Inputs(facts.to_json(), overrides).files()
    from infra.charts import archive  # noqa: PLC0415  # Helm's engine is for those who want objects
    from values.manifests import manifests as made  # noqa: PLC0415

    return made(facts, overrides, archive(facts.chart_version, facts.chart_repository, progress))


def publish_environment(
    environment: str, facts_source: str | None, *, dry_run: bool, take_over: bool, progress: Callable[[str], None]
) -> "Published":
    """Publish the files of one environment; see `slipway.publishing`, which does it for many."""
    from slipway.publishing import publish_environments  # noqa: PLC0415  # it reads facts as we do

    (one,) = publish_environments(
        [environment], facts=facts_source, dry_run=dry_run, take_over=take_over, progress=progress
    )
    return one.published


def _settings(environment: str) -> tuple[Path, Settings]:
    root = find_root(Path.cwd())
    return root, from_stack_file(stack_file(root, environment))


def stack_output(root: Path, environment: str) -> Facts:
    """Ask Pulumi for the facts of the stack, with whatever backend the user is logged in to.

    Raises:
        ToolError: there is no `pulumi`.
        SettingsError: it gives no facts, or those of another environment.
    """
    command = ["pulumi", "stack", "output", "facts", "--stack", environment]
    try:
        asked = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ToolError(
            Problem(what="pulumi is not on PATH, so nobody knows the facts", fix="install it, or give --facts FILE")
        ) from None
    if asked.returncode:
        raise SettingsError(
            Problem(where=" ".join(command), what="gives no facts", fix="run `pulumi up` first, or give --facts FILE"),
            detail=asked.stderr.strip(),
        )
    return _parsed(asked.stdout, "pulumi stack output facts", environment)


def write_files(files: Mapping[str, str], folder: Path) -> None:
    """Write the files below `folder`.

    Raises:
        SettingsError: the folder cannot be written to.
    """
    try:
        for path, text in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    except OSError as error:
        raise SettingsError(
            Problem(
                where=str(error.filename or folder),
                what=f"cannot be written: {error.strerror}",
                fix="choose another --out",
            )
        ) from None


def read_facts(source: str, environment: str) -> Facts:
    """Read facts from a file, or from stdin for ``-``: what `pulumi stack output facts` prints.

    Raises:
        SettingsError: no such file, no facts in it, or facts of another environment.
    """
    named = "stdin" if source == "-" else source
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text()
    except OSError as error:
        raise SettingsError(
            Problem(where=named, what=f"cannot be read: {error.strerror}", fix="give a file, or - for stdin")
        ) from None
    return _parsed(text, named, environment)


def _parsed(text: str, named: str, environment: str) -> Facts:
    try:
        facts = Facts.from_json(text)
    except ValidationError as error:
        raise SettingsError(
            *(
                Problem(where=f"{named} {'.'.join(map(str, found['loc']))}".strip(), what=found["msg"])
                for found in error.errors(include_url=False, include_input=False)
            ),
            detail="    give what `pulumi stack output facts` prints",
        ) from None
    if facts.environment != environment:
        raise SettingsError(
            Problem(
                where=f"{named} environment",
                what=f"these are the facts of {facts.environment}, not of {environment}",
                fix=f"give the facts of {environment}",
            )
        )
    return facts
