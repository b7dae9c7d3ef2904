"""What an `up` would replace or delete of what is there already, and whose data that takes along.

The state is Pulumi's own (`pulumi stack export`). The program is recorded with the outputs that the state has, so that
what it would register now can be held against what it registered then, without an account.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from infra.durable import STATEFUL
from infra.stack_config import stack_file, whole_stack_file
from slipway.graph.environment import outputs
from slipway.graph.record import UNKNOWN, Graph, Secret, configuration, record
from slipway.graph.replacement import is_needed

#: What would be lost with a resource, in words.
DATA = {
    "aws:backup/vault:Vault": "every recovery point in it",
    "aws:efs/fileSystem:FileSystem": "the registry's blobs",
    "aws:eks/cluster:Cluster": "nothing that is not in Git, but every workload stops until the new one is there",
    "aws:kms/key:Key": "whatever it encrypted",
    "aws:rds/instance:Instance": "Harbor's database",
    "aws:route53/zone:Zone": "the name's delegation: every client stops resolving it",
    "aws:s3/bucket:Bucket": "the registry's blobs",
    "aws:secretsmanager/secret:Secret": "a credential that Harbor reads",
    "random:index/randomPassword:RandomPassword": "a secret that lives in the state alone",
    "tls:index/privateKey:PrivateKey": "the key that Harbor signs tokens with",
}
_INVOKES = "aws:index/getCallerIdentity:getCallerIdentity"


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A resource that would not stay what it is.

    Attributes:
        type: its type token.
        name: its logical name.
        what: it is replaced, or deleted because the program no longer has it.
        because: property → what it is in the state, and what it would be; empty for a deletion.
        data: what is lost with it, in words; empty where nothing is.
        protected: Pulumi refuses to do it.
    """

    type: str
    name: str
    what: Literal["replace", "delete"]
    because: Mapping[str, tuple[Any, Any]]
    data: str
    protected: bool


def losses(root: Path, environment: str, deployment: Mapping[str, Any]) -> list[Loss]:
    """Give what the next `up` would replace or delete, in the program's order, deletions last.

    Args:
        root: the project's folder.
        environment: name of the stack file.
        deployment: as `pulumi stack export` has it under ``deployment``.

    Raises:
        SettingsError, GraphError: as `slipway.graph.environment.record_environment`.
    """
    # What is marked for deletion has a successor of the same URN.
    there = {
        resource["urn"]: resource
        for resource in deployment.get("resources") or []
        if resource.get("custom") and not resource.get("delete")
    }
    graph = _recorded(root, environment, there)
    return [*_replaced(graph, there), *_deleted(graph, there)]


def _recorded(root: Path, environment: str, there: Mapping[str, Any]) -> Graph:
    """Record the program as it is now, over what AWS has answered already."""
    from infra.program import program  # noqa: PLC0415  # pulumi_aws

    known = {(item["type"], _name(item["urn"])): _outputs(item) for item in there.values()}
    account = next(filter(None, (_account(item) for item in there.values())), "")

    def answers(token: str, name: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        made_up = outputs(token, name, inputs)
        if token == _INVOKES and account:
            return {**made_up, "accountId": account}
        # What the program gives is its own, and may be what changes; what AWS computed stays as it was.
        answered = known.get((token, name), {})
        return {**made_up, **{key: value for key, value in answered.items() if key not in inputs}}

    config = configuration(whole_stack_file(stack_file(root, environment)))
    return record(program, stack=environment, config=config, outputs=answers)


def _replaced(graph: Graph, there: Mapping[str, Any]) -> Iterator[Loss]:
    gone: set[str] = set()
    for node in graph:
        old = there.get(node.urn)
        if old is None:
            continue
        because = {
            key: (before, after if _differ(before, after) else "that of what replaces it")
            for key, after in node.inputs.items()
            if is_needed(node.type, key)
            and _is_readable(before := (old.get("inputs") or {}).get(key))
            and _is_readable(after)
            and (_differ(before, after) or any(identity in json.dumps(after) for identity in gone))
        }
        if because:
            gone |= {str(found) for found in (old.get("id"), _outputs(old).get("arn")) if found}
            yield _loss(old, "replace", because)


def _deleted(graph: Graph, there: Mapping[str, Any]) -> Iterator[Loss]:
    registered = {node.urn for node in graph}
    for urn, resource in there.items():
        renamed = any(f'"{_name(urn)}"' in alias or urn in alias for node in graph for alias in node.aliases)
        if urn not in registered and not renamed and not resource["type"].startswith("pulumi:providers:"):
            yield _loss(resource, "delete", {})


def _loss(resource: Mapping[str, Any], what: Literal["replace", "delete"], because: Mapping[str, Any]) -> Loss:
    return Loss(
        type=resource["type"],
        name=_name(resource["urn"]),
        what=what,
        because=because,
        data=DATA.get(resource["type"], ""),
        protected=bool(resource.get("protect")),
    )


def holds_data(loss: Loss) -> bool:
    """Tell whether data, credentials or a delegated name go with it."""
    return loss.type in STATEFUL


def _outputs(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Give what AWS answered and Pulumi did not encrypt, with the id."""
    found = {key: value for key, value in (resource.get("outputs") or {}).items() if _is_readable(value)}
    return {**found, "id": resource.get("id", "")}


def _is_readable(value: Any) -> bool:  # noqa: ANN401  # any input
    """Tell whether a value can be compared: it is neither encrypted nor unknown."""
    if isinstance(value, Secret):
        return False
    if isinstance(value, Mapping):
        return "ciphertext" not in value and all(map(_is_readable, value.values()))
    if isinstance(value, list):
        return all(map(_is_readable, value))
    return value != UNKNOWN


def _differ(before: Any, after: Any) -> bool:  # noqa: ANN401  # any input
    """Compare as the engine's wire does, which knows one kind of number and no defaults."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        keys = {key for key in {*before, *after} if not key.startswith("__")}
        return any(_differ(before.get(key), after.get(key)) for key in keys)
    if isinstance(before, list) and isinstance(after, list):
        return len(before) != len(after) or any(map(_differ, before, after))
    return before != after


def _account(resource: Mapping[str, Any]) -> str:
    arn = (resource.get("outputs") or {}).get("arn")
    parts = arn.split(":") if isinstance(arn, str) else []
    return parts[4] if len(parts) > 4 and parts[4].isdigit() else ""  # arn:partition:service:region:account


def _name(urn: str) -> str:
    return urn.rsplit("::", 1)[1]
