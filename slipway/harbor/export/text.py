"""Data of a harbor.yaml as people would write it: what is short on one line, each thing of a list on its own.

sections(data)["labels"]      # 'labels:\\n  - {name: approved, color: "#00AB9A"}\\n'
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import yaml
import yaml.representer

from slipway.harbor.spec import HarborSpec

_WIDEST = 116
_COMMENTS: Mapping[str, str] = {
    "project_defaults": "# What holds for every project that does not say otherwise.",
    "profiles": "# What several projects share; each is named after the first of them, and can be renamed.",
}


class _Representer(yaml.representer.SafeRepresenter):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # an anchor would only confuse
        return True


def _text(representer: Any, text: str) -> Any:  # noqa: ANN401  # PyYAML has no types
    style = "|" if "\n" in text.rstrip("\n") else None
    return representer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _time(representer: Any, time: dt.datetime) -> Any:  # noqa: ANN401
    return representer.represent_scalar("tag:yaml.org,2002:timestamp", time.strftime("%Y-%m-%dT%H:%M:%SZ"))


_Representer.add_representer(str, _text)
_Representer.add_representer(dt.datetime, _time)
# libyaml writes ten times faster; a build of PyYAML without it still works.
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def sections(data: Mapping[str, Any]) -> dict[str, str]:
    """Give top-level key → its lines, in the order of the schema."""
    texts = {}
    for key in HarborSpec.model_fields:
        if key in data:
            comment = f"{_COMMENTS[key]}\n" if key in _COMMENTS else ""
            texts[key] = comment + _dumped({key: data[key]})
    return texts


def _dumped(data: Mapping[str, Any]) -> str:
    node = _Representer(sort_keys=False).represent_data(dict(data))
    _lay_out(node, depth=0)
    return yaml.serialize(node, Dumper=_Dumper, width=1 << 20, allow_unicode=True)


def _lay_out(node: Any, depth: int) -> int:  # noqa: ANN401  # PyYAML has no types
    """Decide what goes on one line; gives how long that would be."""
    if isinstance(node, yaml.ScalarNode):
        # libyaml quotes a time that stands in a line with others, and then it is none any more.
        is_open = node.style == "|" or node.tag.endswith(":timestamp")
        return _WIDEST * 2 if is_open else len(node.value) + 2
    pairs = node.value if isinstance(node, yaml.MappingNode) else [(None, each) for each in node.value]
    length = 2
    for key, value in pairs:
        length += 2 + _lay_out(value, depth + 1) + (len(key.value) + 2 if key else 0)
    # Sections and the lists in them stay open; a person adds lines to them.
    node.flow_style = not node.value or (depth > 1 and length + 2 * depth <= _WIDEST)
    return length
