"""The two ways to tear an environment down, as steps over whatever runs Pulumi: the real command or the rehearsal."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

from slipway.steps import Step
from slipway.teardown.keeping import cluster_urns


class Mode(StrEnum):
    """What becomes of the data."""

    keep_data = "keep-data"
    """Database, blobs, keys, secrets, zone and vault stay in the state, protected: the next `up` goes on from them."""
    delete_data = "delete-data"
    """Nothing stays."""
    previous = "previous"
    """Only the generation before a restore goes; the environment stays (`slipway.teardown.previous`)."""


class Stack(Protocol):
    """A stack that the teardown works on."""

    def deployment(self) -> Mapping[str, Any]:
        """Give the state, as `pulumi stack export` has it."""

    def up(self, *, targets: Sequence[str], settings: Mapping[str, Any]) -> None:
        """Run `up` with settings changed for this run alone; of the targets only, where there are any."""

    def destroy(self, *, keep_protected: bool) -> None:
        """Destroy what is in the state, or all but what is protected with its dependencies."""


def steps(stack: Stack, mode: Mode, withdraw: Callable[[], None]) -> list[Step[None]]:
    """Give the steps of a teardown; each finds out what is left to do, so a teardown that stopped goes on.

    Args:
        stack: to tear down.
        mode: what becomes of the data.
        withdraw: takes Harbor out of the cluster, so that its load balancer does not hold the VPC.
    """
    return [
        Step("take Harbor out of the cluster", withdraw),
        Step("lift the protection", lambda: _lift(stack, mode)),
        Step("destroy", lambda: stack.destroy(keep_protected=mode is Mode.keep_data)),
    ]


def _lift(stack: Stack, mode: Mode) -> None:
    """Allow AWS to delete what goes: with the data kept that is the cluster alone."""
    clusters = cluster_urns(stack.deployment())
    if mode is Mode.delete_data:
        stack.up(targets=(), settings={"deletionProtection": False, "keepData": False})
    elif clusters:
        stack.up(targets=clusters, settings={"deletionProtection": False})
