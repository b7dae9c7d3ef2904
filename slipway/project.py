"""Where the project is: the folder with the ``Pulumi.yaml`` whose name is slipway."""

from pathlib import Path

from infra.errors import Problem, SettingsError
from infra.stack_config import PROJECT


def find_root(start: Path) -> Path:
    """Give the project's folder: `start` or the nearest one above it.

    Raises:
        SettingsError: there is none.
    """
    for folder in (start, *start.parents):
        if _is_project(folder / "Pulumi.yaml"):
            return folder
    raise SettingsError(
        Problem(
            where=str(start),
            what=f"no Pulumi.yaml of the project {PROJECT} here or above",
            fix="go into your clone of Slipway, or name it: slipway -C DIR …",
        )
    )


def _is_project(path: Path) -> bool:
    return path.is_file() and f"name: {PROJECT}" in path.read_text().splitlines()
