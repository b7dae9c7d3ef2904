"""The program's graph of each stack, recorded once a run as data, in `up` and in the first preview."""

from functools import cache
from pathlib import Path
from typing import Any

from infra import tables
from infra.program import program
from slipway.graph.environment import outputs
from slipway.graph.record import Graph, Node, configuration, record

ROOT = Path(__file__).parents[2]
READY = ("dev", "ha", "large")
#: The ready stacks, one that takes the other branch of every choice they leave at its default, and one in a foreign VPC.
ENVIRONMENTS = (*READY, "other", "existing")


def stack_file(environment: str) -> dict[str, Any]:
    """Give a stack file's document."""
    ready = ROOT / "stacks" / f"Pulumi.{environment}.yaml"
    return tables.parse_yaml(
        (ready if environment in READY else Path(__file__).parent / f"{environment}.yaml").read_text()
    )


@cache
def recorded(environment: str, *, preview: bool) -> Graph:
    config = configuration(stack_file(environment))
    return record(program, stack=environment, config=config, outputs=outputs, preview=preview)


def changed(environment: str, **settings: Any) -> Graph:
    """Record an environment with settings changed; the keys are those of the stack file."""
    document = stack_file(environment)
    document["config"].update({f"slipway:{key}": value for key, value in settings.items()})
    return record(program, stack=environment, config=configuration(document), outputs=outputs, preview=False)


def node(graph: Graph, token: str, name: str) -> Node:
    (found,) = [node for node in graph.of_type(token) if node.name == name]
    return found
