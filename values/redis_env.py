"""Redis' credentials by environment variable, instead of in the ConfigMaps that the chart would write them to.

    found, left = take_out(objects, secret="harbor-redis-env", username_too=True)
    found["harbor-core._REDIS_URL_CORE"]  # "rediss://{{ .username }}:{{ .password }}@host:6379/0"

The chart is rendered without credentials; each container then gets what it reads from one Secret, by variables that
Harbor puts above its configuration files.
"""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_URL = re.compile(r"\b(rediss?://)([^\s\"'@]+)")
_CREDENTIALS = "{{ .username }}:{{ .password }}@"

Object = dict[str, Any]


def take_out(objects: Sequence[Object], *, secret: str, username_too: bool) -> tuple[dict[str, str], list[str]]:
    """Give every container its variables, in place.

    Args:
        objects: of the chart, rendered without credentials.
        secret: name of the Secret that will hold the variables.
        username_too: the registry of this version logs in with a user name.

    Returns:
        Key of the Secret → External Secrets template; and ConfigMaps with a URL that no variable stands above.
    """
    maps = {one["metadata"]["name"]: one.get("data") or {} for one in objects if one["kind"] == "ConfigMap"}
    found: dict[str, str] = {}
    covered: set[tuple[str, str]] = set()
    for item in objects:
        name = item["metadata"]["name"]
        for container in _containers(item):
            variables = dict(_from_maps(container, maps, covered))
            if "jobservice" in name:
                variables |= _from_jobservice(maps, covered)
            if "registry" in name:
                variables |= {"REGISTRY_REDIS_PASSWORD": "{{ .password }}"}
                variables |= {"REGISTRY_REDIS_USERNAME": "{{ .username }}"} if username_too else {}
            if "trivy" in name:
                variables |= _from_trivy(container, objects)
            found |= {_key(name, variable): text for variable, text in variables.items()}
            _set(container, [(variable, _key(name, variable)) for variable in variables], secret)
    urls = {(name, key) for name, data in maps.items() for key, text in data.items() if _URL.search(str(text))}
    return found, sorted(f"{name}, {key}" for name, key in urls - covered)


def _containers(item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if item["kind"] in {"Deployment", "StatefulSet"}:
        yield from item["spec"]["template"]["spec"]["containers"]


def _key(workload: str, variable: str) -> str:
    return f"{workload}.{variable}"


def _with_credentials(text: str) -> str:
    return _URL.sub(lambda url: f"{url[1]}{_CREDENTIALS}{url[2]}", text)


def _from_maps(
    container: Mapping[str, Any], maps: Mapping[str, Mapping[str, str]], covered: set[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Give the URLs among the variables that a container takes from ConfigMaps: its own `env` stands above them."""
    for source in container.get("envFrom") or ():
        name = (source.get("configMapRef") or {}).get("name", "")
        for key, text in maps.get(name, {}).items():
            if _URL.match(str(text)):
                covered.add((name, key))
                yield key, _with_credentials(text)


def _from_jobservice(maps: Mapping[str, Mapping[str, str]], covered: set[tuple[str, str]]) -> dict[str, str]:
    for name, data in maps.items():
        for key, text in data.items():
            if "redis_pool:" in str(text) and (url := _URL.search(text)):
                covered.add((name, key))
                return {"JOB_SERVICE_POOL_REDIS_URL": _with_credentials(url[0])}
    return {}


def _from_trivy(container: Mapping[str, Any], objects: Sequence[Object]) -> dict[str, str]:
    """Give the URLs that Trivy's adapter reads from the chart's own Secret, and take them out of it."""
    found = {}
    for entry in container.get("env") or ():
        reference = (entry.get("valueFrom") or {}).get("secretKeyRef") or {}
        holder = next((one for one in objects if one["kind"] == "Secret" and _named(one, reference.get("name"))), None)
        text = _decoded(((holder or {}).get("data") or {}).get(reference.get("key"), ""))
        if _URL.match(text):
            found[entry["name"]] = _with_credentials(text)
    for one in objects:
        data = one.get("data") or {}
        for key in [key for key, value in data.items() if one["kind"] == "Secret" and _URL.match(_decoded(value))]:
            del data[key]
    return found


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode(errors="replace")


def _named(item: Mapping[str, Any], name: str | None) -> bool:
    return item["metadata"]["name"] == name


def _set(container: dict[str, Any], variables: Sequence[tuple[str, str]], secret: str) -> None:
    """Set variables from the Secret; one that is there already is replaced in its place, as a name may stand once."""
    entries: list[dict[str, Any]] = container.setdefault("env", []) if variables else []
    for variable, key in variables:
        entry = {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
        places = [at for at, one in enumerate(entries) if one["name"] == variable]
        if places:
            entries[places[0]] = entry
        else:
            entries.append(entry)
