"""Where a value of Harbor's chart comes from: the documents that set it, and the settings and facts that it follows.

explain_values(facts, overrides, "core.replicas")[0].effective     # the team's own document, or a generated one
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

from infra.yaml_file import Document, parsed
from slipway.explain.answer import Answer, Setting
from slipway.explain.follows import follows
from values.composition import Composition
from values.contract import contract
from values.facts import Facts
from values.merge import LOADER, at, merged
from values.render import render
from values.secrets import secrets_for

_OVERRIDE = "override-"
#: Values that a Secret brings are never shown.
_HIDDEN = "(secret)"


def explain_values(facts: Facts, overrides: Mapping[str, str], key: str, *, most: int) -> list[Answer] | None:
    """Explain a value of the chart, or each one of a section that somebody sets; None where the chart has no such key.

    Args:
        facts: of the environment.
        overrides: the team's own values, name → YAML text.
        key: dotted.
        most: of a larger section it is left out what each value follows.
    """
    keys = value_keys(facts.chart_version)
    documents = _documents(facts, overrides)
    if any(key == one or key.startswith(f"{one}.") for one in keys):
        return [_explain(facts, documents, key, tried=True)]
    if not any(one.startswith(f"{key}.") for one in keys):
        return None
    known = contract(facts.chart_version)
    found = dict.fromkeys(leaf for document in documents for leaf in _leaves(document.data, known))
    wanted = [leaf for leaf in found if leaf.startswith(f"{key}.")]
    return [_explain(facts, documents, leaf, tried=len(wanted) <= most) for leaf in wanted]


def value_keys(version: str) -> list[str]:
    """Give every key of the chart by its dotted name; one that holds a mapping of the user's own is one key."""
    return list(_below(contract(version), ""))


def _below(tree: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, kind in tree.items():
        if isinstance(kind, Mapping):
            yield from _below(kind, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _leaves(values: Any, known: Any, prefix: str = "") -> Iterator[str]:  # noqa: ANN401  # any YAML value
    for name, value in values.items():
        if isinstance(value, Mapping) and isinstance(known, Mapping) and isinstance(known.get(name), Mapping):
            yield from _leaves(value, known[name], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _documents(facts: Facts, overrides: Mapping[str, str]) -> list[Document]:
    """Give every values document in the order of their merging, by the path that a person edits or reads."""
    generated, own = [], []
    for path, text in render(facts, overrides, check=False).items():
        folder, _, name = path.rpartition("/")
        if not folder.endswith("/release/values"):
            continue
        if name.startswith(_OVERRIDE):
            edited = Path("stacks", facts.environment, "values", name.removeprefix(_OVERRIDE))
            own.append(parsed(edited, text.encode()))
        else:
            generated.append(parsed(Path(path), text.encode()))
    return [*generated, *_secret_documents(facts), *own]


def _secret_documents(facts: Facts) -> Iterator[Document]:
    for secret in secrets_for(Composition.of(facts).parts):
        if secret.is_values:
            values = yaml.load(secret.template["values.yaml"], Loader=LOADER)  # noqa: S506  # both are safe loaders
            yield Document(path=Path(f"Secret {secret.name}"), data=_hidden(values), node=None)


def _hidden(values: Any) -> Any:  # noqa: ANN401  # any YAML value
    return {key: _hidden(value) for key, value in values.items()} if isinstance(values, Mapping) else _HIDDEN


def _explain(facts: Facts, documents: Sequence[Document], key: str, *, tried: bool) -> Answer:
    nothing = object()
    setting = [document for document in documents if at(document.data, key, nothing) is not nothing]
    told = [
        Setting(name=_name(document), value=at(document.data, key), place=_place(document, key)) for document in setting
    ]
    value, effective = (told[-1].value if told else None), told[-1:]
    if isinstance(value, Mapping):
        value = reduce(merged, [one.value for one in told if isinstance(one.value, Mapping)], {})
        effective = [one for one in told if isinstance(one.value, Mapping)]
    written = [one for one in setting if one.node and one.path.parts[0] != "stacks"]
    followed = follows(facts, written[-1].path.name, key) if written and tried else []
    return Answer(
        key=key,
        kind="value",
        why=_comment(setting[-1], key) if setting else "",
        layers=told,
        effective=effective,
        value=value,
        follows=[Setting(name=name, value=None) for name in followed],
    )


def _name(document: Document) -> str:
    if document.node is None:
        return str(document.path)
    return f"override {document.path.name}" if document.path.parts[0] == "stacks" else f"generated {document.path.name}"


def _place(document: Document, key: str) -> str:
    line = document.lines.get(tuple(key.split("."))) if document.node else None
    return f"{document.path}:{line}" if line else ""


def _comment(document: Document, key: str) -> str:
    """Give the comment above a value, which says why it is what it is."""
    line = document.lines.get(tuple(key.split("."))) if document.node else None
    if not line or not isinstance(document.node, yaml.Node):
        return ""
    above = document.text.splitlines()[: line - 1]
    comment: list[str] = []
    while above and above[-1].lstrip().startswith("#"):
        comment.insert(0, above.pop().lstrip("# ").rstrip())
    return " ".join(comment)
