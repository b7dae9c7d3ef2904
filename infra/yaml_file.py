"""A YAML file with the line of each of its keys, for reports that name the place.

document = parsed(path, path.read_bytes())
document.data["config"], document.place(("config", "slipway:region"))   # "Pulumi.prod.yaml:3 slipway:region"
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from infra.errors import Problem, SettingsError

Location = tuple[str | int, ...]

# libyaml parses ten times faster; a build of PyYAML without it still works.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_TEXT = "tag:yaml.org,2002:str"


@dataclass(frozen=True, kw_only=True, eq=False)
class Document:
    """A YAML file: its data, its text, and the line of each key."""

    path: Path
    data: Any
    node: yaml.Node | None = None
    text: str = ""

    @cached_property
    def lines(self) -> Mapping[Location, int]:
        """Location → line. Made when somebody asks: most files are right."""
        found: dict[Location, int] = {}
        _collect_lines(self.node, (), found)
        return found

    def place(self, location: Location) -> str:
        """Name file, line and key; the line of the nearest parent where the key itself is missing."""
        ends = range(len(location), 0, -1)
        line = next((self.lines[location[:end]] for end in ends if location[:end] in self.lines), None)
        key = ".".join(map(str, location[1:] if location[:1] == ("config",) and len(location) > 1 else location))
        return f"{self.path}:{line} {key}" if line else f"{self.path} {key}"


def parsed(path: Path, content: bytes) -> Document:
    """Parse a file once, for its data and for the places in it. An empty one is an empty mapping.

    Raises:
        SettingsError: it is no text, no YAML, or has a key twice in one mapping.
    """
    document, problems = parsed_with_problems(path, content)
    if problems:
        raise SettingsError(*problems)
    return document


def parsed_with_problems(path: Path, content: bytes) -> tuple[Document, list[Problem]]:
    """Parse a file whose other mistakes are to be told together with keys that it has twice.

    Raises:
        SettingsError: it is no text, or no YAML.
    """
    try:
        text = content.decode()
        loader = _LOADER(text)
        node = loader.get_single_node()
        document = Document(path=path, data=loader.construct_document(node) if node else {}, node=node, text=text)
        if b"*" in content:
            document.lines  # noqa: B018  # an alias may lead back to itself, which nothing after this would survive
    except UnicodeDecodeError as error:
        raise SettingsError(Problem(where=str(path), what=f"is not UTF-8 text ({error.reason})")) from None
    except RecursionError:
        raise SettingsError(Problem(where=str(path), what="holds an alias that leads back to itself")) from None
    except (yaml.YAMLError, ValueError) as error:  # a date that is none is a ValueError
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise SettingsError(
            Problem(where=where, what=f"is not YAML: {getattr(error, 'problem', error)}", fix="correct the syntax")
        ) from None
    return document, [
        # Pulumi refuses it; PyYAML takes the last one and says nothing.
        Problem(where=f"{path}:{line} {key}", what="stands here a second time", fix="keep one of them")
        for key, line in _repeated(node)
    ]


def _repeated(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """Give key and line of what stands twice in one mapping."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen and isinstance(key.value, str):
                yield key.value, key.start_mark.line + 1
            if isinstance(key.value, str):
                seen.add(key.value)
            yield from _repeated(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(item)


def _collect_lines(node: yaml.Node | None, at: Location, lines: dict[Location, int]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            lines[(*at, key.value)] = key.start_mark.line + 1
            if key.tag != _TEXT:  # 42, yes and null: in the data they are no text
                read = yaml.safe_load(key.value)
                lines[(*at, read)] = lines[(*at, str(read))] = key.start_mark.line + 1
            _collect_lines(value, (*at, key.value), lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*at, index)] = value.start_mark.line + 1
            _collect_lines(value, (*at, index), lines)
