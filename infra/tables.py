"""Read the dated facts in ``tables/``. Each file names its source and date; nothing here is a fact itself."""

from datetime import date
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


def addons(when: str) -> list[str]:
    """Names of the EKS add-ons for `when`, ``before-nodes`` or ``after-nodes``."""
    return [name for name, row in read("kubernetes")["addons"].items() if row["when"] == when]


def addon_version(name: str, kubernetes_version: str) -> str | None:
    """The pinned version of an add-on; None for EKS's default."""
    return read("kubernetes")["addons"][name]["versions"][kubernetes_version]


def default_postgres_version() -> str:
    """PostgreSQL major of a new environment."""
    return read("database")["postgres"]["default"]


def addon_names() -> frozenset[str]:
    """Names of the EKS add-ons that every cluster gets."""
    return frozenset(read("kubernetes")["addons"])


def postgres_versions() -> tuple[str, ...]:
    """PostgreSQL majors that RDS supports and Slipway provisions, newest first."""
    return tuple(read("database")["postgres"]["versions"])


def standard_support_ends() -> dict[tuple[str, str], date]:
    """(setting, version) → last day of AWS's standard support, for each version that can be chosen."""
    kubernetes = {version: row["standard-support-ends"] for version, row in read("kubernetes")["versions"].items()}
    postgres = read("database")["postgres"]["versions"]
    return {("kubernetesVersion", version): day for version, day in kubernetes.items()} | {
        ("database.postgresVersion", version): day for version, day in postgres.items()
    }


def flux_minor() -> str:
    """Minor version of the Flux that the program installs, like 2.9."""
    return ".".join(read("flux")["distribution"]["version"].split(".")[:2])


def default_valkey_version() -> str:
    """Valkey version of a new environment."""
    return read("cache")["valkey"]["default"]


def valkey_versions() -> tuple[str, ...]:
    """Valkey versions that ElastiCache has and Harbor is run with."""
    return tuple(read("cache")["valkey"]["versions"])


def cache_node_types() -> tuple[str, ...]:
    """ElastiCache node types that Slipway provisions."""
    return tuple(read("cache")["nodes"])


@cache
def node_types() -> dict[str, int]:
    """EC2 type → pods that a node of it holds, by the addresses of its network interfaces."""
    table = read("nodes")
    return {
        f"{family}.{size}": shape["enis"] * (shape["addresses"] - 1) + 2
        for family, sizes in table["types"].items()
        for size, shape in ((size, table["shapes"][name]) for size, name in sizes.items())
    }


def node_addresses(node_type: str) -> int:
    """IPv4 addresses that one node of this type can take from its subnet."""
    family, _, size = node_type.rpartition(".")
    table = read("nodes")
    shape = table["shapes"][table["types"][family][size]]
    return shape["enis"] * shape["addresses"]


def copy_region(region: str) -> str:
    """Second region for copies of what a region holds; empty where the table has none."""
    return read("regions")["copy"].get(region, "")


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
