"""`slipway upgrade` from 1.18.3 to 1.19.1 and on to 1.19.2, on Flux's real controllers: the whole way of a team."""

import base64
import gzip
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from itertools import pairwise

import pytest
from lightkube.resources.apps_v1 import Deployment, StatefulSet
from lightkube.resources.core_v1 import Event, PersistentVolumeClaim, Secret
from lightkube.resources.policy_v1 import PodDisruptionBudget

from infra.delivery.publish import publish
from infra.errors import ChartDowngrade
from slipway.cli import run
from tests.cluster.world import ENVIRONMENT, ROOT, World
from tests.values.conftest import CHARTS
from values.facts import SUPPORTED_CHART_VERSIONS
from values.options import ReplicaOptions

STACK = """\
# dev, as a team has it
config:
  slipway:domain: registry.dev.example.com
  slipway:region: eu-central-1
  slipway:profile: dev
  slipway:chartVersion: "1.18.3"   # until the audit is over
  slipway:dns: {{delegateFrom: dev.example.com}}
  slipway:chartRepository: {charts}
  slipway:gitops:
    repository: {repository}
"""


@contextmanager
def environment(**variables: str):
    """Set variables for a while, and forget those that are set meanwhile."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="module", params=["the stand-in", "the official chart"])
def upgraded(request, tmp_path_factory):
    """A cluster to which 1.18.3 was delivered, and the project of the team that upgrades it."""
    folder = tmp_path_factory.mktemp("upgrade")
    is_official = request.param == "the official chart"
    if is_official and (
        missing := [one for one in SUPPORTED_CHART_VERSIONS if not (CHARTS / f"harbor-{one}.tgz").exists()]
    ):
        pytest.skip(f"no harbor-{missing[0]}.tgz in {CHARTS}")
    rehearsals = folder / "rehearsals"
    charts = CHARTS if is_official else folder / "charts"
    with environment(SLIPWAY_CHART_CACHE=str(charts), SLIPWAY_REHEARSALS=str(rehearsals)):
        world = World(rehearsals / ENVIRONMENT)
        # Two pods of core, so that what is new in 1.19 (a disruption budget) is seen to arrive.
        harbor = world.settings.harbor.model_copy(update={"replicas": ReplicaOptions(core=2)})
        world.settings = world.settings.model_copy(update={"chart_version": "1.18.3", "harbor": harbor})
        world.fill_secrets_manager()
        world.start()
        assert world.cluster.chart.official is is_official
        try:
            world.publish()
            world.bootstrap()
            world.first = world.follow(180)
            os.environ["SLIPWAY_GIT_TOKEN"] = world.identities.writer
            world.project = project(folder / "project", world)
            yield world
        finally:
            world.stop()


def project(root, world):
    (root / "stacks").mkdir(parents=True)
    (root / "Pulumi.yaml").write_text("name: slipway\n")
    text = STACK.format(charts=world.settings.chart_repository, repository=world.remote.repository)
    (root / "stacks" / f"Pulumi.{ENVIRONMENT}.yaml").write_text(text)
    return root


def upgrade(capsys, *arguments: str) -> dict:
    code = run(["upgrade", ENVIRONMENT, "--output", "json", "--rehearsal", "--timeout", "3", *arguments])
    out, err = capsys.readouterr()
    assert code == 0, err
    return json.loads(out)


def releases(world) -> list[tuple[int, str, str, str]]:
    """Give Helm's own history: number, chart, status, and what Helm says that it did."""
    stored = world.client.list(Secret, namespace="harbor", labels={"owner": "helm", "name": "harbor"})
    found = []
    for secret in stored:
        release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret.data["release"]))))
        info, chart = release["info"], release["chart"]["metadata"]["version"]
        found.append((release["version"], chart, info["status"], info["description"]))
    return sorted(found)


def lasting(world) -> list[tuple[str, str]]:
    """Give Helm's history as chart and status, without the attempts whose health check Flux itself broke off.

    It does so where the HelmChart says once more that it is ready when the upgrade has begun already
    (CancelHealthCheckOnNewRevision), and tries the same again at once.
    """
    history = [(chart, status) for _, chart, status, _ in releases(world)]
    kept = [one for one, following in pairwise([*history, ("", "")]) if one[1] != "failed" or following[0] != one[0]]
    broken_off = [
        event
        for event in world.client.list(Event, namespace="harbor")
        if event.reason == "HealthCheckCanceled" and event.involvedObject.name == "harbor"
    ]
    assert len(history) == len(kept) or broken_off, history
    return kept


def identities(world) -> dict[str, str]:
    """Give the UIDs of everything that an upgrade must not make anew."""
    kinds = (Secret, PersistentVolumeClaim, Deployment, StatefulSet)
    return {
        f"{kind.__name__}/{item.metadata.name}": item.metadata.uid
        for kind in kinds
        for item in world.client.list(kind, namespace="harbor")
        if not item.metadata.name.startswith("sh.helm.release")
    }


def image(world) -> str:
    return world.get(Deployment, "harbor-core")["spec"]["template"]["spec"]["containers"][0]["image"]


def budgets(world) -> set[str]:
    return {item.metadata.name for item in world.client.list(PodDisruptionBudget, namespace="harbor")}


def stack_file(world) -> str:
    return (world.project / "stacks" / f"Pulumi.{ENVIRONMENT}.yaml").read_text()


def test_an_upgrade_over_both_versions(upgraded, monkeypatch, capsys):
    world, before = upgraded, None
    monkeypatch.chdir(world.project)
    assert world.first.verdict == "delivered", world.first.stands_at
    before, first_image, written = identities(world), image(world), stack_file(world)
    assert "PersistentVolumeClaim/harbor-registry" in before
    assert sum(name.startswith("Secret/harbor-") for name in before) >= 10
    assert budgets(world) == {"harbor-support-core"}  # ours stands in for the one that this chart does not have

    refused_while_something_is_on_its_way(world, capsys)
    planned = upgrade(capsys, "--to", "1.19.1")
    assert releases(world)[-1][1] == "1.18.3"  # a plan changes nothing
    assert [one["name"] for one in planned["objects"] if one["fate"] == "new"] == ["harbor-core"]

    done = upgrade(capsys, "--to", "1.19.1", "--apply", "--yes")

    assert [one["step"] for one in done["done"]] == ["look", "stack file", "publish", "deliver"]
    code, seen = world.status(capsys)
    assert code == 0
    assert "is delivered" in seen
    assert budgets(world) == {"harbor-core"}
    assert image(world) != first_image
    assert stack_file(world) == written.replace("1.18.3", "1.19.1")

    killed_after_the_commit(world)
    assert world.look().verdict in {"moving", "delivered"}
    assert stack_file(world) == written.replace("1.18.3", "1.19.2")

    done = upgrade(capsys, "--apply", "--yes")  # goes on, to the newest

    assert [one["step"] for one in done["done"]] == ["stack file", "publish", "deliver"]
    assert world.status(capsys)[0] == 0
    history = lasting(world)
    assert history[-2:] == [("1.19.1", "superseded"), ("1.19.2", "deployed")]
    assert set(history[:-2]) == {("1.18.3", "superseded")}
    assert not [said for *_, said in releases(world) if "ollback" in said]
    assert {name: uid for name, uid in identities(world).items() if name in before} == before

    assert upgrade(capsys, "--to", "1.19.2")["delivered"]
    assert run(["upgrade", ENVIRONMENT, "--to", "1.19.1", "--apply", "--yes", "--rehearsal"]) == 1
    assert "1.19.2 → 1.19.1 goes back" in capsys.readouterr().err
    with pytest.raises(ChartDowngrade):
        publish(world.remote, world.inputs(chart="1.19.1"))


def refused_while_something_is_on_its_way(world, capsys) -> None:
    """Try it when the branch's last commit has not arrived, and bring things back to where they were."""
    world.publish(team="core: {podAnnotations: {team: registry}}\n")
    assert run(["upgrade", ENVIRONMENT, "--to", "1.19.1", "--apply", "--yes", "--rehearsal"]) == 1
    assert "is not what the cluster has: " in capsys.readouterr().err
    assert world.follow(120).verdict == "delivered"
    world.publish()
    assert world.follow(120).verdict == "delivered"


def killed_after_the_commit(world) -> None:
    """Run the second upgrade until its commit is pushed, and kill it there."""
    program = "import sys; from slipway.cli import main; main()"
    arguments = ("upgrade", ENVIRONMENT, "--to", "1.19.2", "--apply", "--yes", "--rehearsal")
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("publish: done"):
            break
    process.kill()
    process.communicate()
    assert said[-1].startswith("publish: done"), said
