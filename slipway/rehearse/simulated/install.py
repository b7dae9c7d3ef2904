"""Put the plugins where the engine finds them: executables named ``pulumi-resource-<package>`` on PATH."""

import shlex
from pathlib import Path

from slipway.rehearse.simulated.schema import PACKAGES


def install(folder: Path, *, python: str) -> None:
    """Write the executables of the simulated providers and of Pulumi's own dynamic provider into `folder`.

    The dynamic provider ships with Pulumi's Python language host, which a `pulumi` built from its module lacks; it is
    nothing but ``python -m pulumi.dynamic`` in the project's environment.

    Args:
        folder: goes first on the engine's PATH.
        python: interpreter of the project's environment.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        _executable(folder / f"pulumi-resource-{package}", [python, "-m", "slipway.rehearse.simulated", package])
    _executable(folder / "pulumi-resource-pulumi-python", [python, "-u", "-m", "pulumi.dynamic"])


def _executable(path: Path, command: list[str]) -> None:
    path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    path.chmod(0o755)
