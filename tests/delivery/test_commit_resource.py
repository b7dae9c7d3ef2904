"""The commit as a Pulumi resource, driven over the protocol in the process that the engine would start."""

import json
import os
import subprocess
import sys

import grpc
import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime.proto import provider_pb2 as protocol
from pulumi.runtime.proto import provider_pb2_grpc
from pulumi.runtime.rpc import UNKNOWN

from infra.delivery.commit import CONTENT, PLACE, CommitArgs, CommitProvider
from infra.delivery.lock import blob_id
from infra.delivery.publish import publish
from tests.delivery.conftest import ROOT
from tests.delivery.repositories import TOKEN, inputs

PROVIDER = serialize_provider(CommitProvider())
PORTAL = "apps/harbor/ha/release/values/portal.yaml"


class Plugin:
    """Pulumi's Python plugin; answers are plain data."""

    def __init__(self, stub: provider_pb2_grpc.ResourceProviderStub) -> None:
        self.stub = stub

    def create(self, properties: dict) -> dict:
        return plain(self.stub.Create(protocol.CreateRequest(properties=wire(properties))).properties)

    def update(self, olds: dict, news: dict) -> dict:
        request = protocol.UpdateRequest(id="ha", olds=wire(olds), news=wire(news))
        return plain(self.stub.Update(request).properties)

    def diff(self, olds: dict, news: dict) -> protocol.DiffResponse:
        return self.stub.Diff(protocol.DiffRequest(id="ha", olds=wire(olds), news=wire(news)))

    def read(self, properties: dict) -> tuple[dict, dict]:
        answer = self.stub.Read(protocol.ReadRequest(id="ha", properties=wire(properties)))
        return plain(answer.properties), plain(answer.inputs)

    def delete(self, properties: dict) -> None:
        self.stub.Delete(protocol.DeleteRequest(id="ha", properties=wire(properties)))


def wire(properties: dict) -> Struct:
    return ParseDict({**properties, "__provider": PROVIDER}, Struct())


def plain(properties: Struct) -> dict:
    return {key: value for key, value in MessageToDict(properties).items() if key != "__provider"}


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    """The plugin's process; like the engine's, it serves many resources."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.dynamic"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path_factory.mktemp("home"))},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
            yield Plugin(provider_pb2_grpc.ResourceProviderStub(channel))
        process.kill()


def properties(remote, overrides: dict[str, str] | None = None, **changes) -> dict:
    source = inputs(overrides=overrides)
    return {
        "facts": source.facts_json,
        "overrides": json.dumps(source.overrides),
        "files": {path: blob_id(text) for path, text in source.files().items()},
        "repository": remote.repository,
        "branch": remote.branch,
        "gitops_path": "",
        "environment": "ha",
        "withdraw_on_destroy": False,
        **changes,
    }


def test_the_state_holds_a_reference_to_the_provider_and_no_code():
    assert serialize_provider(CommitProvider()) == PROVIDER
    assert len(PROVIDER) < 100


def test_every_input_is_either_place_or_content():
    assert sorted({*PLACE, *CONTENT}) == sorted(CommitArgs.__dataclass_fields__)


def test_create_publishes_and_gives_the_commit(plugin, repository, remote):
    wanted = properties(remote)

    created = plugin.create(wanted)

    assert created == {**wanted, "commit": repository.head(), "pull_request": ""}
    assert set(created["files"]) < set(repository.files())


def test_create_after_a_run_that_ended_too_early_finds_its_own_commit(plugin, repository, remote):
    publish(remote, inputs())
    head = repository.head()

    assert plugin.create(properties(remote))["commit"] == head


def test_update_publishes_what_changed(plugin, repository, remote):
    before = plugin.create(properties(remote))

    after = plugin.update(before, properties(remote, overrides={"mine": "core: {replicas: 3}"}))

    assert after["commit"] == repository.head() != before["commit"]
    assert "apps/harbor/ha/release/values/override-mine.yaml" in repository.files()


@pytest.mark.parametrize(
    ("changes", "changed", "replaces"),
    [
        ({}, False, []),
        ({"facts": "{}"}, True, []),
        ({"facts": UNKNOWN}, True, []),
        ({"files": {PORTAL: UNKNOWN}}, True, []),
        ({"overrides": "{}", "withdraw_on_destroy": True}, True, []),
        ({"token": "rotated"}, True, []),
        ({"branch": "production"}, True, ["branch"]),
        ({"repository": "file:///elsewhere.git", "gitops_path": "fleet"}, True, ["repository", "gitops_path"]),
    ],
)
def test_diff(plugin, remote, changes, changed, replaces):
    olds = {**properties(remote), "commit": "0123"}

    answer = plugin.diff(olds, {**properties(remote), **changes})

    assert answer.changes == (protocol.DiffResponse.DIFF_SOME if changed else protocol.DiffResponse.DIFF_NONE)
    assert list(answer.replaces) == replaces
    assert not answer.deleteBeforeReplace


def test_read_finds_nothing_where_nothing_moved(plugin, repository, remote):
    state = plugin.create(properties(remote))
    repository.write("README.md", "ours\n")

    assert plugin.read(state) == (state, properties(remote))


def test_read_shows_drift_and_an_update_repairs_a_reset_branch(plugin, repository, remote):
    repository.write("README.md", "ours\n")
    before = repository.head()
    state = plugin.create(properties(remote))
    repository.git("update-ref", "refs/heads/main", before)

    found, _ = plugin.read(state)

    assert found["files"] == {}
    assert plugin.diff(found, properties(remote)).changes == protocol.DiffResponse.DIFF_SOME
    assert plugin.update(found, properties(remote))["commit"] == repository.head() != before


def test_an_edit_by_hand_shows_as_drift_and_stops_the_update_with_its_diff(plugin, repository, remote):
    state = plugin.create(properties(remote))
    repository.write(PORTAL, "edited: by hand\n")

    found, remembered = plugin.read(state)
    assert {path for path in state["files"] if found["files"][path] != state["files"][path]} == {PORTAL}
    assert remembered["files"] == found["files"]

    with pytest.raises(grpc.RpcError) as caught:
        plugin.update(found, properties(remote))
    said = caught.value.details()
    assert said.startswith(f"Exception calling application: {PORTAL}: is a generated file, and was edited by hand\n")
    assert "\n-edited: by hand\n" in said
    assert "Traceback" not in said


def test_delete_leaves_the_files(plugin, repository, remote):
    state = plugin.create(properties(remote))

    plugin.delete(state)

    assert repository.head() == state["commit"]


def test_delete_removes_the_files_if_that_was_asked_for(plugin, repository, remote):
    repository.write("README.md", "ours\n")
    state = plugin.create(properties(remote, withdraw_on_destroy=True))

    plugin.delete(state)

    assert repository.files() == ["README.md"]


def test_the_token_opens_the_repository_and_never_shows(plugin, repository, http_remote, remote):
    opened = properties(remote, repository=http_remote, token=TOKEN)
    assert plugin.create(opened)["commit"] == repository.head()

    with pytest.raises(grpc.RpcError) as caught:
        plugin.create({**opened, "token": "wr0ng"})
    assert "refuses our credentials" in caught.value.details()
    assert "wr0ng" not in caught.value.details()


def test_the_environments_token_goes_before_the_states(repository, http_remote, remote, monkeypatch):
    monkeypatch.setenv("SLIPWAY_GIT_TOKEN", TOKEN)

    outputs = CommitProvider().create(properties(remote, repository=http_remote, token="expired")).outs

    assert outputs["commit"] == repository.head()
