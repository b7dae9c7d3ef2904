"""The ways to deliver as settings, and what the program says of a change that a person has to let through."""

import json

import pytest

from infra.delivery.commit import CommitProvider, _remote
from infra.delivery.deliver import not_yet
from infra.delivery.git import Remote
from infra.delivery.publish import publish
from infra.errors import SettingsError
from infra.settings import Settings
from infra.stack_config import check
from tests.delivery.github_host import TOKEN, serving
from tests.delivery.repositories import Repository, inputs
from tests.delivery.test_commit_resource import properties
from tests.graph.graphs import changed

GITOPS = {"repository": "https://github.com/acme/gitops.git"}


def settings(**gitops) -> Settings:
    values = {
        "domain": "registry.example.com",
        "region": "eu-central-1",
        "profile": "dev",
        "gitops": {**GITOPS, **gitops},
    }
    return check("dev", values, lambda location: ".".join(map(str, location)))


def test_the_default_is_a_push():
    assert Remote.of(settings().gitops, "token", root=None) == Remote(
        repository=GITOPS["repository"], branch="main", token="token"
    )


def test_a_relative_folder_begins_at_the_project(tmp_path):
    assert Remote.of(settings(mode="files", folder="build").gitops, None, tmp_path).folder == str(tmp_path / "build")


@pytest.mark.parametrize(
    ("gitops", "expected"),
    [
        ({"mode": "files"}, "mode files and folder belong together"),
        ({"folder": "build"}, "mode files and folder belong together"),
        ({"mode": "pull-request", "repository": "file:///x.git"}, "needs a Git host with GitHub's API"),
        ({"mode": "merge-request"}, "mode"),
        ({"api": "api.github.com"}, "is not the URL of an API"),
        ({"api": "https://joe:pw@api.github.com"}, "is not the URL of an API"),
    ],
)
def test_settings_that_do_not_fit(gitops, expected):
    with pytest.raises(SettingsError, match=expected):
        settings(**gitops)


def test_nobody_waits_for_flux_where_a_person_comes_first():
    values = {
        "domain": "registry.example.com",
        "region": "eu-central-1",
        "gitops": {**GITOPS, "mode": "pull-request"},
        "deliver": {"wait": True},
    }
    with pytest.raises(SettingsError, match=r"deliver\.wait waits for Flux, and with gitops\.mode pull-request"):
        check("dev", values, str)


def test_what_pulumi_up_says():
    asked = settings(mode="pull-request")
    waits = not_yet(asked, "https://github.com/acme/gitops/pull/7")
    assert "waits in https://github.com/acme/gitops/pull/7: Flux delivers it when somebody merges it" in waits
    assert "holds everything of dev already" in not_yet(asked, "")
    assert "when somebody commits them to main" in not_yet(settings(mode="files", folder="build"), "")


def test_the_program_hands_everything_to_the_commit():
    gitops = {
        "repository": "git@github.com:acme/gitops.git",
        "mode": "pull-request",
        "knownHosts": "github.com ssh-ed25519 AAAA",
        "signingKey": "~/.ssh/id",
    }
    (commit,) = changed("dev", gitops=gitops).of_type("pulumi-python:dynamic/slipway:Commit")

    assert {key: commit.inputs[key] for key in ("mode", "known_hosts", "signing_key", "folder", "api")} == {
        "mode": "pull-request",
        "known_hosts": "github.com ssh-ed25519 AAAA",
        "signing_key": "~/.ssh/id",
        "folder": "",
        "api": "",
    }


def test_a_state_of_before_there_were_modes_is_a_push(remote):
    assert _remote(properties(remote)) == remote


def test_the_resource_keeps_the_pull_request_and_its_refresh_shows_what_is_merged(tmp_path):
    (tmp_path / "acme").mkdir()
    repository = Repository(tmp_path / "acme" / "gitops.git")
    repository.write("README.md", "ours\n")
    with serving() as host:
        remote = Remote(repository=repository.path.as_uri(), branch="main")
        wanted = properties(remote, token=TOKEN, mode="pull-request", api=host.url)
        provider = CommitProvider()

        state = provider.create(wanted).outs

        assert state["commit"] == repository.head()
        assert state["pull_request"] == host.pulls[0]["html_url"]
        seen = provider.read("ha", state)
        assert seen.outs["files"] == {}
        assert "pull_request" not in seen.inputs
        publish(remote, inputs(overrides=json.loads(wanted["overrides"])))  # as if it were merged
        assert provider.read("ha", state).outs["files"] == wanted["files"]
