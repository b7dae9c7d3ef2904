"""`slipway publish`: the commit that `pulumi up` makes, by hand; of one environment, or of a whole fleet."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from slipway.cli import console
from slipway.cli.console import Output

if TYPE_CHECKING:
    from slipway.publishing import Publication

#: So many changed paths are listed.
_LISTED = 200


def publish(
    environments: Annotated[
        list[str] | None, typer.Argument(metavar="ENV...", help="Names of environments: stacks/Pulumi.ENV.yaml.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every environment that has a stack file.")] = False,
    facts: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Facts: a folder with ENV.json; for one environment a file, or - for stdin. "
            "Default: pulumi stack output facts.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; push nothing.")] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Overwrite generated files that somebody edited by hand.")
    ] = False,
    output: Annotated[Output, typer.Option(help="How to report.")] = Output.text,
) -> None:
    """Commit the rendered files to the GitOps repository, or nothing if nothing changed.

    pulumi up does this by itself; by hand it is for a changed override or template when AWS did not change.
    Environments of one branch go into one commit: all of them, or none where one is refused.
    gitops.mode says how it gets there: a push, a pull request, or files in a folder.
    The token comes from SLIPWAY_GIT_TOKEN or from git's own credential helpers; SLIPWAY_GIT_SSH_KEY names an SSH key.

    \b
    Examples:
      slipway publish prod
      slipway publish prod --dry-run
      slipway publish --all --facts facts/
      pulumi stack output facts --stack prod | slipway publish prod --facts -

    Exit codes: 0 committed or current, 1 refused, 2 settings, 3 others pushed first again and again.
    --output json: commit, created, changed, pullRequest; of several environments a list of these in commits,
    each with repository, branch and environments.
    """
    from slipway.publishing import publish_environments

    if bool(environments) == everything:
        raise typer.BadParameter("name environments, or give --all", param_hint="ENV...")
    publications = publish_environments(
        environments or (), facts=facts, dry_run=dry_run, take_over=take_over, progress=console.note
    )
    if output is Output.text:
        for one in publications:
            _show(one, dry_run=dry_run)
    elif everything or len(environments or ()) > 1:
        console.result_json({"commits": [_full(one) for one in publications]})
    else:
        console.result_json(_short(publications[0]))


def _short(one: "Publication") -> dict[str, Any]:
    done = one.published
    return {
        "commit": done.commit,
        "created": done.created,
        "changed": list(done.changed),
        "pullRequest": done.pull_request,
    }


def _full(one: "Publication") -> dict[str, Any]:
    place = {"repository": one.remote.shown, "branch": one.remote.branch, "environments": list(one.environments)}
    return {**place, **_short(one)}


def _show(one: "Publication", *, dry_run: bool) -> None:
    done, files = one.published, one.remote.mode == "files"
    for path in done.changed[:_LISTED]:
        console.result(f"  {path}")
    if len(done.changed) > _LISTED:
        console.result(f"  and {len(done.changed) - _LISTED} more")
    several = f" of {len(one.environments)} environments" if len(one.environments) > 1 else ""
    count = f"{len(done.changed)} files{several}"
    if dry_run:
        console.result(f"{count} would change")
    elif files:
        said = f"{count} written below {one.remote.folder}: commit them for Flux to see them"
        console.result(said if done.created else f"nothing to change: {one.remote.folder} is current")
    elif done.pull_request:
        state = "waits" if done.created else "still waits"
        console.result(f"{count}: the change {state} in {done.pull_request}; Flux sees it when it is merged")
    elif done.created:
        console.result(f"committed {done.commit}: {count}")
    else:
        console.result(f"nothing to change: {done.commit} is current")
