"""What Pulumi makes in the cluster, and who may be there to make it."""

import json

import pytest

from infra.aws.cluster import kubeconfig, refuse_stranger
from infra.delivery.bootstrap import credential, flux_url, instance_spec, refuse_unreachable, runtime_info
from infra.errors import SettingsError
from infra.settings import Settings
from tests.graph.graphs import recorded
from tests.values.conftest import facts_of

BASE = {
    "domain": "registry.example.com",
    "region": "eu-central-1",
    "gitops": {"repository": "https://git.example.com/g.git"},
}


def settings(**changes) -> Settings:
    return Settings.parse("prod", {**BASE, **changes})


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("git@git.example.com:platform/gitops.git", "ssh://git@git.example.com/platform/gitops.git"),
        ("ssh://git@git.example.com:2222/gitops.git", "ssh://git@git.example.com:2222/gitops.git"),
        ("https://git.example.com/gitops.git", "https://git.example.com/gitops.git"),
    ],
)
def test_flux_takes_no_short_form_of_an_ssh_url(written, url):
    assert flux_url(written) == url


def test_the_instance_follows_the_environments_folder_of_the_branch():
    gitops = {"repository": "https://git.example.com/g.git", "branch": "fleet", "path": "eu"}
    sync = instance_spec(settings(gitops=gitops), pull_secret=False)["sync"]

    assert sync == {
        "kind": "GitRepository", "name": "flux-system", "url": "https://git.example.com/g.git",
        "ref": "refs/heads/fleet", "path": "eu/clusters/prod", "interval": "1m",
    }  # fmt: skip


def test_a_release_that_hangs_never_holds_up_the_commit_that_mends_it():
    (patch,) = instance_spec(settings(), pull_secret=True)["kustomize"]["patches"]

    assert "kustomize-controller|helm-controller" in patch["target"]["name"]
    assert "CancelHealthCheckOnNewRevision=true" in patch["patch"]


def test_the_reader_has_an_identity_of_its_own():
    assert credential(settings()) == {}
    assert credential(settings(gitReadToken="r3ad")) == {"username": "git", "password": "r3ad"}
    ssh = {"repository": "git@git.example.com:g.git", "knownHosts": "git.example.com ecdsa-sha2-nistp256 AAAA"}
    assert credential(settings(gitops=ssh, gitReadKey="KEY")) == {"identity": "KEY", "known_hosts": ssh["knownHosts"]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gitToken": "same", "gitReadToken": "same"}, "gitReadToken is gitToken"),
        ({"gitReadKey": "KEY"}, "gitReadKey is an SSH key"),
        ({"gitops": {"repository": "git@git.example.com:g.git"}, "gitReadKey": "KEY"}, "needs gitops.knownHosts"),
        ({"gitops": {"repository": "git@git.example.com:g.git"}, "gitReadToken": "T"}, "gitReadToken opens HTTPS"),
        ({"chartRepository": "oci://ghcr.io/harbor"}, "is not the URL of a Helm repository"),
        ({"chartRepository": "https://me:pw@charts.example.com"}, "is not the URL of a Helm repository"),
        ({"deliver": {"timeoutMinutes": 0}}, "greater than or equal to 1"),
    ],
)
def test_identities_and_addresses_that_cannot_be_meant(changes, message):
    with pytest.raises(ValueError, match=message):
        settings(**changes)


@pytest.mark.parametrize(
    ("caller", "admitted"),
    [
        ("arn:aws:sts::111122223333:assumed-role/platform/session", "arn:aws:iam::111122223333:role/platform"),
        (
            "arn:aws:sts::111122223333:assumed-role/Admin_1/ann",
            "arn:aws:iam::111122223333:role/aws-reserved/sso/Admin_1",
        ),
        ("arn:aws:iam::111122223333:user/ops/ann", "arn:aws:iam::111122223333:user/ops/ann"),
    ],
)
def test_who_runs_up_must_be_able_to_use_the_cluster(caller, admitted):
    refuse_stranger(settings(cluster={"adminRoleArns": [admitted]}), caller)

    with pytest.raises(SettingsError, match="adminRoleArns: does not admit") as caught:
        refuse_stranger(settings(), caller)
    assert "add the role: arn:aws:iam::111122223333:role/" in str(caught.value)


def test_a_cluster_that_up_could_never_reach_is_refused_before_it_is_made():
    refuse_unreachable(settings(cluster={"publicAccessCidrs": ["203.0.113.0/24"]}))
    refuse_unreachable(settings(cluster={"privateAccess": True}))

    with pytest.raises(SettingsError, match="nobody outside the VPC reaches the API server"):
        refuse_unreachable(settings())


def test_runtime_info_is_text_and_no_secret():
    info = runtime_info(facts_of("ha").to_json())

    assert info["HARBOR_HOST"] == "registry.ha.example.com"
    assert all(isinstance(value, str) and value for value in info.values())


def test_the_kubeconfig_holds_no_credential():
    made = json.loads(kubeconfig("eu-central-1", name="harbor", endpoint="https://x", authority="Q0E="))

    (user,) = made["users"]
    assert set(user["user"]) == {"exec"}
    assert user["user"]["exec"]["args"][:2] == ["eks", "get-token"]


def test_what_flux_owns_pulumi_never_touches_again():
    graph = recorded("other", preview=False)
    made = {node.type.rpartition(":")[2]: node for node in graph if node.type.startswith("kubernetes:")}

    assert set(made) == {"Namespace", "ConfigMap", "Release", "FluxInstance"}  # a public repository needs no credential
    assert "spec" in made["FluxInstance"].ignore_changes
    assert {"chart", "version", "values"} <= set(made["Release"].ignore_changes)
    assert all(node.retain_on_delete for node in made.values())
    (provider,) = graph.of_type("pulumi:providers:kubernetes")
    assert provider.inputs["clusterIdentifier"].startswith("https://")
