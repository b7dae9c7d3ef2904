"""`slipway init`: a new stack file, by asking or from flags."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from slipway.cli import console


def init(
    environment: Annotated[str | None, typer.Argument(metavar="ENV", help="Name of the new environment.")] = None,
    domain: Annotated[str | None, typer.Option(help="Host name of the registry.", show_default=False)] = None,
    region: Annotated[str | None, typer.Option(help="AWS region.", show_default=False)] = None,
    repository: Annotated[str | None, typer.Option(help="Git URL that Flux reads.", show_default=False)] = None,
    branch: Annotated[str | None, typer.Option(help="Its branch. [default: main]", show_default=False)] = None,
    path: Annotated[str | None, typer.Option(help="Folder in it. [default: the root]", show_default=False)] = None,
    profile: Annotated[str | None, typer.Option(help="dev, ha or large. [default: ha]", show_default=False)] = None,
    storage: Annotated[str | None, typer.Option(help="efs or s3. [default: efs]", show_default=False)] = None,
    zone: Annotated[
        list[str] | None, typer.Option(help="Availability zone; once for each.", show_default=False)
    ] = None,
    existing_zone: Annotated[
        str | None, typer.Option(help="Hosted zone of this account to put the name into.", show_default=False)
    ] = None,
    delegate_from: Annotated[
        str | None, typer.Option(help="Parent zone of this account to delegate a new zone from.", show_default=False)
    ] = None,
    admin_role: Annotated[
        list[str] | None,
        typer.Option(help="ARN of a role that administers the cluster, first of all yours.", show_default=False),
    ] = None,
    public_cidr: Annotated[
        list[str] | None, typer.Option(help="Network that `pulumi up` runs in; once for each.", show_default=False)
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="AWS account id; any other is refused.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing stack file.")] = False,
) -> None:
    """Make stacks/Pulumi.ENV.yaml.

    Asks for what the flags leave open when it runs on a terminal, and never otherwise.

    \b
    Examples:
      slipway init
      slipway init prod --domain harbor.example.com --region eu-central-1 \\
        --repository https://git.example.com/platform/gitops.git --delegate-from example.com \\
        --admin-role arn:aws:iam::111122223333:role/platform --public-cidr 203.0.113.0/24
    """
    from slipway import new_stack
    from slipway.project import find_root

    root = find_root(Path.cwd())
    answers: dict[str, Any] = {
        "environment": environment,
        "domain": domain,
        "region": region,
        "profile": profile,
        "storage": storage,
        "zones": zone or None,
        "account": account,
        "gitops.repository": repository,
        "gitops.branch": branch,
        "gitops.path": path,
        "cluster.adminRoleArns": admin_role or None,
        "cluster.publicAccessCidrs": public_cidr or None,
        "dns.existingZone": existing_zone,
        "dns.delegateFrom": delegate_from,
    }
    given = {key: value for key, value in answers.items() if value is not None}
    if new_stack.missing(given) and sys.stdin.isatty() and sys.stdout.isatty():
        from slipway.cli.questions import ask

        given = ask(given, root)
    written = new_stack.write(given, root=root, force=force)
    console.note(f"{written} written. Next: slipway rehearse {given['environment']}")
    if not given.get("cluster.adminRoleArns") or not given.get("cluster.publicAccessCidrs"):
        console.note("Before that, say who runs `pulumi up` and from where: slipway:cluster (docs/settings.md)")
