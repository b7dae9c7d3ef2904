"""Which facts a generated value follows: tried out, not looked up. Each fact is changed in turn, and rendered again.

follows(facts, "core.yaml", "core.replicas")    # ["profile", "harbor.replicas.core"]
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from values.errors import ValuesError
from values.facts import SUPPORTED_CHART_VERSIONS, Facts
from values.merge import LOADER, at
from values.render import render

#: Facts whose setting has another name.
SETTINGS: Mapping[str, str] = {
    "host": "domain",
    "gitopsPath": "gitops.path",
    "storage": "storage",
    "database.maxConnections": "sizes.databaseClass",
    "database.caBundle": "database.caBundle",
    "aws.region": "region",
    "aws.zones": "zones",
    "aws.kubernetesVersion": "kubernetesVersion",
}
#: They name the environment, in every comment.
_LEFT_OUT = {"environment", "example", "schemaVersion"}
#: Tried in turn in place of what is there, until the facts take one.
_OTHERS = (7, True, "7Gi", "another", "https://another.example.com", "another.example.com:514", ["another"], {"a": "b"})
#: What does not stand alone.
_WHOLE: Mapping[str, Any] = {
    "storage": ({"type": "s3", "bucket": "another", "region": "eu-west-1"}, {"type": "volume"}),
    "harbor.trace": ({"endpoint": "another:4318"},),
    "harbor.notify": ({"provider": "slack"},),
    "harbor.scannerAdapter": ({"name": "another", "url": "http://another:8080"},),
    "harbor.expose.gateway": (),
}


def follows(facts: Facts, document: str, key: str) -> list[str]:
    """Give the facts that change a value, by the names that their settings have.

    Args:
        facts: of the environment.
        document: file name of the generated values document that sets the value.
        key: dotted.
    """
    text = _text(facts, document)
    value = at(yaml.load(text, Loader=LOADER), key)  # noqa: S506  # both are safe loaders
    found = []
    for fact, others in _facts(facts, ""):
        changed = _changed(facts, fact, others)
        other_text = changed(document) if changed else text
        if other_text != text and at(yaml.load(other_text, Loader=LOADER), key) != value:  # noqa: S506
            found.append(SETTINGS.get(fact, fact))
    return found


def _text(facts: Facts, document: str) -> str:
    files = render(facts, check=False)
    return next(text for path, text in files.items() if path.endswith(f"/release/values/{document}"))


def _facts(holder: BaseModel, prefix: str) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Give each fact by its dotted name, and what may stand in its place."""
    for name, info in type(holder).model_fields.items():
        key, value = f"{prefix}{info.alias or name}", getattr(holder, name)
        if key in _WHOLE:
            yield key, _WHOLE[key]
        elif isinstance(value, BaseModel):
            yield from _facts(value, f"{key}.")
        elif key not in _LEFT_OUT:
            yield key, _others(key, value, info.annotation)


def _others(key: str, value: Any, annotation: Any) -> tuple[Any, ...]:  # noqa: ANN401  # any fact
    if key == "chartVersion":
        return tuple(version for version in SUPPORTED_CHART_VERSIONS if version != value)
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        # Twice: a sum that is divided again stays the same for one more.
        return (2 * value + 1, value + 1, value - 1)
    listed = [one for option in (annotation, *get_args(annotation)) for one in get_args(option) if isinstance(one, str)]
    return (*(one for one in listed if one != value), *_OTHERS)


def _changed(facts: Facts, fact: str, others: tuple[Any, ...]) -> Callable[[str], str] | None:
    """Give how a document reads with another value for a fact; None where no other is possible."""
    for other in others:
        values = facts.model_dump(by_alias=True, mode="json")
        *parents, last = fact.split(".")
        place = values
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = other
        try:
            changed = Facts.from_values(values)
            texts = {path.rpartition("/")[2]: text for path, text in render(changed, check=False).items()}
        except (ValidationError, ValuesError):
            continue
        return texts.__getitem__
    return None
