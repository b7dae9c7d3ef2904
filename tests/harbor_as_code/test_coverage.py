"""The table against terraform-provider-harbor: every argument judged, every key in our schema, and the page as the table is.

`SLIPWAY_WRITE_DOCS=1` (`make rules`) writes the tables of docs/harbor-as-code.md anew.
"""

import json
import os
from collections.abc import Iterator

import pytest

from infra import tables
from tests.harbor.process import ROOT

PAGE = ROOT / "docs" / "harbor-as-code.md"
START, END = "<!-- coverage -->\n", "<!-- end -->\n"
TABLE = tables.read("harbor-provider")
SCHEMA = json.loads((ROOT / "stacks" / "harbor-schema.json").read_text())
#: As many as the provider's schemas have at that version, so that no line is lost here.
RESOURCES, ARGUMENTS = 20, 183


def keys(judged) -> list[str]:
    key = judged.get("key", []) if isinstance(judged, dict) else judged
    return key if isinstance(key, list) else [key]


def every() -> Iterator[tuple[str, str, object]]:
    for resource, arguments in TABLE["judged"].items():
        for argument, judged in arguments.items():
            yield resource, argument, judged


def below(schema, part) -> Iterator[dict]:
    """Give what a schema has at a part of a path: a key, or `*` for each of a list and any name of a mapping."""
    if "$ref" in schema:
        yield from below(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], part)
    for each in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from below(each, part)
    if part == "*":
        yield from (each for key in ("items", "additionalProperties") if isinstance(each := schema.get(key), dict))
    elif part in schema.get("properties", {}):
        yield schema["properties"][part]


def is_there(path: str) -> bool:
    found = [SCHEMA]
    for part in path.split("."):
        found = [each for one in found for each in below(one, part)]
    return bool(found)


# --- the page


def verdict(judged) -> str:
    if not isinstance(judged, dict):
        return "covered"
    for word, text in (("not", "**not**: {}"), ("better", "**better**: {}"), ("note", "covered: {}")):
        if word in judged:
            return text.format(judged[word])
    return "covered"


def rows(resource: str) -> Iterator[tuple[str, str, str]]:
    """Give argument, key, verdict; what is called the same in one place is one row."""
    alike: dict[str, list[str]] = {}
    for argument, judged in TABLE["judged"][resource].items():
        own = argument.rpartition(".")[2]
        if isinstance(judged, str) and judged.rpartition(".")[2] == own:
            alike.setdefault(judged.rpartition(".")[0], []).append(argument)
            continue
        yield f"`{argument}`", ", ".join(f"`{each}`" for each in keys(judged)), verdict(judged)
    for place, arguments in alike.items():
        told = ", ".join(f"`{each}`" for each in arguments)
        yield (
            told,
            f"`{place}`: the same" if len(arguments) > 1 else f"`{place}.{arguments[0].rpartition('.')[2]}`",
            "covered",
        )


def page() -> str:
    provider, sources = TABLE["provider"], TABLE["data_sources"]
    lines = [
        f"Against {provider['name']} {provider['version']} of {provider['released']}: every resource, every argument; `*` stands for each of a",
        "list, or for any name. Where a verdict speaks of the provider, its source was read, and it was not run.",
    ]
    for group, resources in TABLE["groups"].items():
        about = [TABLE["about"][group], ""] if group in TABLE["about"] else []
        lines += ["", f"### {group}", "", *about, "| resource | argument | in harbor.yaml | |", "|---|---|---|---|"]
        for resource in resources:
            name = f"`{resource}`"
            for argument, key, told in rows(resource):
                lines.append(f"| {name} | {argument} | {key} | {told} |")
                name = ""
    names = ", ".join(f"`{each}`" for each in sources["names"])
    lines += ["", "### Connection and data sources", "", "| the provider's | here | |", "|---|---|---|"]
    for argument, judged in TABLE["connection"].items():
        lines.append(f"| `{argument}` | {', '.join(f'`{each}`' for each in keys(judged))} | {verdict(judged)} |")
    lines += ["", "| data source | |", "|---|---|", f"| {names} | {sources['why']} |"]
    lines += ["", "### What the provider cannot do", "", "| in harbor.yaml | |", "|---|---|"]
    lines += [f"| `{key}` | {what} |" for key, what in TABLE["beyond"].items()]
    return "\n".join(lines) + "\n"


def test_the_page_is_as_the_table():
    head, _, rest = PAGE.read_text().partition(START)
    written, _, tail = rest.partition(END)
    if os.environ.get("SLIPWAY_WRITE_DOCS"):
        PAGE.write_text(f"{head}{START}\n{page()}\n{END}{tail}")
        return
    assert written.strip() == page().strip(), "run `make rules`"


# --- the table


def test_every_argument_of_every_resource_is_judged_and_shown():
    assert {name: sorted(arguments) for name, arguments in TABLE["judged"].items()} == {
        name: sorted(arguments) for name, arguments in TABLE["arguments"].items()
    }
    assert len(TABLE["arguments"]) == RESOURCES
    assert sum(map(len, TABLE["arguments"].values())) == ARGUMENTS
    shown = [each for resources in TABLE["groups"].values() for each in resources]
    assert sorted(shown) == sorted(TABLE["arguments"])


def test_every_verdict_is_one():
    """Covered says where; not covered says why."""
    for argument, judged in TABLE["connection"].items():
        assert len(judged.keys() - {"key"}) == 1, argument
    for resource, argument, judged in every():
        if isinstance(judged, dict):
            assert judged.keys() <= {"key", "note", "better", "not"}, (resource, argument)
            assert len(judged.keys() - {"key"}) <= 1, (resource, argument)
        assert keys(judged) or "not" in judged, (resource, argument)


PATHS = sorted(
    {path for _, _, judged in every() for path in keys(judged)}
    | set(TABLE["beyond"])
    | {"connection.url", "connection.ca_file"}
)


@pytest.mark.parametrize("path", PATHS)
def test_every_key_is_in_the_schema(path):
    assert is_there(path)


def test_a_key_that_is_not_there_would_be_seen():
    for path in ("labels.*.colour", "label", "projects.*.metadata.public.x", "labels.name", "system.config.*"):
        assert not is_there(path), path


def test_what_the_provider_cannot_do_is_none_of_what_it_can():
    assert not {path for _, _, judged in every() for path in keys(judged)} & set(TABLE["beyond"])
