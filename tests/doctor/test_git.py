"""The GitOps repository, with real git over files, HTTP and SSH: each failure and the fix that is shown."""

import base64
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.delivery import github_host
from tests.delivery.repositories import READER, TOKEN
from tests.delivery.ssh_server import new_key, serving


@pytest.fixture
def filled(project, repository):
    """A repository with a branch main, which the settings name."""
    repository.write("README.md", "ours\n")
    project.gitops(repository=repository.path.as_uri())
    return repository


def test_a_repository_that_can_be_read_and_written(project, filled):
    before = filled.git("for-each-ref")
    read, push = project.look("git.read"), project.look("git.push")

    assert (read.state, read.says[-23:]) == ("ok", f"main is at {filled.head()[:12]}")
    assert (push.state, push.says) == ("ok", "main takes a push of ours (dry run: no hook was asked)")
    assert filled.git("for-each-ref") == before


def test_an_empty_repository_is_no_failure(project, repository):
    project.gitops(repository=repository.path.as_uri())

    assert "is empty: the first publish makes main" in project.look("git.read").says
    assert project.look("git.push").state == "ok"
    assert repository.head() == ""


def test_a_hook_is_not_run(project, filled):
    filled.hook("pre-receive", "touch asked; exit 1")

    assert project.look("git.push").state == "ok"
    assert not (filled.path / "asked").exists()


def test_no_such_repository(project, tmp_path):
    project.gitops(repository=f"file://{tmp_path}/none.git")
    found = project.look("git.read")

    assert found.state == "failed"
    assert "there is no such repository" in found.says
    assert "check gitops.repository" in found.fix
    assert project.look("git.push").says == "because git.read failed"


def test_no_such_branch(project, filled):
    project.gitops(repository=filled.path.as_uri(), branch="live")
    found = project.look("git.read")

    assert "has no branch 'live'" in found.says
    assert found.fix == "push it first, or set gitops.branch to one of: main"


def test_a_key_that_does_not_sign(project, filled, tmp_path):
    project.gitops(repository=filled.path.as_uri(), signingKey=tmp_path / "none")
    found = project.look("git.push")

    assert found.state == "failed"
    assert "no such file" in found.says
    assert "name a private SSH key" in found.fix


def test_a_key_that_signs(project, filled, tmp_path):
    project.gitops(repository=filled.path.as_uri(), signingKey=new_key(tmp_path / "key"))

    assert "takes a push of ours, with signed commits" in project.look("git.push").says


# --- HTTP


def test_a_token_that_may_push(project, repository, http_remote, monkeypatch):
    repository.write("README.md", "ours\n")
    project.gitops(repository=http_remote)
    monkeypatch.setenv("SLIPWAY_GIT_TOKEN", TOKEN)

    assert project.look("git.push").state == "ok"


def test_a_token_that_may_only_read(project, repository, http_remote, monkeypatch):
    repository.write("README.md", "ours\n")
    project.gitops(repository=http_remote)
    monkeypatch.setenv("SLIPWAY_GIT_TOKEN", READER)
    found = project.look("git.push")

    assert project.look("git.read").state == "ok"
    assert found.state == "failed"
    assert "refuses our credentials" in found.says
    assert "403" in found.says
    assert "that may push" in found.fix


def test_no_token(project, http_remote):
    project.gitops(repository=http_remote)
    found = project.look("git.read")

    assert found.state == "failed"
    assert "refuses our credentials" in found.says
    assert "what Pulumi encrypted (gitToken) only Pulumi reads: give it as SLIPWAY_GIT_TOKEN" in found.fix


class Host(BaseHTTPRequestHandler):
    """Asks who is there, then answers with `status`."""

    status = 403
    seen: set[str]

    def do_GET(self) -> None:
        authorization = self.headers.get("Authorization", "")
        self.seen.add(base64.b64decode(authorization.partition(" ")[2]).decode())
        self.send_response(self.status if authorization else 401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments) -> None:
        """Stay quiet."""


@pytest.mark.parametrize(
    ("status", "told", "fix"),
    [
        (401, "refuses our credentials", "give SLIPWAY_GIT_TOKEN"),
        (403, "refuses our credentials", "give SLIPWAY_GIT_TOKEN"),
        (404, "there is no such repository", "check gitops.repository"),
        (503, "has a fault of its own", "try again in a few minutes"),
    ],
)
def test_a_host_that_says_no(project, monkeypatch, status, told, fix):
    monkeypatch.setenv("SLIPWAY_GIT_TOKEN", "ghs_s3cr3t")
    handler = type("Handler", (Host,), {"status": status, "seen": set()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        project.gitops(repository=f"http://127.0.0.1:{server.server_address[1]}/gitops.git")
        found = project.look("git.read")
        server.shutdown()
        thread.join()

    assert found.state == "failed"
    assert told in found.says
    assert fix in found.fix
    assert "x-access-token:ghs_s3cr3t" in handler.seen
    assert "s3cr3t" not in found.says + found.fix


# --- SSH


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with serving(tmp_path / "ssh", "AcceptEnv GIT_PROTOCOL") as one:
        monkeypatch.setenv("SLIPWAY_GIT_SSH_KEY", str(one.client_key))
        yield one


def test_a_pinned_host(project, server, repository):
    repository.write("README.md", "ours\n")
    project.gitops(repository=server.url(repository.path), knownHosts=f"'{server.known_hosts().strip()}'")

    assert project.look("git.host-key").says == f"gitops.knownHosts has a key of [127.0.0.1]:{server.port}"
    assert project.look("git.push").state == "ok"


def test_a_host_that_is_not_pinned(project, server, repository, home):
    project.gitops(repository=server.url(repository.path))
    found = project.look("git.host-key")
    assert found.state == "failed"
    assert f"nothing here knows [127.0.0.1]:{server.port}" in found.says
    assert found.fix.startswith(f"ssh-keyscan -p {server.port} 127.0.0.1 > keys; compare")

    (home / ".ssh").mkdir()
    (home / ".ssh" / "known_hosts").write_text(server.known_hosts())
    found = project.look("git.host-key")
    assert "this machine knows [127.0.0.1]" in found.says
    assert "Flux refuses a host whose key it does not know" in found.says


def test_another_hosts_key_is_pinned(project, server, repository, tmp_path):
    key = new_key(tmp_path / "other").with_suffix(".pub").read_text().strip()
    project.gitops(repository=server.url(repository.path), knownHosts=f"'git.example.com {key}'")

    assert "has no usable key of [127.0.0.1]" in project.look("git.host-key").says
    assert "its SSH host key is not a known one" in project.look("git.read").says


def test_a_host_with_another_key_than_the_pinned_one(project, server, repository, tmp_path):
    wrong = server.known_hosts(new_key(tmp_path / "wrong")).strip()
    project.gitops(repository=server.url(repository.path), knownHosts=f"'{wrong}'")
    found = project.look("git.read")

    assert "another SSH host key than the pinned one" in found.says
    assert "only then correct gitops.knownHosts" in found.fix


def test_a_key_that_the_host_does_not_know(project, server, repository, tmp_path, monkeypatch):
    monkeypatch.setenv("SLIPWAY_GIT_SSH_KEY", str(new_key(tmp_path / "stranger")))
    project.gitops(repository=server.url(repository.path), knownHosts=f"'{server.known_hosts().strip()}'")

    assert "refuses our credentials" in project.look("git.read").says


# --- protection


@pytest.fixture
def host(project, repository, monkeypatch):
    monkeypatch.setenv("SLIPWAY_GIT_TOKEN", github_host.TOKEN)
    with github_host.serving() as one:
        yield one


@pytest.mark.parametrize(
    ("mode", "protected", "rules", "state", "fix"),
    [
        ("direct", False, [], "ok", ""),
        ("direct", False, None, "ok", ""),
        ("direct", False, [{"type": "deletion"}, {"type": "non_fast_forward"}], "ok", ""),
        ("direct", True, [], "warning", "set gitops.mode to pull-request"),
        ("direct", False, [{"type": "pull_request"}], "warning", "set gitops.mode to pull-request"),
        ("pull-request", True, [], "ok", ""),
        ("pull-request", False, [], "warning", "protect the branch"),
    ],
)
def test_protection_and_mode(project, host, mode, protected, rules, state, fix):
    host.protected, host.rules = protected, rules
    project.gitops(repository="https://git.example.com/acme/gitops.git", api=host.url, mode=mode)
    found = project.look("git.protected")

    assert found.state == state
    assert fix in found.fix


def test_a_token_that_the_api_does_not_take(project, host, monkeypatch):
    monkeypatch.setenv("SLIPWAY_GIT_TOKEN", "wr0ng")
    project.gitops(repository="https://git.example.com/acme/gitops.git", api=host.url)
    found = project.look("git.protected")

    assert found.state == "failed"
    assert "does not take the token" in found.says
    assert "SLIPWAY_GIT_TOKEN" in found.fix


def test_pull_requests_without_a_token(project, host, monkeypatch):
    monkeypatch.delenv("SLIPWAY_GIT_TOKEN")
    project.gitops(repository="https://git.example.com/acme/gitops.git", api=host.url, mode="pull-request")

    assert "pull requests need a token" in project.look("git.protected").says


def test_a_host_without_an_api_of_that_kind(project, filled):
    assert project.look("git.protected").state == "skipped"


def test_with_pull_requests_the_branch_of_ours_is_pushed(project, filled, host):
    project.gitops(repository=filled.path.as_uri(), api=host.url, mode="pull-request")

    assert project.look("git.push").says.startswith("slipway/ha takes a push")


# --- Flux, and mode files


def test_flux_without_a_credential(project, http_remote):
    project.gitops(repository=http_remote)
    found = project.look("git.flux")
    assert found.state == "failed"
    assert "answers 401 to who has no token" in found.says
    assert "pulumi config set --secret slipway:gitReadToken --stack ha" in found.fix

    project.gitops(repository="git@git.example.com:acme/gitops.git")
    assert "slipway:gitReadKey" in project.look("git.flux").fix


def test_flux_with_a_credential(project, http_remote):
    project.gitops(repository=http_remote)
    project.add("  slipway:gitReadToken: {secure: AAABAA}\n")
    found = project.look("git.flux")

    assert (found.state, found.says[:19]) == ("ok", "gitReadToken is set")


def test_a_folder_in_place_of_a_remote(project, filled, tmp_path):
    project.gitops(repository=filled.path.as_uri(), mode="files", folder=tmp_path / "out")
    assert project.look("git.folder").state == "ok"
    assert project.look("git.read").state == project.look("git.push").state == "skipped"

    (tmp_path / "file").touch()
    project.gitops(repository=filled.path.as_uri(), mode="files", folder=tmp_path / "file")
    found = project.look("git.folder")
    assert "cannot be written to: Not a directory" in found.says
    assert "gitops.folder" in found.fix
