"""The names and documents of a bootstrap; pure."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra.aws.policies import deny_plain_http, policy_document
from infra.errors import Problem, SettingsError
from infra.naming import PREFIX, partition

TAGS = {"ManagedBy": "slipway", "slipway:bootstrap": "state"}
ROLE = f"{PREFIX}-deploy"
ALIAS = f"alias/{PREFIX}-state"
GITHUB = "token.actions.githubusercontent.com"

_GITHUB_FORM = re.compile(r"(?P<repository>[A-Za-z0-9-]+/[A-Za-z0-9._-]+)(@(?P<branch>[A-Za-z0-9._/-]+))?")
_GITLAB_FORM = re.compile(r"(?P<project>[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)+)(@(?P<branch>[A-Za-z0-9._/-]+))?")


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """A CI host whose jobs take the deploy role with a token of their own instead of a stored key.

    Attributes:
        host: of the issuer, as in ``https://<host>``.
        audience: that its tokens are made for.
        subject: of the one kind of job that may.
    """

    host: str
    audience: str
    subject: str


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a bootstrap makes.

    Attributes:
        account, region: where.
        administrators: ARNs of the people and roles that may take the deploy role.
        issuers: CI hosts that may.
    """

    account: str
    region: str
    administrators: tuple[str, ...]
    issuers: tuple[Issuer, ...] = ()

    @property
    def bucket(self) -> str:
        """Name of the state bucket; bucket names are unique over all accounts."""
        return f"{PREFIX}-state-{self.account}-{self.region}"

    @property
    def partition(self) -> str:
        """Second part of every ARN."""
        return partition(self.region)

    @property
    def role_arn(self) -> str:
        """The deploy role's ARN."""
        return f"arn:{self.partition}:iam::{self.account}:role/{ROLE}"

    def issuer_arn(self, issuer: Issuer) -> str:
        """Give the ARN of an identity provider."""
        return f"arn:{self.partition}:iam::{self.account}:oidc-provider/{issuer.host}"

    def bucket_policy(self) -> str:
        """Give the bucket's policy: nothing travels in plain text."""
        arn = f"arn:{self.partition}:s3:::{self.bucket}"
        return policy_document([deny_plain_http([arn, f"{arn}/*"], "s3:*")])

    def trust(self) -> str:
        """Give who may take the deploy role."""
        statements: list[dict[str, Any]] = [
            {"Effect": "Allow", "Principal": {"AWS": sorted(self.administrators)}, "Action": "sts:AssumeRole"}
        ]
        statements += [
            {
                "Effect": "Allow",
                "Principal": {"Federated": self.issuer_arn(issuer)},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {f"{issuer.host}:aud": issuer.audience, f"{issuer.host}:sub": issuer.subject}
                },
            }
            for issuer in self.issuers
        ]
        return policy_document(statements)

    def login(self) -> str:
        """Give the backend's URL for `pulumi login`."""
        return f"s3://{self.bucket}?region={self.region}"

    def secrets_provider(self) -> str:
        """Give the URL for `pulumi stack init --secrets-provider`."""
        return f"awskms://{ALIAS}?region={self.region}"


def github(text: str, environment: str) -> Issuer:
    """Read ``ORG/REPO``, whose jobs of the GitHub environment of the same name may deploy, or ``ORG/REPO@BRANCH``.

    Raises:
        SettingsError: another form; a whole organisation is never trusted.
    """
    found = _GITHUB_FORM.fullmatch(text)
    if not found:
        raise _refused("--github", text, "ORG/REPO or ORG/REPO@BRANCH")
    scope = f"ref:refs/heads/{found['branch']}" if found["branch"] else f"environment:{environment}"
    return Issuer(host=GITHUB, audience="sts.amazonaws.com", subject=f"repo:{found['repository']}:{scope}")


def gitlab(text: str, host: str = "gitlab.com") -> Issuer:
    """Read ``GROUP/PROJECT`` (its branch main), or ``GROUP/PROJECT@BRANCH``.

    Raises:
        SettingsError: another form; a whole group is never trusted.
    """
    found = _GITLAB_FORM.fullmatch(text)
    if not found:
        raise _refused("--gitlab", text, "GROUP/PROJECT or GROUP/PROJECT@BRANCH")
    subject = f"project_path:{found['project']}:ref_type:branch:ref:{found['branch'] or 'main'}"
    return Issuer(host=host, audience=f"https://{host}", subject=subject)


def same_document(one: str | None, other: str | None) -> bool:
    """Tell whether two policy documents say the same; AWS keeps the order of a list, and nothing else."""
    return _parsed(one) == _parsed(other)


def _parsed(text: str | None) -> Any:  # noqa: ANN401  # JSON
    return _unordered(json.loads(text)) if text else None


def _unordered(value: Any) -> Any:  # noqa: ANN401  # JSON
    if isinstance(value, dict):
        return {key: _unordered(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = [_unordered(item) for item in value]
        # IAM gives a list of one back as its item.
        return items[0] if len(items) == 1 else sorted(items, key=json.dumps)
    return value


def _refused(option: str, text: str, form: str) -> SettingsError:
    return SettingsError(Problem(where=option, what=f"{text!r} names no single repository", fix=f"give {form}"))
