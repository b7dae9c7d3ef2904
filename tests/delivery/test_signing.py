"""Commits signed with SSH keys, held against `git verify-commit` as a host or Flux would."""

import shutil
import subprocess

import pytest

from infra.delivery.git import Remote
from infra.delivery.publish import publish, publish_all, withdraw
from infra.errors import PublishError, ToolError
from tests.delivery.repositories import fleet, inputs
from tests.delivery.ssh_server import new_key

pytestmark = pytest.mark.skipif(
    not shutil.which("ssh-keygen"), reason="no ssh-keygen: it is in Debian's package openssh-client"
)


@pytest.fixture
def key(tmp_path):
    return new_key(tmp_path / "id")


@pytest.fixture
def signed(remote, key) -> Remote:
    return Remote(repository=remote.repository, branch="main", signing_key=str(key))


def verified(repository, key, commit: str = "main") -> str:
    """Give what git says of the signature; fails where it is not good."""
    allowed = key.parent / "allowed"
    allowed.write_text(f"slipway@localhost {key.with_suffix('.pub').read_text()}")
    done = subprocess.run(
        ["git", "-C", str(repository.path), "-c", f"gpg.ssh.allowedSignersFile={allowed}", "verify-commit", commit],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_a_commit_is_signed_and_git_believes_it(repository, signed, key):
    publish(signed, inputs())
    assert 'Good "git" signature for slipway@localhost' in verified(repository, key)

    publish_all(signed, fleet(2))
    withdraw(signed, gitops_path="", environment="env0")
    verified(repository, key)
    repository.git("fsck", "--strict")


def test_another_key_is_not_believed(repository, signed, tmp_path):
    publish(signed, inputs())

    (tmp_path / "stranger").mkdir()
    with pytest.raises(AssertionError, match=r"No principal matched|Good .* signature with"):
        verified(repository, new_key(tmp_path / "stranger" / "id"))


def test_the_public_key_of_one_that_an_agent_holds(repository, remote, key, monkeypatch, tmp_path):
    if not shutil.which("ssh-agent"):
        pytest.skip("no ssh-agent: it is in Debian's package openssh-client")
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(tmp_path / "agent")], stdout=subprocess.DEVNULL) as agent:
        try:
            monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
            until_there = subprocess.run(
                ["sh", "-c", f"for i in $(seq 100); do [ -S {tmp_path}/agent ] && break; sleep 0.05; done; ssh-add -q {key}"],
                check=False, capture_output=True,
            )  # fmt: skip
            assert until_there.returncode == 0, until_there.stderr
            key.unlink()
            public = str(key.with_suffix(".pub"))
            publish(Remote(repository=remote.repository, branch="main", signing_key=public), inputs())
        finally:
            agent.terminate()
    verified(repository, key)


def test_a_key_below_the_home_is_found(repository, remote, home):
    new_key(home / "id")
    publish(Remote(repository=remote.repository, branch="main", signing_key="~/id"), inputs())

    verified(repository, home / "id")


def test_the_users_own_signing_set_up_takes_no_part(repository, signed, key, home):
    (home / ".gitconfig").write_text("[gpg]\nformat = openpgp\nprogram = false\n[user]\nsigningkey = 0123\n")

    publish(signed, inputs())

    verified(repository, key)


@pytest.mark.parametrize("kind", ["missing", "no key", "passphrase", "public alone"])
def test_a_key_that_does_not_sign_is_one_error_before_anything_is_pushed(
    repository, remote, tmp_path, monkeypatch, kind
):
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    path = tmp_path / "bad"
    if kind == "no key":
        path.write_text("not a key\n")
        path.chmod(0o600)
    elif kind == "passphrase":
        new_key(path, passphrase="five words are not enough")
    elif kind == "public alone":
        new_key(tmp_path / "pair")
        path = (tmp_path / "pair").with_suffix(".pub")
        (tmp_path / "pair").unlink()

    with pytest.raises(PublishError, match=r"gitops\.signingKey: .*; nothing was pushed") as caught:
        publish(Remote(repository=remote.repository, branch="main", signing_key=str(path)), inputs())

    assert str(path) in str(caught.value)
    assert "name a private SSH key without passphrase" in str(caught.value)
    assert repository.head() == ""


def test_no_ssh_keygen(remote, key, monkeypatch, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("git", "sh"):
        (tools / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(tools))

    with pytest.raises(ToolError, match="ssh-keygen is not on PATH"):
        publish(Remote(repository=remote.repository, branch="main", signing_key=str(key)), inputs())
