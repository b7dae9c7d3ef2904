"""The settings as JSON Schema, for editors, and as Pulumi's own `config` declarations, for `pulumi config`."""

from typing import Any

from infra.settings import Settings
from infra.stack_config import PROJECT

_EMPTY: dict[str, Any] = {"string": "", "array": [], "object": {}}
_PULUMI_TYPES = {"string": "string", "integer": "integer", "boolean": "boolean", "array": "array", "object": "object"}


def stack_file_schema() -> dict[str, Any]:
    """Give the JSON Schema of ``stacks/Pulumi.<environment>.yaml``: our keys, and room for what Pulumi writes there."""
    model = Settings.model_json_schema(by_alias=True)
    definitions = model.pop("$defs")
    # The environment is the stack's name, hence the file's; it is no key in it.
    del model["properties"]["environment"]
    properties = {f"{PROJECT}:{key}": _or_encrypted(schema) for key, schema in model["properties"].items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Slipway stack file",
        "type": "object",
        "required": ["config"],
        "additionalProperties": False,
        "properties": {
            "config": {
                "type": "object",
                "required": [f"{PROJECT}:{key}" for key in model["required"] if key != "environment"],
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

    Secrets are left out: a declared key without default is required, and a secret must never have a default.
    An optional key has the empty default, which the program reads as "the profile decides".
    """
    schema = stack_file_schema()
    required = schema["properties"]["config"]["required"]
    declared = {}
    for key, entry in schema["properties"]["config"]["properties"].items():
        if entry.get("$ref") == "#/$defs/encrypted":
            continue
        kind = _PULUMI_TYPES.get(entry.get("type", "object"), "object")
        declaration: dict[str, Any] = {"type": kind, "description": entry.get("description", "")}
        if kind == "array":
            declaration["items"] = {"type": entry["items"]["type"]}
        if key not in required:
            declaration["default"] = (
                entry["default"] if "default" in entry and kind in {"string", "boolean", "integer"} else _EMPTY[kind]
            )
        declared[key.removeprefix(f"{PROJECT}:")] = declaration
    return declared
