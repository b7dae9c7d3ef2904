"""Who may import whom: values/ nothing of ours, infra/ only the pure parts of values/, nobody the command line."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: What infra/ may take from values/.
PURE = {
    "values.changes",
    "values.composition",
    "values.errors",
    "values.facts",
    "values.manifests",
    "values.merge",
    "values.notices",
    "values.options",
    "values.render",
    "values.secrets",
    "values.sources",
}


def imported(path: Path) -> set[str]:
    """Give the modules that a file imports, wherever in it, as dotted names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def within(names: set[str], packages: set[str]) -> set[str]:
    return {name for name in names if name.split(".")[0] in packages}


@pytest.mark.parametrize("path", files("values"), ids=lambda path: str(path.relative_to(ROOT)))
def test_values_imports_neither_pulumi_nor_infra_nor_slipway(path):
    assert within(imported(path), {"pulumi", "pulumi_aws", "infra", "slipway"}) == set()


@pytest.mark.parametrize("path", files("infra"), ids=lambda path: str(path.relative_to(ROOT)))
def test_infra_imports_no_command_and_only_the_pure_parts_of_values(path):
    names = imported(path)

    assert within(names, {"slipway"}) == set()
    assert {
        name for name in within(names, {"values"}) if ".".join(name.split(".")[:2]) not in PURE | {"values"}
    } == set()


@pytest.mark.parametrize(
    "path",
    [
        path
        for folder in ("infra", "values", "slipway", "policy")
        for path in files(folder)
        if "cli" not in path.parts and path.name != "__main__.py"  # another door to the command line, and nothing else
    ],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_nothing_imports_the_command_line_and_nothing_else_prints(path):
    tree = ast.parse(path.read_text())
    prints = [
        node.lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    ]

    assert not [name for name in imported(path) if name.startswith("slipway.cli")]
    assert prints == []
