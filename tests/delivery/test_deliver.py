"""The commit inside the program: what a first preview can say, and what the engine is given."""

import json

import pytest

from infra.assemble import example
from infra.delivery.deliver import digests
from infra.delivery.inputs import Inputs
from infra.delivery.lock import blob_id
from infra.program import program
from infra.settings import Settings
from slipway.graph.record import UNKNOWN, Graph, Node, Secret, configuration, record
from slipway.rehearse.simulated.outputs import made_up_outputs
from tests.values.conftest import facts_of
from values.facts import Facts

CONFIG = {
    "slipway:domain": "registry.example.com",
    "slipway:region": "eu-central-1",
    "slipway:profile": "dev",
    "slipway:dns": {"delegateFrom": "example.com"},
    "slipway:gitops": {"repository": "https://git.example.com/gitops.git", "branch": "fleet", "path": "eu"},
    "slipway:cluster": {
        "publicAccessCidrs": ["203.0.113.0/24"],
        "adminRoleArns": ["arn:aws:iam::111122223333:role/platform"],
    },
    "slipway:gitToken": "ghs_s3cr3t",
}


def commit_of(graph: Graph) -> Node:
    (node,) = graph.of_type("pulumi-python:dynamic/slipway:Commit")
    return node


@pytest.fixture(scope="module")
def graphs() -> tuple[Graph, Graph]:
    """The first preview and the up."""
    return tuple(
        record(program, stack="dev", config=configuration({"config": CONFIG}), outputs=made_up_outputs, preview=preview)
        for preview in (True, False)
    )


def test_the_first_preview_names_the_files_and_not_yet_their_content(graphs):
    preview, up = map(commit_of, graphs)

    assert set(preview.inputs["files"]) == set(up.inputs["files"])
    assert "eu/apps/harbor/dev/release/values/core.yaml" in preview.inputs["files"]
    assert set(preview.inputs["files"].values()) == {UNKNOWN}
    assert preview.inputs["facts"] == UNKNOWN


def test_up_gives_the_facts_as_text_and_the_digests_of_what_they_render_to(graphs):
    inputs = commit_of(graphs[1]).inputs
    facts = Facts.from_json(inputs["facts"])

    assert not facts.example
    assert inputs["files"] == {path: blob_id(text) for path, text in Inputs(inputs["facts"]).files().items()}
    assert (inputs["repository"], inputs["branch"], inputs["gitops_path"], inputs["environment"]) == (
        "https://git.example.com/gitops.git", "fleet", "eu", "dev",
    )  # fmt: skip


def test_the_token_is_a_secret(graphs):
    for graph in graphs:
        assert isinstance(commit_of(graph).inputs["token"], Secret)
        assert "ghs_s3cr3t" not in repr(graph)


@pytest.mark.parametrize("storage", ["efs", "s3"])
@pytest.mark.parametrize("profile", ["dev", "ha", "large"])
def test_example_facts_have_the_paths_of_the_real_ones(profile, storage):
    settings = Settings.parse(
        profile,
        {
            "domain": "registry.example.com",
            "region": "eu-central-1",
            "profile": profile,
            "storage": storage,
            "gitops": {"repository": "https://git.example.com/gitops.git"},
        },
    )
    overrides = json.dumps({"mine": "portal: {replicas: 3}"})

    planned = digests(example(settings).to_json(), overrides)
    real = digests(facts_of(profile, storage=storage).to_json(), overrides)

    assert list(planned) == list(real)
    assert planned != real


def test_an_override_changes_the_digests_of_its_own_files_alone():
    facts = facts_of("dev").to_json()
    without, with_one = digests(facts, "{}"), digests(facts, json.dumps({"mine": "portal: {replicas: 3}"}))

    assert {path for path in with_one if with_one[path] != without.get(path)} == {
        "apps/harbor/dev/release/kustomization.yaml",
        "apps/harbor/dev/release/release.yaml",
        "apps/harbor/dev/release/values/override-mine.yaml",
    }
