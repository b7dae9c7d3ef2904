"""What mirrors an environment's images into Amazon ECR, as commands and as data, and the settings to make afterwards.

    mirror = pull_through(found.images, account="111122223333", region="eu-central-1")
    mirror.commands, mirror.settings

Both ways keep the paths: ``ghcr.io/a/b:1`` becomes ``<registry>/github/a/b:1``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from infra import tables
from infra.naming import partition
from slipway.images.images import Image

Tool = Literal["crane", "skopeo"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One pull-through cache rule of ECR.

    Attributes:
        registry: the upstream, as images name it.
        upstream: ECR's name of it.
        url: ECR's URL of it.
        prefix: of the repositories that ECR makes.
        secret: name of the Secrets Manager secret with the credential that the upstream wants; empty for none.
    """

    registry: str
    upstream: str
    url: str
    prefix: str
    secret: str


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """One way to have the images in ECR.

    Attributes:
        registry: host of the mirror.
        rules: of a pull-through cache; none for copies.
        mirrored: image → where it is then.
        commands: shell lines, in order; a line that begins with ``#`` says what the next ones need.
        settings: of the stack file, to be merged into ``slipway:harbor``.
        left: image → why it stays where it is.
    """

    registry: str
    rules: Sequence[Rule]
    mirrored: Mapping[str, str]
    commands: Sequence[str]
    settings: Mapping[str, Any]
    left: Mapping[str, str]


def pull_through(images: Sequence[Image], *, account: str, region: str) -> Mirror:
    """Give the rules with which ECR fetches each image when it is first pulled."""
    registry = ecr(account, region)
    mirrored, left = _places(images, registry)
    rules = [_rule(name) for name in dict.fromkeys(image.partition("/")[0] for image in mirrored)]
    return Mirror(
        registry=registry,
        rules=rules,
        mirrored=mirrored,
        commands=list(_rule_commands(rules, mirrored, region)),
        settings=_settings(mirrored),
        left=left,
    )


def copies(images: Sequence[Image], *, registry: str, region: str, tool: Tool) -> Mirror:
    """Give the commands that copy each image once; `region` is empty for a registry that is not ECR."""
    mirrored, left = _places(images, registry)
    return Mirror(
        registry=registry,
        rules=[],
        mirrored=mirrored,
        commands=list(_copy_commands(mirrored, registry, region, tool)),
        settings=_settings(mirrored),
        left=left,
    )


def ecr(account: str, region: str) -> str:
    """Give the host of an account's private registry."""
    suffix = "amazonaws.com.cn" if partition(region) == "aws-cn" else "amazonaws.com"
    return f"{account}.dkr.ecr.{region}.{suffix}"


def _places(images: Sequence[Image], mirror: str) -> tuple[dict[str, str], dict[str, str]]:
    mirrored, left = {}, {}
    for image in images:
        known = tables.read("images")["pull-through"].get(image.registry)
        if image.artifact:
            left[image.reference] = _WHY_ARTIFACT[image.part]
        elif image.registry == mirror:
            left[image.reference] = "is in the mirror already"
        elif known is None:
            left[image.reference] = f"{image.registry} is no upstream that ECR knows; name a mirror of your own for it"
        else:
            mirrored[image.reference] = f"{mirror}/{known['prefix']}/{image.path}"
    return mirrored, left


_WHY_ARTIFACT = {
    "flux": "the operator reads it with its own client; a copy is named in tables/flux.yaml, distribution.artifact",
    "trivy databases": "Trivy reads it without a login to ECR: mirror it where none is needed, then set "
    "harbor.trivy.dbRepositories and javaDbRepositories",
}


def _rule(registry: str) -> Rule:
    row = tables.read("images")["pull-through"][registry]
    secret = f"ecr-pullthroughcache/{row['prefix']}" if row["credential"] else ""
    return Rule(registry=registry, upstream=row["upstream"], url=row["url"], prefix=row["prefix"], secret=secret)


def _rule_commands(rules: Sequence[Rule], mirrored: Mapping[str, str], region: str) -> Iterator[str]:
    for rule in rules:
        arn = ""
        if rule.secret:
            yield f"# {rule.registry} wants a credential: " + '{"username": "…", "accessToken": "…"} in a file'
            variable = f"{rule.prefix.upper().replace('-', '_')}_ARN"
            yield (
                f"{variable}=$(aws secretsmanager create-secret --region {region} --name {rule.secret} "
                f"--secret-string file://{rule.prefix}.json --query ARN --output text)"
            )
            arn = f' --credential-arn "${variable}"'
        yield (
            f"aws ecr create-pull-through-cache-rule --region {region} --ecr-repository-prefix {rule.prefix} "
            f"--upstream-registry {rule.upstream} --upstream-registry-url {rule.url}{arn}"
        )
    yield "# The first pull makes the repository, which nodes may not: pull each once as somebody who may."
    yield f"aws ecr get-login-password --region {region} | crane auth login -u AWS --password-stdin {_host(mirrored)}"
    yield from (f"crane manifest {place} > /dev/null" for place in mirrored.values())


def _copy_commands(mirrored: Mapping[str, str], registry: str, region: str, tool: Tool) -> Iterator[str]:
    if region:
        names = dict.fromkeys(_repository(place).partition("/")[2] for place in mirrored.values())
        yield from (f"aws ecr create-repository --region {region} --repository-name {name}" for name in names)
        login = (
            "crane auth login -u AWS --password-stdin" if tool == "crane" else "skopeo login -u AWS --password-stdin"
        )
        yield f"aws ecr get-login-password --region {region} | {login} {registry}"
    for image, place in mirrored.items():
        copy = "crane copy" if tool == "crane" else "skopeo copy --all"
        scheme = "" if tool == "crane" else "docker://"
        yield f"{copy} {scheme}{image} {scheme}{place}"


def _settings(mirrored: Mapping[str, str]) -> dict[str, Any]:
    """Give what makes the environment pull from the mirror: keys below ``slipway:harbor``."""
    settings: dict[str, Any] = {}
    prefixes = {
        image.partition("/")[0]: place.removesuffix(f"/{image.partition('/')[2]}") for image, place in mirrored.items()
    }
    harbor = next((place for image, place in mirrored.items() if "/goharbor/" in image), "")
    if harbor:
        settings["images"] = {"registry": _repository(harbor).rpartition("/")[0]}
    from values.options import UPSTREAM_REGISTRIES  # noqa: PLC0415

    registries = {name: prefix for name, prefix in prefixes.items() if name in UPSTREAM_REGISTRIES}
    if registries:
        settings["infrastructure"] = {"registries": registries}
    return settings


def rules_json(mirror: Mirror) -> list[dict[str, Any]]:
    """Give the rules as plain data: Terraform's aws_ecr_pull_through_cache_rule has the same fields, Pulumi's too."""
    return [
        {
            "ecrRepositoryPrefix": rule.prefix,
            "upstreamRegistry": rule.upstream,
            "upstreamRegistryUrl": rule.url,
            "credentialSecret": rule.secret or None,
        }
        for rule in mirror.rules
    ]


def settings_yaml(mirror: Mirror) -> str:
    """Give the settings as they stand in a stack file."""
    return "\n".join(_yaml({"slipway:harbor": mirror.settings}, ""))


def _yaml(settings: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield f"{indent}{key}:"
            yield from _yaml(value, f"{indent}  ")
        else:
            yield f"{indent}{key}: {value if isinstance(value, str) else json.dumps(value)}"


def _repository(place: str) -> str:
    """Leave out the tag."""
    head, _, last = place.rpartition("/")
    return f"{head}/{last.partition(':')[0]}"


def _host(mirrored: Mapping[str, str]) -> str:
    return next(iter(mirrored.values()), "/").partition("/")[0]
