"""From what a user writes to a target: an environment with what its settings say, or a bare address; and the password.

    target = target_of("prod", username="admin", given=None, cluster=Cluster())
    target = target_of("https://registry.example.com", username="robot$ci", given=SecretStr("…"), cluster=Cluster())

A password never comes from the command line, where every user of the machine would read it.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from infra.errors import Problem, SettingsError
from slipway.verify.advice import EVERY_HARBOR
from slipway.verify.scene import Cluster, Expected, Target

if TYPE_CHECKING:
    from infra.settings import Settings
    from values.facts import Facts

VARIABLE = "SLIPWAY_HARBOR_PASSWORD"
_ADMIN_SECRET, _ADMIN_KEY = "harbor-admin", "HARBOR_ADMIN_PASSWORD"  # names
_WAYS = f"set {VARIABLE}, or give --password-stdin"


def target_of(
    name: str,
    *,
    username: str,
    given: SecretStr | None,
    cluster: Cluster,
    robot: bool | None = None,
    ca_file: Path | None = None,
    allow_http: bool = False,
) -> Target:
    """Give what to verify.

    Args:
        name: an environment, or an address with its scheme.
        username: who looks.
        given: the password; None to look for an environment's own.
        cluster: where to look inside.
        robot, ca_file, allow_http: see `Target`.

    Raises:
        SettingsError: no such environment, or no usable address.
    """
    if ca_file and not ca_file.is_file():
        raise SettingsError(Problem(where="--ca-file", what=f"{ca_file} is no file", fix="give a PEM file"))
    if "://" in name:
        target = Target(url=name.rstrip("/"), cluster=cluster if cluster.sure else None)
    else:
        target = _of_environment(name, cluster)
        if given is None and username == "admin":
            given, why = _stored(find_settings(name))
            target = replace(target, no_password=f"{why}; {_WAYS}")
    if given is None and "://" in name:
        target = replace(target, no_password=f"no password was given: {_WAYS}")
    return replace(target, username=username, password=given, robot=robot, ca_file=ca_file, allow_http=allow_http)


def find_settings(environment: str) -> "Settings":
    """Read an environment's settings.

    Raises:
        SettingsError: there is no such environment, or they are not usable.
    """
    from infra.stack_config import environments, from_stack_file, stack_file  # noqa: PLC0415  # settings: 200 ms
    from slipway.project import find_root  # noqa: PLC0415

    root = find_root(Path.cwd())
    if not stack_file(root, environment).is_file() and environment not in environments(root):
        known = ", ".join(environments(root)) or "none yet"
        fix = f"environments: {known}; an address needs its scheme: https://{environment}"
        raise SettingsError(Problem(where="ENV|URL", what=f"{environment!r} is no environment", fix=fix))
    return from_stack_file(stack_file(root, environment))


def _of_environment(name: str, cluster: Cluster) -> Target:
    from infra.assemble import example  # noqa: PLC0415  # settings again

    facts = example(find_settings(name))  # what is made up in them is not looked at
    return Target(url=f"https://{facts.host}", environment=name, expected=expected_of(facts), cluster=cluster)


def expected_of(facts: "Facts") -> Expected:
    """Give what an environment's registry must show."""
    from values.composition import Composition  # noqa: PLC0415  # and facts

    composition = Composition.of(facts)
    scanner = {"trivy"} if composition.has("trivy") else set()
    return Expected(
        components=EVERY_HARBOR | scanner,
        job_replicas=composition.replicas["jobservice"],
        chart_version=facts.chart_version,
        registry_access="ReadWriteMany" if facts.storage.type == "efs" else "",
    )


def _stored(settings: "Settings") -> tuple[SecretStr | None, str]:
    """Give the administrator's first password from Secrets Manager; or nothing, and why."""
    import boto3  # noqa: PLC0415  # 200 ms that an address needs not
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    from infra.assemble import example  # noqa: PLC0415

    name = f"{example(settings).secrets_prefix}/{_ADMIN_SECRET}"
    try:
        client = boto3.client("secretsmanager", region_name=settings.region)
        text = client.get_secret_value(SecretId=name)["SecretString"]
        return SecretStr(_password_in(json.loads(text))), ""
    except ClientError as error:
        return None, f"Secrets Manager does not give {name} ({error.response['Error']['Code']})"
    except BotoCoreError as error:
        return None, f"{name} cannot be read from Secrets Manager: {error}"
    except (ValueError, KeyError, TypeError):
        return None, f"{name} in Secrets Manager holds no {_ADMIN_KEY}"


def _password_in(content: Mapping[str, str]) -> str:
    return content[_ADMIN_KEY]
