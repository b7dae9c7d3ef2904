"""`slipway upgrade`: the next version of Harbor's chart, seen before it happens."""

import contextlib
import gc
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.errors import Problem, SettingsError, UpgradeError
from slipway.cli import console

if TYPE_CHECKING:
    from slipway.cli.live import Live
    from slipway.upgrade.plan import Plan
    from slipway.upgrade.procedure import Done


class Output(StrEnum):
    """What the plan is written as."""

    text = "text"
    json = "json"
    markdown = "markdown"


def upgrade(
    environment: Annotated[str, typer.Argument(metavar="[ENV]", help="Environment: stacks/Pulumi.ENV.yaml.")] = "",
    to: Annotated[str, typer.Option(metavar="VERSION", help="Chart version. Default: the newest supported.")] = "",
    apply: Annotated[bool, typer.Option("--apply", help="Then do it: stack file, commit, delivery.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --apply: what is to be saved is saved; do not ask.")] = False,
    versions: Annotated[bool, typer.Option("--versions", help="List the supported versions instead.")] = False,
    facts: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Facts of the environment; - for stdin. Default: those in the branch."),
    ] = None,
    no_cluster: Annotated[
        bool, typer.Option("--no-cluster", help="With --apply: end at the commit, and ask no cluster.")
    ] = False,
    rehearsal: Annotated[
        bool, typer.Option("--rehearsal", help="The cluster that `slipway rehearse ENV --keep` left running.")
    ] = False,
    kubeconfig: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Default: KUBECONFIG, then ~/.kube/config.", envvar="KUBECONFIG")
    ] = None,
    context: Annotated[str | None, typer.Option(metavar="NAME", help="Default: the current context.")] = None,
    minutes: Annotated[int, typer.Option("--timeout", metavar="MINUTES", help="For the delivery.")] = 75,
    output: Annotated[Output, typer.Option(help="text, json, or markdown for a pull request.")] = Output.text,
) -> None:
    """Plan the way to another version of Harbor's chart, and with --apply go it.

    The plan begins at what the GitOps branch delivers. It shows what the new chart means for this environment, every
    object that changes and how, what the database goes through, and the commands that save it first. It refuses to
    go back, to skip a minor version, and to begin at something that is not delivered.

    --apply edits chartVersion in the stack file, publishes, and follows the commit until it is delivered. A run that
    was stopped goes on when it is run again. Nothing is ever rolled back: docs/upgrading-harbor.md has the way back.

    \b
    Examples:
      slipway upgrade --versions
      slipway upgrade prod --to 1.19.1
      slipway upgrade prod --output markdown >> "$GITHUB_STEP_SUMMARY"
      slipway upgrade prod --to 1.19.1 --apply

    Exit codes: 0 planned, or done; 1 refused, would fail in the cluster, or stopped (run it again to go on);
    2 settings; 3 others pushed first again and again.
    """
    if versions:
        _show_versions(output)
        return
    if not environment:
        fix = "slipway upgrade ENV, or --versions"
        raise SettingsError(Problem(where="slipway upgrade", what="names no environment", fix=fix))
    from infra.stack_config import from_stack_file, stack_file
    from slipway.cli.live import Live
    from slipway.project import find_root
    from slipway.upgrade import written

    gc.enable()
    root = find_root(Path.cwd())
    settings = from_stack_file(stack_file(root, environment))
    with Live() as live:
        plan = _plan(root, settings, to, facts, live)
    done: list[Done] = []
    if output is not Output.json:
        console.result(written.markdown(plan) if output is Output.markdown else written.text(plan))
    if apply:
        _confirm(plan, yes=yes)
        cluster = None if no_cluster else (kubeconfig, context, rehearsal)
        done = _apply(plan, root, cluster, minutes=minutes)
    if output is Output.json:
        console.result_json({**written.json_value(plan), "done": [vars(one) for one in done]})
    if plan.refused and not apply:
        raise typer.Exit(1)


def _plan(root: Path, settings, to: str, facts: str | None, live: "Live") -> "Plan":  # noqa: ANN001  # Settings costs start-up
    import os

    from infra.delivery.git import Remote
    from slipway.rendering import TOKEN_VARIABLE, read_facts
    from slipway.upgrade.plan import Target, make_plan

    given = read_facts(facts, settings.environment) if facts else None
    remote = Remote.of(settings.gitops, os.environ.get(TOKEN_VARIABLE), root)
    live.begin("plan")
    return make_plan(Target(root=root, settings=settings, to=to, facts=given), remote, progress=live.tell)


def _confirm(plan: "Plan", *, yes: bool) -> None:
    """Refuse what would fail or was not read, and ask.

    Raises:
        UpgradeError: it is refused, or not confirmed.
    """
    if plan.refused:
        raise UpgradeError(
            *(
                Problem(
                    where=f"{one.kind}/{one.name}",
                    what=f"{', '.join((*one.immutable, *one.reinstalls))} cannot be changed in place",
                    fix="keep it as it is by an override, or see docs/upgrading-harbor.md, What is refused",
                )
                for one in plan.refused
            )
        )
    if not plan.is_read:
        fix = "\n    ".join((*plan.notes, "give SLIPWAY_GIT_TOKEN, or run it where the repository can be reached"))
        raise UpgradeError(Problem(where="--apply", what="the branch could not be read", fix=fix))
    if yes or plan.is_delivered:
        return
    if sys.stdin.isatty() and typer.confirm(f"Database and blobs are saved: upgrade {plan.environment}?", err=True):
        return
    fix = "save first what the plan says; then confirm on a terminal, or give --yes"
    raise UpgradeError(Problem(where="--apply", what="was not confirmed; nothing is changed", fix=fix))


def _apply(
    plan: "Plan", root: Path, cluster: tuple[Path | None, str | None, bool] | None, *, minutes: int
) -> list["Done"]:
    from infra.delivery.status.follow import follow
    from infra.delivery.status.observe import request_reconciliation
    from slipway.cli.live import Live
    from slipway.following import following
    from slipway.steps import run_steps
    from slipway.upgrade.procedure import upgrade_steps

    with contextlib.ExitStack() as stack, Live() as live:
        look = to_the_end = None
        if cluster:
            kubeconfig, context, rehearsal = cluster
            look, client = stack.enter_context(
                following(plan.environment, kubeconfig=kubeconfig, context=context, rehearsal=rehearsal)
            )
            to_the_end = lambda: follow(  # noqa: E731  # its arguments are all there is to it
                look,
                timeout=60.0 * minutes,
                tell=lambda chain: live.tell(
                    f"{chain.stands_at.name}: {chain.stands_at.says or chain.stands_at.state}"
                ),
                reconcile=lambda now: request_reconciliation(client, now),
            )
        try:
            done = run_steps(upgrade_steps(plan, root, look=look, follow=to_the_end, note=live.note), live)
        except KeyboardInterrupt:
            fix = f"slipway upgrade {plan.environment} --to {plan.after} --apply goes on from here"
            raise UpgradeError(Problem(what="stopped; Flux goes on with what is committed", fix=fix)) from None
        for one in done:
            live.note(one.says)
        if not cluster:
            live.note(f"follow it: slipway status {plan.environment} --wait")
    return done


def _show_versions(output: Output) -> None:
    from values import contract
    from values.facts import DEFAULT_CHART_VERSION, SUPPORTED_CHART_VERSIONS

    rows = [
        {"chart": one, "harbor": contract.harbor_version(one), "default": one == DEFAULT_CHART_VERSION}
        for one in SUPPORTED_CHART_VERSIONS
    ]
    if output is Output.json:
        console.result_json(rows)
        return
    lines = [
        f"{row['chart']:9} Harbor {row['harbor']}{'  (of new environments)' if row['default'] else ''}" for row in rows
    ]
    console.result("\n".join([*lines, "to add one: charts/harbor/README.md"]))
