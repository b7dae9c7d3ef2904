"""`slipway render`: the files that the commit of one environment or of many would hold, without a cloud or Git."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slipway.cli import console
from slipway.cli.console import Output

if TYPE_CHECKING:
    from slipway.fleet import Rendered


def render(
    environments: Annotated[
        list[str] | None, typer.Argument(metavar="ENV...", help="Names of environments: stacks/Pulumi.ENV.yaml.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every environment that has a stack file.")] = False,
    facts: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Facts (pulumi stack output facts): a folder with ENV.json; of one environment a file, - for stdin. "
            "Default: example facts.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="Write the files below DIR.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing, show nothing: only tell what is wrong.")
    ] = False,
    manifests: Annotated[
        bool, typer.Option("--manifests", help="Harbor's objects in place of its HelmRelease; needs the chart.")
    ] = False,
    output: Annotated[
        Output, typer.Option(help="json: path and text of one environment; of several, a summary of each.")
    ] = Output.text,
) -> None:
    """Show the Helm values and Flux objects of an environment; of several, a summary, or the files with --out.

    Without --facts they are made from example facts, which are marked as such and which publishing refuses.
    Every key is checked against the Harbor chart's version first, and every override against what Slipway promises.
    With --manifests the chart is rendered as well, and refused unless it gives the same bytes twice and no secret.
    What is wrong in any environment is told at once, and then nothing is written.

    \b
    Examples:
      slipway render dev
      slipway render prod --out build/ && kubectl kustomize build/apps/harbor/prod/release
      slipway render prod --manifests --out build/
      pulumi stack output facts --stack prod | slipway render prod --facts -
      slipway render --all --facts facts/ --out build/
      slipway render --all --check

    Exit codes: 0 rendered, 1 values that the chart does not take or that break a promise, 2 settings or facts.
    """
    from slipway.fleet import every_environment, render_fleet
    from slipway.project import find_root

    if bool(environments) == everything:
        raise typer.BadParameter("name environments, or give --all", param_hint="ENV...")
    if check and out:
        raise typer.BadParameter("writes nothing, --out does", param_hint="--check")
    root = find_root(Path.cwd())
    names = tuple(dict.fromkeys(environments or every_environment(root)))
    _refuse_one_for_many(facts, names)
    rendered = render_fleet(root, names, facts=facts, manifests=manifests, progress=console.note)
    if check:
        count = sum(1 for _ in rendered)
        console.note(f"{count} {'environment is' if count == 1 else 'environments are'} right")
    elif out:
        _write(list(rendered), out)
    elif len(names) == 1 and not everything:
        (one,) = rendered
        _show(one, output)
    else:
        _summarise([_summary(one) for one in rendered], output)


def _refuse_one_for_many(facts: str | None, names: tuple[str, ...]) -> None:
    from infra.errors import Problem, SettingsError

    if facts and len(names) > 1 and (facts == "-" or not Path(facts).is_dir()):
        raise SettingsError(
            Problem(
                where=f"--facts {facts}",
                what=f"is one environment's facts, and {len(names)} are rendered",
                fix="give a folder that holds ENV.json for each",
            )
        )


def _write(rendered: "list[Rendered]", out: Path) -> None:
    from slipway.rendering import write_files

    for one in rendered:
        write_files(one.files, out)
    count = sum(len(one.files) for one in rendered)
    several = f" of {len(rendered)} environments" if len(rendered) > 1 else ""
    console.note(f"{count} files{several} written below {out}")


def _show(one: "Rendered", output: Output) -> None:
    if output is Output.json:
        console.result_json(dict(one.files))
    else:
        console.result("\n".join(f"---\n# Source: {path}\n{text}".rstrip("\n") for path, text in one.files.items()))


def _summary(one: "Rendered") -> dict[str, Any]:
    return {
        "environment": one.environment,
        "profile": one.facts.profile,
        "chart": one.facts.chart_version,
        "host": one.facts.host,
        "example": one.facts.example,
        "overrides": list(one.overrides),
        "files": len(one.files),
        "bytes": sum(len(text.encode()) for text in one.files.values()),
    }


def _summarise(summaries: list[dict[str, Any]], output: Output) -> None:
    if output is Output.json:
        console.result_json(summaries)
        return
    rows = [("environment", "profile", "chart", "host", "files", "overrides")]
    for one in summaries:
        listed = ", ".join(one["overrides"]) or "-"
        rows.append((one["environment"], one["profile"], one["chart"], one["host"], str(one["files"]), listed))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    console.result("\n".join([typer.style(lines[0], bold=True), *lines[1:]]))
    kilobytes = sum(one["bytes"] for one in summaries) / 1000
    console.note(f"{len(summaries)} environments, {kilobytes:,.0f} kB; --out DIR writes the files")
