"""harbor.yaml as JSON Schema, for editors: `# yaml-language-server: $schema=../harbor-schema.json`."""

from typing import Any

from slipway.harbor.spec.root import HarborSpec


def harbor_schema() -> dict[str, Any]:
    """Give the schema; a project may be written as a mapping, as its profile's name, or as nothing at all."""
    schema = HarborSpec.model_json_schema()
    line = {"$ref": "#/$defs/ProjectLine"}
    named = {"allOf": [line], "required": ["name"]}
    properties = schema["properties"]
    properties["projects"] = {
        "description": "By name: what holds for it besides its profile and the defaults. Or a list with names.",
        "anyOf": [
            {"type": "object", "additionalProperties": {"anyOf": [line, {"type": "string"}, {"type": "null"}]}},
            {"type": "array", "items": {"anyOf": [{"type": "string"}, named]}},
        ],
    }
    # What refuses the unknown cannot be put together with a name from outside it.
    schema["$defs"]["ProjectLine"]["properties"]["name"] = {"type": "string", "description": "In a list of projects."}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Slipway's harbor.yaml"}
