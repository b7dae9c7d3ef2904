"""Bring an account to what the first `pulumi up` needs; run again, it changes nothing."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, HTTPClientError

from infra.errors import BootstrapError, Problem
from infra.settings import Settings
from slipway.bootstrap.bucket import Bucket
from slipway.bootstrap.key import Key
from slipway.bootstrap.permissions import policies
from slipway.bootstrap.role import Policy, Provider, Role
from slipway.bootstrap.steps import Done, Part, settle
from slipway.bootstrap.wanted import Issuer, Wanted

_ASSUMED = re.compile(r"arn:[^:]+:sts::\d+:assumed-role/(?P<role>[^/]+)/.+")
_EXPIRED = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_REFUSED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}


@dataclass(frozen=True, kw_only=True)
class Bootstrapped:
    """What an account has now.

    Attributes:
        wanted: names and documents.
        done: what became of each part, in order.
        lacks_role: the deploy role is not in the environment's `cluster.adminRoleArns`, and must be.
    """

    wanted: Wanted
    done: tuple[Done, ...]
    lacks_role: bool


def bootstrap(
    settings: Settings,
    *,
    issuers: tuple[Issuer, ...] = (),
    dry_run: bool = False,
    tell: Callable[[str], None] = lambda _text: None,
) -> Bootstrapped:
    """Make or mend everything.

    Args:
        settings: of an environment: its region, its account, and who administers its cluster.
        issuers: CI hosts that may take the deploy role.
        dry_run: only look.
        tell: told what is looked at.

    Raises:
        BootstrapError: no credentials, or not enough; another account; something that is somebody else's.
    """
    try:
        session = boto3.Session(region_name=settings.region)
        caller = session.client("sts").get_caller_identity()
        iam = session.client("iam")
        wanted = _wanted(settings, caller["Account"], _person(caller["Arn"], iam), issuers)
        key = Key(wanted, session.client("kms"))
        documents = policies(wanted)
        parts: list[Part] = [
            key,
            Bucket(wanted, session.client("s3"), lambda: key.arn),
            *(Policy(wanted, iam, name, document) for name, document in documents.items()),
            *(Provider(wanted, iam, issuer) for issuer in issuers),
            Role(wanted, iam, documents),
        ]
        done = []
        for part in parts:
            tell(part.name)
            done.append(settle(part, dry_run=dry_run))
    except (ClientError, BotoCoreError) as error:
        raise _understood(error) from error
    lacks = wanted.role_arn not in settings.cluster.admin_role_arns
    return Bootstrapped(wanted=wanted, done=tuple(done), lacks_role=lacks)


def _person(caller: str, iam: Any) -> str:  # noqa: ANN401  # a boto3 client
    """Give whom to trust: a session's ARN is nobody's for long, and its role's has a path that the session's lacks."""
    assumed = _ASSUMED.fullmatch(caller)
    return iam.get_role(RoleName=assumed["role"])["Role"]["Arn"] if assumed else caller


def _wanted(settings: Settings, account: str, person: str, issuers: tuple[Issuer, ...]) -> Wanted:
    if settings.account and settings.account != account:
        where = f"stacks/Pulumi.{settings.environment}.yaml slipway:account"
        fix = "take the credentials of that account, or correct the setting"
        raise BootstrapError(Problem(where=where, what=f"is {settings.account}, and you are in {account}", fix=fix))
    return Wanted(account=account, region=settings.region, administrators=(person,), issuers=issuers)


def _understood(error: ClientError | BotoCoreError) -> BootstrapError:
    """Give an error that says what to do."""
    if isinstance(error, EndpointConnectionError | HTTPClientError):
        return BootstrapError(Problem(where="AWS", what=str(error), fix="look at the network, then run it again"))
    if not isinstance(error, ClientError):
        fix = "set AWS_PROFILE, or log in: aws sso login; aws configure"
        return BootstrapError(Problem(where="AWS", what=str(error), fix=fix))
    code, operation = error.response["Error"]["Code"], error.operation_name
    if code in _EXPIRED:
        fix = "log in again: aws sso login, or new keys"
        return BootstrapError(Problem(where="AWS", what=f"does not take the credentials ({code})", fix=fix))
    if code in _REFUSED:
        fix = "bootstrap with an administrator's credentials, once; `pulumi up` then takes the deploy role"
        return BootstrapError(Problem(where=f"AWS {operation}", what="is not allowed to you", fix=fix))
    fix = "run it again: it goes on from where it stopped"
    return BootstrapError(Problem(where=f"AWS {operation}", what=str(error), fix=fix))
