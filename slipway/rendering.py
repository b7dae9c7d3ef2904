"""From an environment's name to its files: what `render` and `publish` share."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from pydantic import ValidationError

from infra.delivery.inputs import Inputs
from infra.errors import Problem, SettingsError, ToolError
from values.facts import Facts

if TYPE_CHECKING:
    from infra.delivery.order import Published

TOKEN_VARIABLE = "SLIPWAY_GIT_TOKEN"  # noqa: S105


def files_of(
    facts: Facts,
    overrides: Mapping[str, str],
    inside: Mapping[str, str],
    *,
    manifests: bool,
    progress: Callable[[str], None],
) -> dict[str, str]:
    """Render the files of one environment: path in the GitOps repository → text.

    Args:
        facts: of the environment.
        overrides: the team's own values.
        inside: the team's harbor.yaml, name → text.
        manifests: Harbor's objects in place of its release.
        progress: told that the chart is fetched, which manifests are rendered from.

    Raises:
        ValuesError: a key that the chart does not know, a value of the wrong type, or a broken promise.
        ChartUnavailable: manifests without the chart.
    """
    if manifests or facts.content == "manifests":
        from infra.charts import archive  # noqa: PLC0415  # its HTTP client is for those who want objects

        archive(facts.chart_version, facts.chart_repository, progress)  # what follows finds it in the cache
        facts = facts.model_copy(update={"content": "manifests"})
    return Inputs(facts.to_json(), overrides, inside).files()


def publish_environment(
    environment: str, facts_source: str | None, *, dry_run: bool, take_over: bool, progress: Callable[[str], None]
) -> "Published":
    """Publish the files of one environment; see `slipway.publishing`, which does it for many."""
    from slipway.publishing import publish_environments  # noqa: PLC0415  # it reads facts as we do

    (one,) = publish_environments(
        [environment], facts=facts_source, dry_run=dry_run, take_over=take_over, progress=progress
    )
    return one.published


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
    except UnicodeDecodeError as error:
        fix = "give what `pulumi stack output facts` prints"
        raise SettingsError(Problem(where=named, what=f"is not UTF-8 text ({error.reason})", fix=fix)) from None
    return _parsed(text, named, environment)


def _parsed(text: str, named: str, environment: str) -> Facts:
    _refuse_other_version(text, named)
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


def _refuse_other_version(text: str, named: str) -> None:
    """Facts of another version differ in more than their number; one sentence instead of a problem for each key."""
    try:
        version = json.loads(text)["schemaVersion"]
    except (ValueError, LookupError, TypeError):
        return  # no facts at all, or incomplete ones: the model says what is wrong
    (ours,) = get_args(Facts.model_fields["schema_version"].annotation)
    if version != ours:
        raise SettingsError(
            Problem(
                where=f"{named} schemaVersion",
                what=f"these are facts of version {version}, and this Slipway reads version {ours}",
                fix="run `pulumi up` with this Slipway, then take its facts again",
            )
        )
