"""Put values documents together as Helm does with several."""

from collections.abc import Mapping
from functools import reduce
from typing import Any

import yaml


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two documents: mappings key by key, anything else is replaced by the later one."""
    result = dict(one)
    for key, value in other.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def harbor_values(files: Mapping[str, str]) -> dict[str, Any]:
    """Give the values that the HelmRelease hands to the chart, from the files of one environment (`values.render`)."""
    documents = [yaml.safe_load(text) for path, text in files.items() if "/release/values/" in path]
    return reduce(merged, [document or {} for document in documents], {})
