"""Played: External Secrets with the simulated Secrets Manager.

An ExternalSecret becomes a Secret when every value that it names exists, and is not ready, in the operator's own
words, until then. Not played: the store's identity and permissions, `refreshInterval` (a change is seen at once),
`data` (only `dataFrom.extract`), and template functions (only `{{ .property }}`).
"""

import base64
import json
import re
from pathlib import Path
from typing import Any

from lightkube import Client

from slipway.rehearse.cluster.api import apply
from slipway.rehearse.cluster.played.player import documents, not_ready, ready, set_conditions
from slipway.rehearse.simulated.secrets_manager import SecretsManager

API_VERSION = "external-secrets.io/v1"


def play(client: Client, secrets_manager: Path) -> None:
    """Bring every ExternalSecret's Secret to what Secrets Manager holds."""
    values = SecretsManager(secrets_manager).by_name()
    for store in documents(client, API_VERSION, "SecretStore"):
        set_conditions(client, store, [ready("Valid", "store validated")])
    for wanted in documents(client, API_VERSION, "ExternalSecret"):
        keys = [source["extract"]["key"] for source in wanted["spec"].get("dataFrom", [])]
        if missing := [key for key in keys if key not in values]:
            said = f"error processing spec.dataFrom[0].extract, err: Secret does not exist: {', '.join(missing)}"
            set_conditions(client, wanted, [not_ready("SecretSyncedError", said)])
            continue
        properties = {name: text for key in keys for name, text in json.loads(values[key]).items()}
        apply(client, _secret(wanted, properties))
        set_conditions(client, wanted, [ready("SecretSynced", "secret synced")])


def _secret(wanted: dict[str, Any], properties: dict[str, str]) -> dict[str, Any]:
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
        "metadata": {
            "name": target["name"],
            "namespace": metadata["namespace"],
            "ownerReferences": [owner],
            **template.get("metadata", {}),
        },
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in filled.items()},
    }


def _fill(text: str, properties: dict[str, str]) -> str:
    return re.sub(r"\{\{ \.(\w+) \}\}", lambda found: properties[found[1]], text)
