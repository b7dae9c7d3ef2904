"""Let go of what a restore left: the generation before, once its restore says `keepPrevious: false`."""

from collections.abc import Mapping
from typing import Any

from infra.aws.storage import numbered
from infra.errors import Problem, TeardownError
from infra.settings import Settings
from slipway.steps import Step
from slipway.teardown.procedure import Stack

INSTANCE = "aws:rds/instance:Instance"
FILE_SYSTEM = "aws:efs/fileSystem:FileSystem"


def previous(deployment: Mapping[str, Any], settings: Settings) -> list[str]:
    """Give the URNs of what holds data of a previous generation, and is in the state and no longer wanted.

    Raises:
        TeardownError: there is none, or the settings still keep it.
    """
    restore, names = settings.restore, set()
    if restore.database and not restore.database.keep_previous:
        names.add((INSTANCE, numbered("database", restore.database.generation - 1)))
    if restore.storage and not restore.storage.keep_previous and restore.storage.file_system > 1:
        names.add((FILE_SYSTEM, numbered("registry", restore.storage.file_system - 1)))
    found = [
        resource["urn"]
        for resource in deployment.get("resources") or []
        if (resource["type"], resource["urn"].rsplit("::", 1)[1]) in names
    ]
    if not found:
        where = f"stacks/Pulumi.{settings.environment}.yaml slipway:restore"
        what = "keeps every previous generation, or none is left"
        fix = "set keepPrevious: false beside the generation whose predecessor may go"
        raise TeardownError(Problem(where=where, what=what, fix=fix))
    return found


def previous_steps(stack: Stack, settings: Settings) -> list[Step[None]]:
    """Give the steps: lift the protection of the previous generation alone, then an `up` that no longer has it."""
    return [
        Step("lift the protection of the previous generation", lambda: _lift(stack, settings)),
        Step("delete the previous generation", lambda: stack.up(targets=(), settings={})),
    ]


def _lift(stack: Stack, settings: Settings) -> None:
    restore = settings.restore.model_dump(mode="json", by_alias=True, exclude_none=True)
    kept = {
        part: {**values, "keepPrevious": True} if "keepPrevious" in values else values
        for part, values in restore.items()
    }
    stack.up(
        targets=previous(stack.deployment(), settings),
        settings={"restore": kept, "deletionProtection": False, "keepData": False},
    )
