"""Put values documents together as Helm does with several."""

from collections.abc import Mapping
from functools import reduce
from typing import Any

import yaml

# libyaml parses ten times faster; a build of PyYAML without it still works.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two documents: mappings key by key, anything else is replaced by the later one."""
    result = dict(one)
    for key, value in other.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def at(values: Mapping[str, Any], key: str, default: Any = None) -> Any:  # noqa: ANN401  # any YAML value
    """Give what a document has under a dotted key; a part may have dots itself, as annotations do."""
    found: Any = values
    parts = key.split(".")
    while parts:
        if not isinstance(found, Mapping):
            return default
        taken = next((end for end in range(1, len(parts) + 1) if ".".join(parts[:end]) in found), None)
        if taken is None:
            return default
        found, parts = found[".".join(parts[:taken])], parts[taken:]
    return found


def values_documents(files: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Give the values documents among the files of one environment, path → values, in the order of their merging."""
    return {
        path: yaml.load(text, Loader=LOADER) or {}  # noqa: S506  # both are safe loaders
        for path, text in files.items()
        if "/release/values/" in path
    }


def harbor_values(files: Mapping[str, str]) -> dict[str, Any]:
    """Give the values that the HelmRelease hands to the chart, from the files of one environment (`values.render`)."""
    return reduce(merged, values_documents(files).values(), {})
