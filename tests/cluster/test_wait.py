"""`deliver: {wait: true}`: `pulumi up` itself ends only when Flux has delivered, or says why it could not."""

import pytest

from tests.cluster.test_rehearsed_cluster import folder, rehearse
from tests.engine.project import Project


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project whose environment waits, and a chart cache in which one version is no chart."""
    project = Project(tmp_path_factory.mktemp("waiting"))
    stack = project.root / "stacks" / "Pulumi.dev.yaml"
    stack.write_text(f"{stack.read_text()}  slipway:deliver: {{wait: true, timeoutMinutes: 2}}\n")
    (project.root / "harbor-1.19.2.tgz").write_text("no chart")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLIPWAY_CHART_CACHE", str(project.root))
        yield project


def test_up_ends_with_the_delivery(project):
    report = rehearse(project)
    steps = {step["name"]: step for step in report["steps"]}

    assert report["delivery"]["verdict"] == "delivered"
    assert "Delivered" in (folder(project).parent / "report.html").read_text()
    assert steps["up again"]["changes"] == {}
    assert steps["up"]["seconds"] > 5  # it saw the installation


def test_up_fails_where_flux_does(project):
    stack = project.root / "stacks" / "Pulumi.dev.yaml"
    stack.write_text(f"{stack.read_text()}  slipway:chartVersion: 1.19.2\n")

    with project.start("dev", "--speed", "0") as process:
        _, error = process.communicate(timeout=300)

    assert process.returncode == 1, error
    assert "up: pulumi-python:dynamic/slipway:Delivered delivered" in error
    assert "failed at HelmRelease harbor/harbor" in error
    assert "chart pull error" in error, error  # the HelmChart's own words
    assert "kubectl -n harbor describe helmchart,helmrepository" in error
