"""Played: External Secrets with the simulated Secrets Manager.

Nothing happens before the operator's Deployment runs. Then an ExternalSecret becomes a Secret when every value that it
names exists, and is not ready, in the operator's own words, until then; a ClusterExternalSecret gives one to every
namespace that it selects. Not played: the stores' identity and permissions, `refreshInterval` (a change is seen at
once), other sources than `dataFrom.extract` and `data`, and of the template functions all but `list`, `join` and
`sha256sum`, and the one expression that makes a pull secret.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightkube import Client
from lightkube.resources.core_v1 import Namespace, Secret

from infra.delivery.status.observe import is_absent
from slipway.rehearse.cluster.api import apply
from slipway.rehearse.cluster.played.player import documents, not_ready, ready, set_conditions
from slipway.rehearse.cluster.played.spread import selects, spread
from slipway.rehearse.simulated.secrets_manager import SecretsManager

API_VERSION = "external-secrets.io/v1"
_STORES = ("SecretStore", "ClusterSecretStore")
_FIELD = re.compile(r"\{\{ \.(\w+) \}\}")
_DOCKER = re.compile(
    r'\{\{ dict "auths" \(dict "([^"]+)" \(dict "username" \.username "password" \.password '
    r'"auth" \(printf "%s:%s" \.username \.password \| b64enc\)\)\) \| toJson \}\}'
)
_DIGEST = re.compile(r'\{\{ list ((?:\.\w+ ?)+)\| join "" \| sha256sum \}\}')


class Missing(Exception):
    """A value that Secrets Manager does not have, in the operator's words."""


def play(client: Client, secrets_manager: Path) -> None:
    """Bring every ExternalSecret's Secret to what Secrets Manager holds."""
    spread(client)
    values = SecretsManager(secrets_manager).by_name()
    stores = [store for kind in _STORES for store in documents(client, API_VERSION, kind)]
    for store in stores:
        set_conditions(client, store, [ready("Valid", "store validated")])
    for wanted in documents(client, API_VERSION, "ExternalSecret"):
        try:
            _refuse_without_store(client, wanted, stores)
            properties = _properties(wanted["spec"], values)
        except Missing as missing:
            set_conditions(client, wanted, [not_ready("SecretSyncedError", str(missing))])
            continue
        if not (wanted["spec"].get("refreshPolicy") == "CreatedOnce" and _exists(client, wanted)):
            apply(client, _secret(wanted, properties))
        set_conditions(client, wanted, [ready("SecretSynced", "secret synced")])


def _refuse_without_store(client: Client, wanted: Mapping[str, Any], stores: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a store that is not there, or not for this namespace.

    Raises:
        Missing: with the reason.
    """
    named, namespace = wanted["spec"]["secretStoreRef"], wanted["metadata"]["namespace"]
    kind = named.get("kind", "SecretStore")
    for store in stores:
        if (store["kind"], store["metadata"]["name"]) != (kind, named["name"]):
            continue
        if kind == "SecretStore" and store["metadata"]["namespace"] != namespace:
            continue
        conditions = store["spec"].get("conditions", [])
        if conditions and not any(_allows(client, one, namespace) for one in conditions):
            raise Missing(f'using cluster store "{named["name"]}" is not allowed from namespace "{namespace}"')
        return
    raise Missing(f'could not get {kind} "{named["name"]}", not found')


def _allows(client: Client, condition: Mapping[str, Any], namespace: str) -> bool:
    """Tell whether one of a store's conditions lets a namespace in."""
    if namespace in condition.get("namespaces", ()):
        return True
    if "namespaceSelector" not in condition:
        return False
    found = client.get(Namespace, namespace).metadata
    return selects(condition["namespaceSelector"], (found and found.labels) or {})


def _properties(spec: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, str]:
    """Give what the template may name."""
    properties: dict[str, str] = {}
    for at, source in enumerate(spec.get("dataFrom", [])):
        properties |= json.loads(_value(source["extract"]["key"], f"dataFrom[{at}].extract", values))
    for at, source in enumerate(spec.get("data", [])):
        remote = source["remoteRef"]
        held = json.loads(_value(remote["key"], f"data[{at}]", values))
        if remote["property"] not in held:
            raise Missing(f"error processing spec.data[{at}], err: key {remote['property']} does not exist in secret")
        properties[source["secretKey"]] = held[remote["property"]]
    return properties


def _value(key: str, where: str, values: Mapping[str, str]) -> str:
    if key not in values:
        raise Missing(f"error processing spec.{where}, err: Secret does not exist: {key}")
    return values[key]


def _exists(client: Client, wanted: Mapping[str, Any]) -> bool:
    try:
        client.get(Secret, wanted["spec"]["target"]["name"], namespace=wanted["metadata"]["namespace"])
    except Exception as error:
        if is_absent(error):
            return False
        raise
    return True


def _secret(wanted: Mapping[str, Any], properties: Mapping[str, str]) -> dict[str, Any]:
    target = wanted["spec"]["target"]
    template = target.get("template", {})
    filled = {key: _fill(text, properties) for key, text in template.get("data", {}).items()} or properties
    metadata = wanted["metadata"]
    owner = {
        "apiVersion": API_VERSION,
        "kind": "ExternalSecret",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        **({"type": template["type"]} if "type" in template else {}),
        **({"immutable": True} if target.get("immutable") else {}),
        "metadata": {
            "name": target["name"],
            "namespace": metadata["namespace"],
            # Unless told otherwise it goes with its ExternalSecret, as the real one does: `deletionPolicy` is about
            # values that vanish from the provider.
            **({} if target.get("creationPolicy") == "Orphan" else {"ownerReferences": [owner]}),
            **template.get("metadata", {}),
        },
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in filled.items()},
    }


def _fill(text: str, properties: Mapping[str, str]) -> str:
    filled = _FIELD.sub(lambda found: properties[found[1]], text)
    filled = _DOCKER.sub(lambda found: _docker(found[1], properties), filled)
    digested = _DIGEST.sub(lambda found: _digest(found[1].split(), properties), filled)
    if "{{" in digested:
        raise Missing(f"a rehearsal does not play this template: {digested[digested.index('{{') :][:60]}")
    return digested


def _docker(registry: str, properties: Mapping[str, str]) -> str:
    login = {name: properties[name] for name in ("username", "password")}
    auth = base64.b64encode(f"{login['username']}:{login['password']}".encode()).decode()
    return json.dumps({"auths": {registry: {**login, "auth": auth}}})


def _digest(names: list[str], properties: Mapping[str, str]) -> str:
    return hashlib.sha256("".join(properties[name.removeprefix(".")] for name in names).encode()).hexdigest()
