"""The settings as JSON Schema, for editors, and as Pulumi's own `config` declarations, for `pulumi config`.

No key is required in either: any may come from what stacks share (`infra/layers.py`). The reader tells what is missing.
"""

from typing import Any

from infra.layers import GROUPS, PROJECT, SECRETS, SHARED
from infra.settings import Settings

_EMPTY: dict[str, Any] = {"string": "", "array": [], "object": {}}


def stack_file_schema() -> dict[str, Any]:
    """Give the JSON Schema of ``stacks/Pulumi.<environment>.yaml``: our keys, and room for what Pulumi writes there."""
    settings, definitions = _settings()
    properties = {f"{PROJECT}:{key}": _or_encrypted(schema) for key, schema in settings.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Slipway stack file",
        "type": "object",
        "required": ["config"],
        "additionalProperties": False,
        "properties": {
            "config": {
                "type": "object",
                "properties": properties,
                "patternProperties": {f"^(?!{PROJECT}:)[^:]+:.+$": {"description": "configuration of another package"}},
                "additionalProperties": False,
            },
            "encryptionsalt": {"type": "string", "description": "written by Pulumi"},
            "encryptedkey": {"type": "string", "description": "written by Pulumi"},
            "secretsprovider": {"type": "string", "description": "written by Pulumi"},
            "environment": {"type": ["array", "object"], "description": "Pulumi ESC environments"},
        },
        "$defs": {**definitions, "encrypted": _ENCRYPTED},
    }


def shared_file_schema() -> dict[str, Any]:
    """Give the JSON Schema of what stacks share: the settings by their plain names, and no secret."""
    settings, definitions = _settings()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Settings that stacks share: {SHARED}, {GROUPS}/NAME.yaml",
        "type": "object",
        "properties": {key: schema for key, schema in settings.items() if key not in {"group", *SECRETS}},
        "additionalProperties": False,
        "$defs": definitions,
    }


def _settings() -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the schemas of all settings by name, and the definitions that they refer to."""
    model = Settings.model_json_schema(by_alias=True)
    definitions = {
        name: {key: value for key, value in definition.items() if key != "required"}
        for name, definition in model.pop("$defs").items()
    }
    # The environment is the stack's name, hence the file's; it is no key in it.
    del model["properties"]["environment"]
    return model["properties"], definitions


_ENCRYPTED: dict[str, Any] = {
    "type": "object",
    "description": "written by `pulumi config set --secret`",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
}


def _or_encrypted(schema: dict[str, Any]) -> dict[str, Any]:
    """Admit `secure:` where the setting is a secret; plain text is refused there."""
    variants = schema.get("anyOf", [schema])
    if any(variant.get("writeOnly") for variant in variants):
        return {"$ref": "#/$defs/encrypted", "description": schema.get("description", "")}
    return schema


def pulumi_config() -> dict[str, dict[str, Any]]:
    """Give the `config` block that ``Pulumi.yaml`` must hold, key → declaration.

    Each key has an empty default, which the readers take for "nobody chose": what stacks share, the profile or the
    model decides. (Without a default Pulumi would want the key in every stack file.) Secrets must never have a default,
    and a boolean has no empty one, so neither is declared; Pulumi takes them all the same.
    """
    declared = {}
    for key, entry in stack_file_schema()["properties"]["config"]["properties"].items():
        kind = entry.get("type", "object")
        if entry.get("$ref") == "#/$defs/encrypted" or kind not in _EMPTY:
            continue
        declaration: dict[str, Any] = {"type": kind, "description": entry.get("description", "")}
        if kind == "array":
            declaration["items"] = {"type": entry["items"]["type"]}
        declared[key.removeprefix(f"{PROJECT}:")] = {**declaration, "default": _EMPTY[kind]}
    return declared
