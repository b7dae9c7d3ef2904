"""`slipway bootstrap`: from an empty account to the first `pulumi up`."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slipway.cli import console
from slipway.cli.console import Output

if TYPE_CHECKING:
    from slipway.bootstrap.bootstrap import Bootstrapped


def bootstrap(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="Name of the environment: stacks/Pulumi.ENV.yaml.")],
    github: Annotated[
        list[str] | None,
        typer.Option(metavar="ORG/REPO[@BRANCH]", help="Trust GitHub Actions: of the environment ENV, or of a branch."),
    ] = None,
    gitlab: Annotated[
        list[str] | None,
        typer.Option(metavar="GROUP/PROJECT[@BRANCH]", help="Trust GitLab CI: of a branch, main if none is named."),
    ] = None,
    gitlab_host: Annotated[str, typer.Option(metavar="HOST", help="Your own GitLab.")] = "gitlab.com",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be made or changed.")] = False,
    output: Annotated[Output, typer.Option(help="How to report.")] = Output.text,
) -> None:
    """Make what must exist before the first `pulumi up`: a state bucket, a key for secrets, a role to deploy with.

    One set serves every environment of an account and region. What is there and fits is kept; what differs is changed,
    and said; what is somebody else's is never touched. Run it as an administrator, once, and again whenever you like.

    \b
    Examples:
      slipway bootstrap prod --dry-run
      slipway bootstrap prod
      slipway bootstrap prod --github acme/registry
      slipway bootstrap prod --gitlab platform/registry@main --gitlab-host git.example.com

    Exit codes: 0 everything is there, 1 AWS refused or something is somebody else's, 2 settings or options.
    """
    from infra.stack_config import from_stack_file, stack_file
    from slipway.bootstrap.bootstrap import bootstrap as settle
    from slipway.bootstrap.wanted import github as github_issuer
    from slipway.bootstrap.wanted import gitlab as gitlab_issuer
    from slipway.project import find_root

    settings = from_stack_file(stack_file(find_root(Path.cwd()), environment))
    issuers = (
        *(github_issuer(text, environment) for text in github or ()),
        *(gitlab_issuer(text, gitlab_host) for text in gitlab or ()),
    )
    found = settle(settings, issuers=issuers, dry_run=dry_run, tell=lambda name: console.note(f"… {name}"))
    if output is Output.json:
        console.result_json(_json(found))
    else:
        console.result(_text(environment, found, dry_run=dry_run))


def _json(found: "Bootstrapped") -> dict[str, object]:
    wanted = found.wanted
    return {
        "account": wanted.account,
        "region": wanted.region,
        "parts": [{"name": one.name, "state": one.state, "changes": list(one.changes)} for one in found.done],
        "login": wanted.login(),
        "secretsProvider": wanted.secrets_provider(),
        "roleArn": wanted.role_arn,
        "roleIsClusterAdministrator": not found.lacks_role,
    }


def _text(environment: str, found: "Bootstrapped", *, dry_run: bool) -> str:
    would = "would be " if dry_run else ""
    lines = []
    for one in found.done:
        state = one.state if one.state == "kept" else f"{would}{one.state}"
        lines.append(f"{state:17}{one.name}" + (f": {', '.join(one.changes)}" if one.changes else ""))
    wanted = found.wanted
    lines += [
        "",
        "Then, for each environment:",
        f"  pulumi login {shlex.quote(wanted.login())}",
        f"  pulumi stack init {environment} --secrets-provider {shlex.quote(wanted.secrets_provider())}",
        "",
        "and deploy with the role, in ~/.aws/config:",
        "  [profile slipway]",
        f"  role_arn = {wanted.role_arn}",
        "  source_profile = default",
        "  $ export AWS_PROFILE=slipway",
    ]
    if found.lacks_role:
        lines += [
            "",
            f"Add {wanted.role_arn} to cluster.adminRoleArns of {environment}: whoever runs `pulumi up` must be there.",
        ]
    return "\n".join(lines)
