"""The program's graph of each stack, recorded once a run as data, in `up` and in the first preview."""

from functools import cache
from pathlib import Path

from infra import tables
from infra.program import program
from slipway.graph.environment import outputs
from slipway.graph.record import Graph, configuration, record

ROOT = Path(__file__).parents[2]
READY = ("dev", "ha", "large")
#: The ready stacks, and one that takes the other branch of every choice they leave at its default.
ENVIRONMENTS = (*READY, "other")


@cache
def recorded(environment: str, *, preview: bool) -> Graph:
    stack = ROOT / "stacks" / f"Pulumi.{environment}.yaml"
    document = tables.parse_yaml((stack if environment in READY else Path(__file__).parent / "other.yaml").read_text())
    return record(program, stack=environment, config=configuration(document), outputs=outputs, preview=preview)
