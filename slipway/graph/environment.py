"""Record one environment from its stack file: what check, forecast, diagram and teardown read.

recorded = record_environment("ha")
recorded.graph.of_type("aws:rds/instance:Instance")
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.settings import Settings
from infra.stack_config import PROJECT, STACKS, check, from_stack_file, stack_file, whole_stack_file
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


def record_environment(
    root: Path, environment: str, *, preview: bool = False, changes: Mapping[str, Any] | None = None
) -> Recorded:
    """Record the program with the settings of one environment.

    Args:
        root: the project's folder (`slipway.project.find_root`).
        environment: name of the stack file.
        preview: leave whatever only `up` can know unknown.
        changes: settings by dotted key (``network.nat``) that are otherwise for this recording alone.

    Raises:
        SettingsError: the stack file, or a change to it, is not usable.
        GraphError: the program failed.
    """
    path = stack_file(root, environment)
    settings = from_stack_file(path)
    document = whole_stack_file(path)
    if changes:
        document["config"] |= _changed(document["config"], changes)
        settings = _settings(environment, document["config"])
    from infra.program import program  # noqa: PLC0415  # pulumi_aws; a stack file that is wrong is told at once

    config = configuration(document)
    graph = record(program, stack=environment, config=config, outputs=outputs, preview=preview)
    return Recorded(root=root, settings=settings, graph=graph)


def _changed(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Give the top-level settings that differ, with one key in each changed."""
    found: dict[str, Any] = {}
    for dotted, value in changes.items():
        name, *keys = dotted.split(".")
        key = f"{PROJECT}:{name}"
        found[key] = _with(found.get(key, config.get(key)), keys, value)
    return found


def _with(holder: Any, keys: Sequence[str], value: Any) -> Any:  # noqa: ANN401  # any setting
    if not keys:
        return value
    inner = dict(holder) if isinstance(holder, Mapping) else {}
    return {**inner, keys[0]: _with(inner.get(keys[0]), keys[1:], value)}


def _settings(environment: str, config: Mapping[str, Any]) -> Settings:
    values = {
        key.removeprefix(f"{PROJECT}:"): value
        for key, value in config.items()
        if key.startswith(f"{PROJECT}:") and not (isinstance(value, Mapping) and "secure" in value)
    }

    def place(location: tuple[str | int, ...]) -> str:
        return f"{STACKS}/Pulumi.{environment}.yaml, changed: {'.'.join(map(str, location))}"

    return check(environment, values, place)


def outputs(token: str, name: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what the simulated providers would answer, and the id of a commit that nobody makes here."""
    return {"commit": "0" * 40} if token.endswith("slipway:Commit") else made_up_outputs(token, name, inputs)
