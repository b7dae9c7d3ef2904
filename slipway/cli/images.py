"""`slipway images`: what an environment pulls, and what mirrors it."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.errors import Problem, SettingsError
from slipway.cli import console
from slipway.cli.console import Output

if TYPE_CHECKING:
    from slipway.images.images import Images
    from slipway.images.mirror import Mirror
    from values.facts import Facts


class Way(StrEnum):
    """How images come into ECR."""

    pull_through = "pull-through"
    copy = "copy"


class Copier(StrEnum):
    """The program that copies."""

    crane = "crane"
    skopeo = "skopeo"


def images(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="Name of the environment: stacks/Pulumi.ENV.yaml.")],
    facts: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Facts of the environment; - for stdin. Default: made up; images do not differ."
        ),
    ] = None,
    mirror: Annotated[Way | None, typer.Option(help="Show what mirrors the images to ECR.")] = None,
    to: Annotated[
        str | None, typer.Option(metavar="REGISTRY", help="Mirror to another registry and path; --mirror copy only.")
    ] = None,
    tool: Annotated[Copier, typer.Option(help="What the copy commands use.")] = Copier.crane,
    output: Annotated[Output, typer.Option(help="How to report.")] = Output.text,
) -> None:
    """List every image that an environment's cluster pulls: Harbor, Flux, controllers, Trivy's databases.

    Harbor's are taken from the rendered chart, or from a table where the chart is not in the cache; nothing is fetched.
    With --mirror it shows pull-through cache rules or copy commands, and the settings to make afterwards, so that the
    cluster starts without Docker Hub, ghcr.io and without itself. Nothing is run.

    \b
    Examples:
      slipway images prod
      slipway images prod --output json | jq -r '.images[].reference'
      slipway images prod --mirror pull-through
      slipway images prod --mirror copy --tool skopeo
      slipway images prod --mirror copy --to registry.example.com/mirror

    Exit codes: 0 listed, 1 the chart does not render with the values, 2 settings or usage.
    """
    from infra import charts
    from infra.assemble import example
    from infra.delivery.inputs import Inputs, read_inside, read_overrides
    from infra.stack_config import from_stack_file, stack_file
    from slipway.images.images import images as of
    from slipway.images.images import upstream
    from slipway.project import find_root
    from slipway.rendering import read_facts
    from values.releases import Release

    def cached(release: Release) -> Path:
        return charts.cached_or_refuse(release.version, release.repository, release.chart)

    root = find_root(Path.cwd())
    settings = from_stack_file(stack_file(root, environment))
    known = read_facts(facts, environment) if facts else example(settings)
    if mirror:
        known = upstream(known)  # a mirror is filled from where the images come from, also once it is in use
    inputs = Inputs(known.to_json(), read_overrides(root, environment), read_inside(root, environment))
    found = of(known, inputs.as_values().files(), cached)
    mirrored = _mirror(found, known, mirror, to, tool) if mirror else None
    if output is Output.json:
        console.result_json(_json(environment, found, mirrored))
    else:
        console.result("\n".join(_mirror_text(mirrored) if mirrored else _text(found)))
    for note in found.notes:
        console.note(f"note: {note}")
    if mirrored and known.example and not settings.account and not to:
        console.note("note: the account is made up; set slipway:account or give --facts")


def _mirror(found: "Images", facts: "Facts", way: Way, to: str | None, tool: Copier) -> "Mirror":
    from slipway.images.mirror import copies, ecr, pull_through

    if to and way is Way.pull_through:
        raise SettingsError(
            Problem(
                where="--to", what="only copies go to another registry", fix="give --mirror copy, or leave --to out"
            )
        )
    if to:
        return copies(found.images, registry=to.rstrip("/"), region="", tool=tool.value)
    if facts.aws is None:
        raise SettingsError(
            Problem(where="--mirror", what="there is no account here", fix="give --mirror copy --to REGISTRY")
        )
    account, region = facts.aws.account_id, facts.aws.region
    if way is Way.pull_through:
        return pull_through(found.images, account=account, region=region)
    return copies(found.images, registry=ecr(account, region), region=region, tool=tool.value)


def _json(environment: str, found: "Images", mirrored: "Mirror | None") -> dict[str, Any]:
    from slipway.images.mirror import rules_json

    mirror = (
        {
            "mirror": {
                "registry": mirrored.registry,
                "pullThroughCacheRules": rules_json(mirrored),
                "images": dict(mirrored.mirrored),
                "commands": list(mirrored.commands),
                "settings": {"slipway:harbor": mirrored.settings},
                "left": dict(mirrored.left),
            }
        }
        if mirrored
        else {}
    )
    return {
        "environment": environment,
        "images": [
            {
                "reference": one.reference,
                "part": one.part,
                "users": list(one.users),
                "knownFrom": one.known_from,
                "artifact": one.artifact,
            }
            for one in found.images
        ],
        "addons": dict(found.addons),
        "notes": list(found.notes),
        **mirror,
    }


def _text(found: "Images") -> list[str]:
    lines: list[str] = []
    part = ""
    for one in found.images:
        if one.part != part:
            part = one.part
            lines += ["", part] if lines else [part]
        lines.append(
            f"  {one.reference:70} {', '.join(one.users)}{'' if one.known_from == 'chart' else f'  ({one.known_from})'}"
        )
    if found.addons:
        told = ", ".join(f"{name} {version}" for name, version in found.addons.items())
        lines += ["", "EKS add-ons, from AWS's own registry of the region; nothing to mirror", f"  {told}"]
    return lines


def _mirror_text(mirrored: "Mirror") -> list[str]:
    from slipway.images.mirror import settings_yaml

    lines = [*mirrored.commands, "", "# Then in the stack file:"]
    lines += [f"#   {line}" for line in settings_yaml(mirrored).splitlines()]
    lines.append("# Flux's own images: tables/flux.yaml, distribution.registry; the operator's: values of its chart.")
    lines += [f"# left: {image}: {why}" for image, why in mirrored.left.items()]
    return lines
