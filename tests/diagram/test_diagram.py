"""The picture: what is in it comes from the graph, and as a document it is whole, readable and the same each time."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from infra.stack_config import from_stack_file
from slipway.cli import run
from slipway.diagram.model import picture
from slipway.diagram.svg import svg
from tests.graph.graphs import ENVIRONMENTS, READY, ROOT, recorded

SVG = "{http://www.w3.org/2000/svg}"
FILES = {
    name: ROOT / "stacks" / f"Pulumi.{name}.yaml" if name in READY else ROOT / "tests" / "graph" / f"{name}.yaml"
    for name in ENVIRONMENTS
}


def drawn(environment: str):
    settings = from_stack_file(FILES[environment])
    return picture(recorded(environment, preview=False), settings)


def flows(found) -> set[tuple[str, str, str]]:
    return {(flow.source, flow.target, flow.port) for flow in found.flows}


def test_ha_shows_its_zones_tiers_and_who_talks_to_whom():
    found = drawn("ha")

    assert found.zones == ("eu-central-1a", "eu-central-1b", "eu-central-1c")
    assert len(found.cells) == 12
    assert flows(found) == {
        ("clients", "load balancer", "443"),
        ("load balancer", "nodes", "pods"),
        ("nodes", "RDS PostgreSQL", "5432"),
        ("nodes", "ElastiCache Valkey", "6379"),
        ("nodes", "EFS", "2049"),
        ("nodes", "EKS control plane", "443"),
    }
    details = {service.name: service.detail for service in found.services}
    assert details["RDS PostgreSQL"] == ("db.m7g.large, 100 GiB, primary and standby",)
    assert details["ElastiCache Valkey"] == ("2 × cache.t4g.medium",)
    assert details["Secrets Manager"] == ("10 secrets",)


def test_what_is_not_there_is_not_drawn():
    dev, other, existing = drawn("dev"), drawn("other"), drawn("existing")

    assert sum("NAT gateway" in cell.holds for cell in dev.cells) == 1
    assert "AWS Backup" not in [service.name for service in dev.services]
    assert "EFS" not in [service.name for service in other.services]
    assert "S3" in [service.name for service in other.services]
    assert existing.network == "existing VPC vpc-00000000000000000"
    assert {cell.cidr for cell in existing.cells if cell.tier == "data"} == {
        "subnet-3a000000",
        "subnet-3b000000",
        "subnet-3c000000",
    }


def test_a_port_is_the_one_of_the_rule():
    graph = recorded("ha", preview=False)
    nodes = tuple(
        replace(node, inputs={**node.inputs, "fromPort": 5433.0, "toPort": 5433.0})
        if node.name == "database-from-nodes"
        else node
        for node in graph
    )
    found = picture(replace(graph, nodes=nodes), from_stack_file(FILES["ha"]))

    assert ("nodes", "RDS PostgreSQL", "5433") in flows(found)
    assert ">5433</text>" in svg(found)


@pytest.mark.parametrize("environment", ["dev", "ha", "large", "existing"])
def test_the_document_is_whole_and_everything_is_on_it(environment):
    root = ElementTree.fromstring(svg(drawn(environment)))
    width, height = float(root.get("width")), float(root.get("height"))

    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    assert root.find(f"{SVG}title") is not None
    assert root.find(f"{SVG}desc") is not None
    for box in root.iter(f"{SVG}rect"):
        assert 0 <= float(box.get("x")) <= float(box.get("x")) + float(box.get("width")) <= width
        assert 0 <= float(box.get("y")) <= float(box.get("y")) + float(box.get("height")) <= height
    for text in root.iter(f"{SVG}text"):
        # A letter is about half as wide as it is high.
        long = len(text.text) * float(text.get("font-size")) * 0.6
        shift = {"start": 0.0, "middle": long / 2, "end": long}[text.get("text-anchor")]
        assert float(text.get("x")) - shift >= 0
        assert float(text.get("x")) - shift + long <= width, text.text


@pytest.mark.parametrize("environment", ["dev", "ha", "existing"])
def test_no_two_boxes_of_a_kind_overlap(environment):
    root = ElementTree.fromstring(svg(drawn(environment)))
    boxes = [
        (box.get("fill"), *(float(box.get(key)) for key in ("x", "y", "width", "height")))
        for box in root.iter(f"{SVG}rect")
        if not box.get("stroke-dasharray") and box.get("stroke")
    ]
    for number, (fill, x, y, width, height) in enumerate(boxes):
        for other in boxes[number + 1 :]:
            if other[0] == fill:
                beside = other[1] >= x + width or x >= other[1] + other[3]
                below = other[2] >= y + height or y >= other[2] + other[4]
                assert beside or below


def test_the_same_settings_give_the_same_bytes_and_the_readme_shows_them():
    """`slipway diagram ha --out docs/images/ha.svg` writes it anew."""
    text = svg(drawn("ha"))

    assert text == svg(drawn("ha"))
    assert (ROOT / "docs" / "images" / "ha.svg").read_text() == f"{text}\n"
    assert len(text) < 100_000
    assert "docs/images/ha.svg" in (ROOT / "README.md").read_text()


def test_the_command_writes_a_file_or_stdout(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)

    assert run(["diagram", "dev", "--out", str(tmp_path / "dev.svg")]) == 0
    assert ElementTree.parse(tmp_path / "dev.svg").getroot().tag == f"{SVG}svg"
    capsys.readouterr()
    assert run(["diagram", "dev", "--output", "json"]) == 0
    assert '"environment": "dev"' in capsys.readouterr().out
    assert run(["diagram", "dev", "--out", str(tmp_path / "none" / "dev.svg")]) == 2
    assert "cannot be written" in capsys.readouterr().err
