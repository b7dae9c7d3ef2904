"""Read the dated facts in ``tables/``. Each file names its source and date; nothing here is a fact itself."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent.parent / "tables"
# libyaml parses ten times faster; a build of PyYAML without it still works.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_yaml(text: str) -> Any:  # noqa: ANN401  # whatever the text holds
    """Parse one YAML document, with libyaml where PyYAML has it.

    Raises:
        yaml.YAMLError: the text is not YAML.
    """
    return yaml.load(text, Loader=_LOADER)  # noqa: S506  # both are safe loaders


@cache
def read(name: str) -> dict[str, Any]:
    """Give ``tables/<name>.yaml`` as plain data."""
    return parse_yaml((FOLDER / f"{name}.yaml").read_text())


def kubernetes_versions() -> tuple[str, ...]:
    """EKS versions that Slipway provisions, newest first."""
    return tuple(read("kubernetes")["versions"])


def default_kubernetes_version() -> str:
    """The EKS version of a new environment."""
    return read("kubernetes")["default"]


def addons(kubernetes_version: str, when: str) -> dict[str, str | None]:
    """Add-on name → pinned version (None: EKS's default) for `when`, ``before-nodes`` or ``after-nodes``."""
    table = read("kubernetes")["addons"]
    return {name: row["versions"][kubernetes_version] for name, row in table.items() if row["when"] == when}


def default_postgres_version() -> str:
    """PostgreSQL major of a new environment."""
    return read("database")["postgres"]["default"]


def database_classes() -> tuple[str, ...]:
    """RDS instance classes whose memory is known."""
    return tuple(read("database")["classes"])


def max_connections(database_class: str) -> int:
    """What RDS for PostgreSQL accepts by default on this class: LEAST(DBInstanceClassMemory / 9531392, 5000)."""
    table = read("database")
    memory = table["classes"][database_class]["memory-gib"] * 2**30 * table["instance-memory-share"]
    return min(int(memory / 9531392), 5000)


def default_zones(region: str) -> tuple[str, ...]:
    """The first three zone names of a region (fewer where it has fewer)."""
    return tuple(f"{region}{letter}" for letter in read("zones").get(region, ["a", "b", "c"]))
