"""The editor's schema and Pulumi.yaml stay in step with the model; the schema agrees with the reader."""

import json
import re
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from infra.schema import pulumi_config, stack_file_schema
from infra.settings import Settings

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


def test_the_guide_tells_the_defaults_that_count():
    """What stands there as code is the default itself; words (by profile, none) are free."""
    table = {
        name: told
        for line in (ROOT / "docs" / "settings.md").read_text().splitlines()
        if (row := re.match(r"\| `([\w.]+)` \| `([^`]*)` \| ", line))
        for name, told in [row.groups()]
    }
    elsewhere = {"harbor.expose.type", "harbor.expose.proxyNamespace"}  # values.composition, values.network

    assert len(table) > 40
    for name, told in table.items():
        default = _default(name)
        if told.startswith("tables/"):
            assert not default or str(default) in (ROOT / told).read_text(), name
        elif name not in elsewhere:
            assert told == _written(default), name


def _default(name: str) -> object:
    model: type[BaseModel] = Settings
    *sections, last = name.split(".")
    for section in sections:
        kind = _field(model, section).annotation
        model = next(one for one in (kind, *get_args(kind)) if isinstance(one, type) and issubclass(one, BaseModel))
    return _field(model, last).get_default(call_default_factory=True)


def _field(model: type[BaseModel], name: str) -> FieldInfo:
    return next(field for known, field in model.model_fields.items() if (field.alias or known) == name)


def _written(default: object) -> str:
    if isinstance(default, tuple):
        return ", ".join(map(str, default))
    return str(default).lower() if isinstance(default, bool) else str(default)


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
