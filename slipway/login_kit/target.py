"""Which registry, who logs in to it, and what an environment's settings say of both.

registry = registry_of("prod")               # or an address with its scheme
password = password_of(registry, "admin", given=None)
"""

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from infra.errors import Problem, SettingsError
from infra.layers import did_you_mean
from infra.naming import Names
from infra.stack_config import environments, from_stack_file, stack_file
from slipway.address import parts_of
from slipway.harbor.administrator import NAME, first_password
from slipway.project import find_root


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
        SettingsError: there is no such environment, or it is no address.
    """
    if name and "://" in name:
        if parts_of(name) is None:
            what, fix = f"{name!r} is not an address of a registry", "write it as https://registry.example.com"
            raise SettingsError(Problem(where="--registry", what=what, fix=fix))
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
    if username != NAME or not registry.environment:
        return None, f"no password of {username} was given"
    return first_password(registry.prefix, registry.region)
