"""`slipway harbor install-runner`: the robot with which the jobs in the cluster look after Harbor."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slipway.cli import console
from slipway.cli.console import Output
from slipway.cli.harbor import _Files, _Format, _Name, _open, _Url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slipway.harbor.robots.install import Installed, Runner


def install_runner(
    environment: _Name,
    file: _Files = None,
    url: _Url = None,
    secret_to: Annotated[
        str,
        typer.Option(
            metavar="PLACE",
            help="aws:NAME, kubernetes:NAMESPACE/NAME or file:PATH. Default: where the job reads it: the environment's "
            "Secrets Manager; without AWS the Secret harbor/harbor-layer3.",
        ),
    ] = "",
    region: Annotated[str, typer.Option(metavar="REGION", help="Of Secrets Manager, for an aws: PLACE.")] = "",
    days: Annotated[int, typer.Option(min=1, max=3650, help="So long each robot lives.")] = 90,
    now: Annotated[bool, typer.Option("--now", help="Renew it, though it has long to live yet.")] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Replace robots of its name whose secret is lost; they stop at once.")
    ] = False,
    kubeconfig: Annotated[Path | None, typer.Option(metavar="FILE", help="Cluster for a kubernetes: PLACE.")] = None,
    context: Annotated[str | None, typer.Option(metavar="NAME", help="Of the kubeconfig.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")] = False,
    output: _Format = Output.text,
) -> None:
    """Make the robot with which the jobs in the cluster (harbor.layer3) look after Harbor, or renew it.

    It may read what harbor.yaml declares, and no more; where harbor.layer3.rotate is set, also make and delete the
    robots that have rotation there. It is a pair: run again, this mends its rights, makes the second robot when the
    first ends within 30 days, and ends the older one a day later. Run it after each change of what is declared, and
    from time to time. Only an administrator of Harbor can; the password comes from where `plan` takes it.

    \b
    Examples:
      slipway harbor install-runner prod
      slipway harbor install-runner prod --now
      slipway harbor install-runner laptop -f harbor.yaml --url https://harbor.localhost

    Exit codes: 0 done, 1 Harbor, AWS or the cluster refused, or wrong usage, 2 wrong settings.
    """
    from slipway.harbor.robots.install import Runner, asked, run_install

    opened = _open(environment, file, url)
    place, is_ours, rotates = asked(environment, secret_to=secret_to, region=region)
    wish = Runner(
        place=place,
        is_ours=is_ours,
        rotates=rotates,
        days=days,
        now=now,
        take_over=take_over,
        dry_run=dry_run,
        kubeconfig=kubeconfig,
        context=context,
    )
    installed = run_install(opened, wish, tell=lambda text: console.note(f"… {text}"))
    if output is Output.json:
        console.result_json({"environment": environment, "url": opened.url} | _json(installed, wish))
    else:
        for line in _told(installed, wish):
            console.result(line)


def add_to(app: typer.Typer) -> None:
    """Add it to `slipway harbor`."""
    app.command()(install_runner)


def _json(installed: "Installed", wish: "Runner") -> dict[str, object]:
    issued = installed.issued
    return {
        "dryRun": wish.dry_run,
        "robot": issued.robot,
        "act": issued.decision.act,
        "why": issued.decision.why,
        "ends": issued.ends.isoformat() if issued.ends else None,
        "mended": issued.mended,
        "older": issued.older or None,
        "secret": str(wish.place),
        "rotates": wish.rotates,
        "rights": {namespace: sorted(rights) for namespace, rights in sorted(installed.rights.items())},
    }


def _told(installed: "Installed", wish: "Runner") -> "Iterator[str]":
    issued = installed.issued
    would = "would be " if wish.dry_run else ""
    ends = f", until {issued.ends:%Y-%m-%d}" if issued.ends else ""
    yield f"robot     {issued.robot}: {issued.decision.act}, {issued.decision.why}{ends}"
    if issued.mended:
        yield f"mended    its rights {would or 'were '}brought to what harbor.yaml needs"
    yield f"secret    {would}in {wish.place}"
    for namespace, rights in sorted(installed.rights.items()):
        where = {"/": "on the system", "*": "in all projects"}.get(namespace, f"in {namespace}")
        if rights:
            yield f"may       {where}: {', '.join(sorted(rights))}"
    if issued.older:
        yield f"older     {issued.older} stays valid for a day; the next run after that ends it"
