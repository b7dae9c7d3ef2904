"""What layer 1 makes for the jobs that look after what lives inside Harbor: a role, where they renew robots; and a place."""

import json

import pytest

from tests.graph.graphs import changed, node, recorded

ROLE, POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
ASSOCIATION, SECRET = "aws:eks/podIdentityAssociation:PodIdentityAssociation", "aws:secretsmanager/secret:Secret"
COMMIT = "pulumi-python:dynamic/slipway:Commit"
INSIDE = {"harbor.yaml": "policy: {ledger: {type: configmap}}\n"}


def with_jobs(monkeypatch, **more):
    monkeypatch.setattr("infra.delivery.deliver.read_inside", lambda *_: INSIDE)
    return changed("ha", harbor={"layer3": {"enabled": True, "image": "registry.example.com/slipway:1"} | more})


def names(graph, token):
    return {each.name for each in graph.of_type(token)}


def test_the_job_that_renews_may_write_robots_secrets_and_read_no_other(monkeypatch):
    graph = with_jobs(monkeypatch, rotate="23 4 * * *")
    association = node(graph, ASSOCIATION, "harbor-layer3-rotate").inputs
    secrets, key = json.loads(node(graph, POLICY, "harbor-layer3-rotate").inputs["policy"])["Statement"]

    assert (association["namespace"], association["serviceAccount"]) == ("harbor", "harbor-layer3-rotate")
    assert [each.rpartition(":secret:")[2] for each in secrets["Resource"]] == [
        "harbor/ha/robots/*",
        "harbor/ha/pull/*",
    ]
    assert "secretsmanager:DeleteSecret" not in secrets["Action"]
    assert key["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert "*" not in {key["Resource"], *secrets["Resource"]}


def test_without_renewal_there_is_no_role_and_without_the_jobs_nothing_at_all(monkeypatch):
    compares, without = with_jobs(monkeypatch), recorded("ha", preview=False)

    assert not {name for name in names(compares, ROLE) | names(compares, ASSOCIATION) if "layer3" in name}
    assert names(compares, SECRET) - names(without, SECRET) == {"harbor-layer3"}
    assert not {each.name for each in without.nodes if "layer3" in each.name}


def test_the_secret_is_a_place_whose_value_the_program_never_has(monkeypatch):
    graph = with_jobs(monkeypatch, notify=True)

    assert {"harbor-layer3", "harbor-layer3-notify"} <= names(graph, SECRET)
    assert not {name for name in names(graph, "aws:secretsmanager/secretVersion:SecretVersion") if "layer3" in name}


@pytest.mark.parametrize("enabled", [True, False])
def test_the_commit_has_the_file_only_where_a_job_reads_it(monkeypatch, enabled):
    monkeypatch.setattr("infra.delivery.deliver.read_inside", lambda *_: INSIDE)
    graph = changed("ha", harbor={"layer3": {"enabled": enabled, "image": "registry.example.com/slipway:1"}})
    (commit,) = (each for each in graph.nodes if each.name == "commit")

    assert commit.inputs.get("inside") == (json.dumps(INSIDE) if enabled else None)
    assert any(path.endswith("/support/harbor/harbor.yaml") for path in commit.inputs["files"]) is enabled
