"""`slipway teardown`: the end of an environment, with its data kept or deleted."""

import gc
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.errors import Problem, TeardownError
from slipway.cli import console
from slipway.cli.console import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slipway.forecast.cost import Cost
    from slipway.teardown.keeping import Kept


def teardown(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="Name of the environment: stacks/Pulumi.ENV.yaml.")],
    delete_data: Annotated[
        bool, typer.Option("--delete-data", help="Delete database, blobs, keys, secrets, zone and backups as well.")
    ] = False,
    only_previous: Annotated[
        bool, typer.Option("--previous", help="Delete only what a restore replaced: its keepPrevious must be false.")
    ] = False,
    confirm: Annotated[
        str, typer.Option(metavar="ENV", help="Confirm every step beforehand by the environment's name, as CI does.")
    ] = "",
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would stay.")] = False,
    skip_cluster: Annotated[
        bool, typer.Option("--skip-cluster", help="The cluster is gone or cannot be reached; see docs/recovery.md.")
    ] = False,
    kubeconfig: Annotated[Path | None, typer.Option(help="Of the cluster. Default: KUBECONFIG.")] = None,
    context: Annotated[str | None, typer.Option(help="Context in it. Default: the current one.")] = None,
    output: Annotated[Output, typer.Option(help="How to show what stays.")] = Output.text,
) -> None:
    """Tear an environment down. What holds data stays, unless --delete-data.

    Harbor leaves the cluster first, so that its load balancer goes; then AWS's deletion protection is lifted for this
    run alone, and Pulumi destroys. Kept data stays protected and in the state, with the network, groups and keys that
    it needs: the next `pulumi up` builds everything else around it again. A teardown that stopped goes on when it is
    run again.

    \b
    Examples:
      slipway teardown dev --plan
      slipway teardown prod --previous          # the database before the last restore
      slipway teardown dev
      slipway teardown dev --delete-data
      slipway teardown dev --delete-data --confirm dev   # no questions

    Exit codes: 0 done, 1 a step failed or was declined (run it again to go on), 2 settings.
    """
    from infra.stack_config import from_stack_file, stack_file
    from slipway.cli.live import Live
    from slipway.forecast.kept import cost_of_kept
    from slipway.project import find_root
    from slipway.steps import run_steps
    from slipway.teardown.keeping import kept
    from slipway.teardown.previous import previous, previous_steps
    from slipway.teardown.procedure import Mode, steps
    from slipway.teardown.pulumi import PulumiStack

    gc.enable()
    root = find_root(Path.cwd())
    settings = from_stack_file(stack_file(root, environment))
    mode = Mode.delete_data if delete_data else Mode.keep_data
    stack = PulumiStack(pulumi=_pulumi(), root=root, environment=environment, asks=not confirm)
    deployment = stack.deployment()
    if only_previous:
        if delete_data:
            raise TeardownError(
                Problem(where="--previous", what="and --delete-data exclude each other", fix="give one")
            )
        going = previous(deployment, settings)
        if output is Output.json:
            console.result_json({"mode": Mode.previous, "deleted": going})
        else:
            console.result("\n".join(["Deleted for good, without a final snapshot:", *(f"  {urn}" for urn in going)]))
        if not plan:
            _confirm(environment, confirm, delete_data=True)
            run_steps(previous_steps(stack, settings), Live())
            console.note(f"the previous generation of {environment} is gone")
        return
    stays = kept(deployment) if mode is Mode.keep_data else []
    costs = cost_of_kept(deployment, stays, settings)
    if output is Output.json:
        monthly = round(costs.monthly, 2)
        console.result_json({"mode": mode, "kept": [vars(item) for item in stays], "monthly": monthly})
    else:
        console.result(_text(environment, stays, costs, delete_data=delete_data))
    if plan:
        return
    _confirm(environment, confirm, delete_data=delete_data)

    watcher = Live()

    def leave() -> None:
        if skip_cluster:
            watcher.note("the cluster is left as it is: a load balancer may stay, and hold the VPC")
            return
        from infra.delivery.status.observe import connect
        from slipway.teardown.withdraw import withdraw

        with connect(kubeconfig, context) as client:
            withdraw(client, tell=watcher.note)

    # Pulumi draws on the terminal itself: the watcher only says which step it is.
    run_steps(steps(stack, mode, leave), watcher)
    console.note(f"{environment} is torn down")


def _pulumi() -> str:
    if found := shutil.which("pulumi"):
        return found
    raise TeardownError(
        Problem(where="PATH", what="pulumi is not on it", fix="install the Pulumi CLI, and log in to the backend")
    )


def _confirm(environment: str, confirmed: str, *, delete_data: bool) -> None:
    """Ask once for the whole; Pulumi asks again before each step.

    Raises:
        TeardownError: not confirmed.
    """
    if confirmed == environment:
        return
    if not confirmed and sys.stdin.isatty():
        question = "to delete all of it" if delete_data else "to tear it down"
        if typer.prompt(f"Type {environment} {question}", err=True) == environment:
            return
    given = f"got {confirmed!r}" if confirmed else "nothing was"
    raise TeardownError(
        Problem(where="--confirm", what=f"{given} confirmed", fix=f"repeat the name: --confirm {environment}")
    )


def _text(environment: str, stays: "Sequence[Kept]", costs: "Cost", *, delete_data: bool) -> str:
    if delete_data:
        return f"Nothing of {environment} stays: database, blobs, keys, secrets, zone and recovery points are deleted."
    width = max((len(item.type) for item in stays), default=0)
    lines = [
        f"  {item.type:{width}}  {item.name}{'' if item.protected else '  (needed by it)'}"
        for item in sorted(stays, key=lambda item: (not item.protected, item.type, item.name))
    ]
    priced = [
        f"  ${line.monthly:>9,.2f}  {line.service}: {line.what}"
        for line in sorted(costs.lines, key=lambda line: -line.monthly)
    ]
    total = f"and cost about ${costs.monthly:,.2f} a month, with as much stored as tables/usage.yaml says:"
    return "\n".join([f"{len(stays)} resources of {environment} stay:", *lines, total, *priced])
