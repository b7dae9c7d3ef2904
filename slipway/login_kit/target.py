"""Which registry, who logs in to it, and what an environment's settings say of both.

registry = registry_of("prod")               # or an address with its scheme
password = password_of(registry, "admin", given=None)

A password never comes from the command line, where every user of the machine would read it.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from infra.errors import Problem, SettingsError
from infra.layers import did_you_mean
from infra.naming import Names
from infra.stack_config import environments, from_stack_file, stack_file
from slipway.project import find_root

VARIABLE = "SLIPWAY_HARBOR_PASSWORD"
WAYS = f"set {VARIABLE}, or give --password-stdin"
_ADMIN_SECRET, _ADMIN_KEY = "harbor-admin", "HARBOR_ADMIN_PASSWORD"


@dataclass(frozen=True, kw_only=True)
class Registry:
    """A registry, and what its environment says.

    Attributes:
        environment: empty where only an address is known; then all that follows is as well.
        region, prefix: of Secrets Manager.
        key_alias: of the KMS key of the environment's secrets.
        account: of AWS, where the settings name it.
        label: of namespaces that get pull secrets.
        pull_robots: names that External Secrets hands to them; empty where it is off.
    """

    url: str
    environment: str = ""
    region: str = ""
    prefix: str = ""
    key_alias: str = ""
    account: str = ""
    label: str = "slipway.dev/harbor-pull"
    pull_robots: tuple[str, ...] = ()


def registry_of(name: str | None) -> Registry:
    """Give the registry of an environment, or at an address; without a name, of the only environment there is.

    Raises:
        SettingsError: there is no such environment.
    """
    if name and "://" in name:
        return Registry(url=name.rstrip("/"))
    root = find_root(Path.cwd())
    known = environments(root)
    if name is None and len(known) != 1:
        what = f"which one? There are {', '.join(known)}" if known else "there is no environment"
        raise SettingsError(Problem(where="--registry", what=what, fix="give --registry ENV, or its https address"))
    environment = name or known[0]
    if environment not in known:
        fix = f"environments: {', '.join(known) or 'none yet'}; an address needs its scheme: https://{environment}"
        what = f"{environment!r} is no environment{did_you_mean(environment, known)}"
        raise SettingsError(Problem(where="--registry", what=what, fix=fix))
    settings = from_stack_file(stack_file(root, environment))
    names, pull = Names(settings.environment), settings.harbor.pull_secrets
    return Registry(
        url=f"https://{settings.domain}",
        environment=settings.environment,
        region=settings.region,
        prefix=names.secrets_prefix,
        key_alias=f"alias/{names.physical('secrets', limit=250)}",
        account=settings.account or "",
        label=pull.label,
        pull_robots=pull.robots if pull.enabled else (),
    )


def password_of(registry: Registry, username: str, *, given: SecretStr | None) -> tuple[SecretStr | None, str]:
    """Give the password: what was given, or the administrator's first one from Secrets Manager; or nothing, and why."""
    if given is not None:
        return given, ""
    if username != "admin" or not registry.environment:
        return None, f"no password of {username} was given"
    import boto3  # noqa: PLC0415  # 200 ms that an address needs not
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    name = f"{registry.prefix}/{_ADMIN_SECRET}"
    try:
        client = boto3.client("secretsmanager", region_name=registry.region)
        return SecretStr(json.loads(client.get_secret_value(SecretId=name)["SecretString"])[_ADMIN_KEY]), ""
    except ClientError as error:
        return None, f"Secrets Manager does not give {name} ({error.response['Error']['Code']})"
    except BotoCoreError as error:
        return None, f"{name} cannot be read from Secrets Manager: {error}"
    except (ValueError, KeyError, TypeError):
        return None, f"{name} in Secrets Manager holds no {_ADMIN_KEY}"
