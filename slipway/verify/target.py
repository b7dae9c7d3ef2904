"""From what a user writes to a target: an environment with what its settings say, or a bare address; and the password.

target = target_of("prod", username="admin", given=None, cluster=Cluster())
target = target_of("https://registry.example.com", username="robot$ci", given=SecretStr("…"), cluster=Cluster())
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from infra.errors import Problem, SettingsError
from infra.naming import Names
from slipway.harbor.administrator import NAME, WAYS, first_password
from slipway.verify.advice import EVERY_HARBOR
from slipway.verify.scene import Cluster, Expected, Target

if TYPE_CHECKING:
    from infra.settings import Settings
    from values.facts import Facts


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
        settings = find_settings(name)
        target = _of_environment(name, settings, cluster)
        if given is None and username == NAME:
            given, why = first_password(Names(settings.environment).secrets_prefix, settings.region)
            target = replace(target, no_password=f"{why}; {WAYS}")
    if given is None and "://" in name:
        target = replace(target, no_password=f"no password was given: {WAYS}")
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


def _of_environment(name: str, settings: "Settings", cluster: Cluster) -> Target:
    from infra.assemble import example  # noqa: PLC0415  # settings again

    facts = example(settings)  # what is made up in them is not looked at
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
