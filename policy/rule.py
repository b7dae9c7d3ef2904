"""A rule, and the few words that rules are written in.

Every answer has three values: True, False, and None for "cannot be told", because an input is known only once AWS has
answered. None never becomes True on the way, so no rule passes on what it does not know.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from slipway.graph.record import UNKNOWN, Graph, Node, Secret

Answer = bool | None
Severity = Literal["mandatory", "advisory"]
ALL_PROFILES = frozenset({"dev", "ha", "large"})
PRODUCTION = frozenset({"ha", "large"})


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a rule looks at: the graph of one environment, its profile, and the day (rules know no clock)."""

    graph: Graph
    profile: str
    today: date


@dataclass(frozen=True)
class Finding:
    """One answer about one resource, by its logical name, or about the environment where a resource is missing."""

    subject: str
    answer: Answer


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        id: stable; waivers name it.
        reason: why, in one sentence.
        fix: what to do about a violation.
        maps: the same demand elsewhere: CIS AWS 7.0, FSBP (``EKS.1``), checkov.
        look: gives a finding for each resource that it judges; none where it does not apply.
        severity: a mandatory violation stops `pulumi up` with the policy pack.
        profiles: that it holds for.
        recorded_only: it asks for what the engine does not tell a policy pack: which inputs are marked as secret, or
            ``retain_on_delete``. `slipway check` judges it, the pack leaves it out.
    """

    id: str
    reason: str
    fix: str
    maps: tuple[str, ...]
    look: Callable[[Context], Iterable[Finding]]
    severity: Severity = "mandatory"
    profiles: frozenset[str] = ALL_PROFILES
    recorded_only: bool = False


def each(token: str, ask: Callable[[Node], Answer]) -> Callable[[Context], Iterator[Finding]]:
    """Judge every resource of a type by itself."""
    return each_in(token, lambda node, _: ask(node))


def each_in(token: str, ask: Callable[[Node, Context], Answer]) -> Callable[[Context], Iterator[Finding]]:
    """Judge every resource of a type beside the others."""

    def look(context: Context) -> Iterator[Finding]:
        for node in context.graph.of_type(token):
            yield Finding(f"{token}::{node.name}", ask(node, context))

    return look


def value(holder: Node | Mapping[str, Any], path: str) -> Any:  # noqa: ANN401  # any input
    """Give an input by its dotted path: the plain value, None where it is not set, UNKNOWN where nobody can tell."""
    found: Any = holder.inputs if isinstance(holder, Node) else holder
    for key in path.split("."):
        if isinstance(found, Secret):
            found = found.value
        if found == UNKNOWN:
            return UNKNOWN
        found = found.get(key) if isinstance(found, Mapping) else None
    return found.value if isinstance(found, Secret) else found


def holds(holder: Node | Mapping[str, Any], path: str, test: Callable[[Any], bool]) -> Answer:
    """Answer by a test of one input; None where the input, or something in it, is unknown."""
    found = value(holder, path)
    if is_unknown(found):
        return None
    return found is not None and test(found)


def equals(holder: Node | Mapping[str, Any], **wanted: Any) -> Answer:  # noqa: ANN401  # any input
    """Answer whether inputs have these values; numbers and flags may come as text."""
    return every(
        holds(holder, path, lambda found, want=want: found == want or str(found).lower() == str(want).lower())
        for path, want in wanted.items()
    )


def given(holder: Node | Mapping[str, Any], *paths: str) -> Answer:
    """Answer whether inputs are set; one that is unknown is set to something, which is all that is asked."""
    return all(value(holder, path) not in (None, "", []) for path in paths)


def every(answers: Iterable[Answer]) -> Answer:
    """Answer True if all are; one False is enough for False."""
    known = list(answers)
    return False if False in known else None if None in known else True


def some(answers: Iterable[Answer]) -> Answer:
    """Answer True if one is; False only if all are."""
    known = list(answers)
    return True if True in known else None if None in known else False


def negated(answer: Answer) -> Answer:
    """Answer the contrary of what is known."""
    return None if answer is None else not answer


def is_unknown(found: Any) -> bool:  # noqa: ANN401  # any input
    """Tell whether a value, or anything inside of it, is not known yet."""
    if isinstance(found, Mapping):
        return any(map(is_unknown, found.values()))
    if isinstance(found, list | tuple):
        return any(map(is_unknown, found))
    return found == UNKNOWN


def statements(found: Any) -> list[dict[str, Any]]:  # noqa: ANN401  # any input
    """Give the statements of a policy document, whose JSON is text in every input."""
    listed = json.loads(found)["Statement"]
    return listed if isinstance(listed, list) else [listed]


def as_list(found: Any) -> list[Any]:  # noqa: ANN401  # any input
    """Give a policy's value as a list: IAM takes one or many."""
    return found if isinstance(found, list) else [found]
