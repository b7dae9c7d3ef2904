"""Git over a real SSH server: only pinned host keys count, nothing is scanned, and races lose nothing there either."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from infra.delivery.git import Remote
from infra.delivery.publish import publish, publish_all
from infra.errors import PublishError, PushRefused, RemoteUnavailable
from tests.delivery.repositories import fleet, inputs
from tests.delivery.ssh_server import new_key, serving

#: As hosts have it, so that git speaks its newer protocol; and as Debian has it.
PROTOCOLS = ("AcceptEnv GIT_PROTOCOL", "")


@pytest.fixture
def server(request, tmp_path, monkeypatch):
    """A server that lets one key in, which the publisher is told of; no agent helps."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with serving(tmp_path / "ssh", getattr(request, "param", PROTOCOLS[0])) as one:
        monkeypatch.setenv("SLIPWAY_GIT_SSH_KEY", str(one.client_key))
        yield one


@pytest.fixture
def pinned(server, repository) -> Remote:
    return Remote(repository=server.url(repository.path), branch="main", known_hosts=server.known_hosts())


@pytest.mark.parametrize("server", PROTOCOLS, indirect=True)
def test_a_pinned_host_takes_first_and_further_publishes(repository, pinned):
    assert publish(pinned, inputs()).created
    assert not publish(pinned, inputs()).created
    assert publish(pinned, inputs(overrides={"mine": "core: {replicas: 3}"})).created
    assert repository.git("rev-list", "--count", "main") == "2"


def test_a_host_that_is_not_pinned_is_not_believed(server, repository, tmp_path):
    other = f"git.example.com {new_key(tmp_path / 'other').with_suffix('.pub').read_text()}"
    remote = Remote(repository=server.url(repository.path), branch="main", known_hosts=other)

    with pytest.raises(RemoteUnavailable, match="its SSH host key is not a known one") as caught:
        publish(remote, inputs())

    assert "put it into gitops.knownHosts" in str(caught.value)
    assert repository.head() == ""


def test_a_host_with_another_key_than_the_pinned_one_is_an_alarm(server, repository, tmp_path):
    wrong = server.known_hosts(new_key(tmp_path / "wrong"))

    with pytest.raises(RemoteUnavailable, match="another SSH host key than the pinned one") as caught:
        publish(Remote(repository=server.url(repository.path), branch="main", known_hosts=wrong), inputs())

    assert "only then correct gitops.knownHosts" in str(caught.value)
    assert repository.head() == ""


def test_without_pinned_keys_nothing_is_scanned_or_learnt(server, repository):
    with pytest.raises(RemoteUnavailable, match="its SSH host key is not a known one"):
        publish(Remote(repository=server.url(repository.path), branch="main"), inputs())


def test_the_users_own_options_cannot_turn_the_check_off(server, repository, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null")
    wrong = server.known_hosts(new_key(tmp_path / "wrong"))

    with pytest.raises(RemoteUnavailable, match="another SSH host key than the pinned one"):
        publish(Remote(repository=server.url(repository.path), branch="main", known_hosts=wrong), inputs())


def test_a_key_that_the_server_does_not_know(pinned, repository, tmp_path, monkeypatch):
    monkeypatch.setenv("SLIPWAY_GIT_SSH_KEY", str(new_key(tmp_path / "stranger")))

    with pytest.raises(RemoteUnavailable, match="refuses our credentials"):
        publish(pinned, inputs())


def test_a_key_that_is_not_there(pinned, monkeypatch):
    monkeypatch.setenv("SLIPWAY_GIT_SSH_KEY", "/nowhere/id")

    with pytest.raises(PublishError, match="SLIPWAY_GIT_SSH_KEY: /nowhere/id: no such file"):
        publish(pinned, inputs())


def test_a_refusal_reads_as_over_any_other_way(pinned, repository):
    repository.hook("pre-receive", "echo 'GH006: Protected branch update failed' >&2; exit 1")

    with pytest.raises(PushRefused, match=r"set gitops\.mode to pull-request") as caught:
        publish(pinned, inputs())

    assert "GH006: Protected branch" in str(caught.value)
    assert repository.head() == ""


def test_ten_writers_lose_nothing(pinned, repository):
    with ThreadPoolExecutor(10) as pool:
        published = list(pool.map(lambda number: publish_all(pinned, fleet(2, first=2 * number)), range(10)))

    assert all(one.created for one in published)
    assert repository.git("rev-list", "--count", "main") == "10"
    assert len([path for path in repository.files() if path.startswith("clusters/")]) == 20
