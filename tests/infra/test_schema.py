"""The editor's schema and Pulumi.yaml stay in step with the model; the schema agrees with the reader."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from infra.schema import pulumi_config, stack_file_schema

ROOT = Path(__file__).parents[2]


def test_the_committed_schema_is_current():
    committed = json.loads((ROOT / "stacks" / "schema.json").read_text())

    assert committed == stack_file_schema(), "run: slipway schema"


def test_pulumi_yaml_declares_exactly_the_models_settings():
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]

    assert declared == pulumi_config()


@pytest.mark.parametrize("path", sorted((ROOT / "stacks").glob("Pulumi.*.yaml")), ids=lambda path: path.name)
def test_the_stack_files_satisfy_the_schema(path):
    jsonschema.validate(yaml.safe_load(path.read_text()), stack_file_schema())


@pytest.mark.parametrize(
    "change",
    [
        {"slipway:regoin": "x"},
        {"slipway:profile": "huge"},
        {"slipway:sizes": {"nodes": 1}},
        {"slipway:gitToken": "plain text"},
        {"slipway:domain": None},
    ],
)
def test_an_editor_marks_what_the_reader_refuses(change):
    document = yaml.safe_load((ROOT / "stacks" / "Pulumi.dev.yaml").read_text())
    document["config"].update(change)

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, stack_file_schema())


def test_every_setting_has_a_description():
    def undescribed(schema: dict, at: str) -> list[str]:
        return [
            f"{at}.{name}"
            for name, entry in schema.get("properties", {}).items()
            if not (entry.get("description") or entry.get("const"))
        ]

    schema = stack_file_schema()
    missing = undescribed(schema["properties"]["config"], "config")
    for name, definition in schema["$defs"].items():
        if name != "encrypted":
            missing += undescribed(definition, name)
    assert missing == []


def test_every_setting_is_in_the_guide():
    guide = (ROOT / "docs" / "settings.md").read_text()

    assert [name for name in dotted_settings() if f"`{name}`" not in guide] == []


def dotted_settings() -> list[str]:
    """Give every setting as it is written in the guide, sections with dots."""
    schema = stack_file_schema()

    def below(entry: dict, prefix: str) -> list[str]:
        names = []
        for name, child in entry["properties"].items():
            references = [child, *child.get("anyOf", []), *child.get("allOf", [])]
            section = next((ref["$ref"].rpartition("/")[2] for ref in references if "$ref" in ref), "encrypted")
            dotted = f"{prefix}{name}"
            names += [dotted] if section == "encrypted" else below(schema["$defs"][section], f"{dotted}.")
        return names

    return [name.removeprefix("slipway:") for name in below(schema["properties"]["config"], "")]
