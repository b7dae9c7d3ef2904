"""The rules as policies of a Pulumi policy pack: one for each, over the stack as the engine knows it."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyResource,
    ReportViolation,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy import proxy as unknowns
from pulumi_policy.deserialize import serialize_properties

from infra.layers import STACKS, values
from infra.settings import Settings
from infra.stack_config import pulumi_layers
from policy.judge import judge
from policy.rule import Context, Rule
from policy.rules import RULES
from policy.waivers import Waiver, waivers_of
from slipway.graph.record import UNKNOWN, Graph, Node

#: One for each type that a property may have.
_UNKNOWN_VALUES = {value for name, value in vars(unknowns).items() if name.startswith("UNKNOWN_")}
_LEVELS = {"mandatory": EnforcementLevel.MANDATORY, "advisory": EnforcementLevel.ADVISORY}


def policies(root: Path) -> list[Policy]:
    """Give one policy for each rule that the engine's view can decide; waivers are read from the project."""

    @lru_cache
    def waivers(environment: str) -> list[Waiver]:
        return waivers_of(root, environment, [rule.id for rule in RULES])

    def profile() -> str:
        layers, _ = pulumi_layers(pulumi.get_stack(), root / STACKS)
        return values(layers).get("profile") or Settings.model_fields["profile"].default

    return [_policy(rule, waivers, profile) for rule in RULES if not rule.recorded_only]


def _policy(rule: Rule, waivers: Callable[[str], list[Waiver]], profile: Callable[[], str]) -> StackValidationPolicy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        context = Context(graph=graph_of(args.resources), profile=profile(), today=datetime.now(UTC).date())
        if context.profile not in rule.profiles:
            args.not_applicable(f"holds for {', '.join(sorted(rule.profiles))}")
        urns = {f"{node.type}::{node.name}": node.urn for node in context.graph}
        for verdict in judge(context, [rule], waivers(pulumi.get_stack())):
            if verdict.state == "violated":
                # The engine says the rule's name and reason itself.
                report(f"{verdict.subject}: {rule.fix}", urns.get(verdict.subject))

    return StackValidationPolicy(
        name=rule.id, description=rule.reason, validate=validate, enforcement_level=_LEVELS[rule.severity]
    )


def graph_of(resources: Iterable[PolicyResource]) -> Graph:
    """Give what the engine tells a policy pack as a graph.

    Its properties are outputs: the inputs, and what AWS answered or, in a preview, cannot have answered yet. Marks of
    secrets are taken off on the way here, and ``retain_on_delete`` is not told.
    """
    return Graph(nodes=tuple(_node(one) for one in resources if one.resource_type != "pulumi:pulumi:Stack"), exports={})


def _node(resource: PolicyResource) -> Node:
    dependencies = [*resource.dependencies, *(one for many in resource.property_dependencies.values() for one in many)]
    return Node(
        type=resource.resource_type,
        name=resource.name,
        urn=resource.urn,
        custom=resource.provider is not None,
        inputs=_plain(serialize_properties(resource.props)),
        parent=resource.parent.urn if resource.parent else "",
        provider=resource.provider.urn if resource.provider else "",
        depends_on=frozenset(one.urn for one in dependencies),
        protect=resource.opts.protect,
        retain_on_delete=False,
        ignore_changes=tuple(resource.opts.ignore_changes),
        aliases=tuple(resource.opts.aliases),
    )


def _plain(value: Any) -> Any:  # noqa: ANN401  # JSON-like
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return UNKNOWN if isinstance(value, str) and value in _UNKNOWN_VALUES else value
