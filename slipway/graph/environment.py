"""Record one environment from its stack file: what check, forecast, diagram and teardown read.

recorded = record_environment("ha")
recorded.graph.of_type("aws:rds/instance:Instance")
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra import tables
from infra.settings import Settings
from infra.stack_config import from_stack_file, stack_file
from slipway.graph.record import Graph, configuration, record
from slipway.rehearse.simulated.outputs import made_up_outputs


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One environment: its settings, and what the program registers for them.

    Attributes:
        root: the project's folder.
        settings: of the stack file.
        graph: as `pulumi up` registers it, with made-up answers of AWS; or, recorded for a preview, with `UNKNOWN`.
    """

    root: Path
    settings: Settings
    graph: Graph


def record_environment(root: Path, environment: str, *, preview: bool = False) -> Recorded:
    """Record the program with the settings of one environment.

    Args:
        root: the project's folder (`slipway.project.find_root`).
        environment: name of the stack file.
        preview: leave whatever only `up` can know unknown.

    Raises:
        SettingsError: the stack file is not usable.
        GraphError: the program failed.
    """
    path = stack_file(root, environment)
    settings = from_stack_file(path)
    from infra.program import program  # noqa: PLC0415  # pulumi_aws; a stack file that is wrong is told at once

    config = configuration(tables.parse_yaml(path.read_text()))
    graph = record(program, stack=environment, config=config, outputs=outputs, preview=preview)
    return Recorded(root=root, settings=settings, graph=graph)


def outputs(token: str, name: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what the simulated providers would answer, and the id of a commit that nobody makes here."""
    return {"commit": "0" * 40} if token.endswith("slipway:Commit") else made_up_outputs(token, name, inputs)
