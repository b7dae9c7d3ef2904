"""Write objects as YAML that people read: text of several lines as such, nothing by reference.

written([{"kind": "ConfigMap", "data": {"config.yml": "a: 1\\nb: 2\\n"}}])
"""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # an anchor would only confuse
        return True


def _block(dumper: Any, text: str) -> Any:  # noqa: ANN401  # PyYAML has no types
    # Where a block cannot hold the text (a blank before a line's end), PyYAML quotes it instead.
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text.rstrip("\n") else None)


_Dumper.add_representer(str, _block)


def written(items: Iterable[Mapping[str, Any]], *, sort_keys: bool = True) -> str:
    """Give the documents, one after the other."""
    return "---\n".join(
        yaml.dump(dict(item), Dumper=_Dumper, sort_keys=sort_keys, width=1000, allow_unicode=True) for item in items
    )
