"""CI hosts whose jobs take an AWS role with a token of their own, so that no secret is stored there.

github("acme/shop@main").subject     # repo:acme/shop:ref:refs/heads/main
"""

import re
from dataclasses import dataclass

from infra.errors import Problem, SettingsError
from slipway.bootstrap import wanted

_UUID = r"\{?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?"
_BITBUCKET = re.compile(
    rf"(?P<workspace>[A-Za-z0-9_-]+)/(?P<id>{_UUID})/(?P<repository>{_UUID})(@(?P<branch>[\w./-]+))?"
)


@dataclass(frozen=True, kw_only=True)
class Host:
    """An issuer of tokens, and the one kind of job that is trusted.

    Attributes:
        host: of the issuer, as in ``https://<host>``; Bitbucket's has a path.
        branch: that the snippets run for.
    """

    host: str
    audience: str
    subject: str
    branch: str = "main"


def github(text: str = "") -> Host:
    """Read ``ORG/REPO[@BRANCH]``; without one, words to fill in.

    Raises:
        SettingsError: another form.
    """
    branch = text.partition("@")[2] or "main"
    repository = text.partition("@")[0] or "ORG/REPO"
    issuer = wanted.github(f"{repository}@{branch}", "")
    return Host(host=issuer.host, audience=issuer.audience, subject=issuer.subject, branch=branch)


def gitlab(text: str = "", host: str = "gitlab.com") -> Host:
    """Read ``GROUP/PROJECT[@BRANCH]``; without one, words to fill in.

    Raises:
        SettingsError: another form.
    """
    issuer = wanted.gitlab(text or "GROUP/PROJECT", host)
    branch = text.partition("@")[2] or "main"
    return Host(host=issuer.host, audience=issuer.audience, subject=issuer.subject, branch=branch)


def bitbucket(text: str = "") -> Host:
    """Read ``WORKSPACE/WORKSPACE-UUID/REPOSITORY-UUID[@BRANCH]``, as the repository's page "OpenID Connect" shows them.

    Raises:
        SettingsError: another form.
    """
    found = _BITBUCKET.fullmatch(text)
    if text and not found:
        fix = "give WORKSPACE/WORKSPACE-UUID/REPOSITORY-UUID; the repository's settings show them under OpenID Connect"
        raise SettingsError(Problem(where="--bitbucket", what=f"{text!r} names no single repository", fix=fix))
    workspace, number, repository, branch = (
        (found["workspace"], found["id"].strip("{}"), found["repository"].strip("{}"), found["branch"] or "main")
        if found
        else ("WORKSPACE", "WORKSPACE-UUID", "REPOSITORY-UUID", "main")
    )
    return Host(
        host=f"api.bitbucket.org/2.0/workspaces/{workspace}/pipelines-config/identity/oidc",
        audience=f"ari:cloud:bitbucket::workspace/{number}",
        # What follows the repository is the environment and the step, each with an id of its own.
        subject=f"{{{repository}}}:*",
        branch=branch,
    )
