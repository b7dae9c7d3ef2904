"""What a remote can do to us: refuse, be absent, hang, redirect; and that no credential is ever shown or left."""

import base64
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.delivery.git import Git, Remote
from infra.delivery.git import repository as scratch
from infra.delivery.publish import publish
from infra.delivery.revision import write_tree
from infra.errors import PublishError, PushRefused, RemoteUnavailable, ToolError
from tests.delivery.repositories import inputs

TOKEN = "ghs_s3cr3t"


class Host(BaseHTTPRequestHandler):
    """Asks for Basic authentication, then answers every request with `status`."""

    status = 403
    location = ""
    seen: list[str]
    command_lines: set[str]

    def do_GET(self) -> None:
        authorization = self.headers.get("Authorization", "")
        self.seen.append(base64.b64decode(authorization.partition(" ")[2]).decode())
        self.command_lines |= {read(path) for path in Path("/proc").glob("[0-9]*/cmdline")}
        self.send_response(self.status if authorization or self.location else 401)
        if self.location:
            self.send_header("Location", self.location + self.path)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments) -> None:
        """Stay quiet."""


def read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # that process has just ended
        return ""


@pytest.fixture
def host():
    """Start hosts; gives a function from attributes to the host's class and URL."""
    running = []

    def start(**attributes):
        handler = type("Handler", (Host,), {"seen": [], "command_lines": set(), **attributes})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        running.append((server, thread))
        return handler, f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_token_without_the_right_is_refused_and_shown_nowhere(host, tmp_path, monkeypatch):
    handler, url = host(status=403)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with pytest.raises(RemoteUnavailable) as caught:
        publish(Remote(repository=f"{url}/gitops.git", branch="main", token=TOKEN), inputs())

    assert f"{url}/gitops.git: refuses our credentials" in str(caught.value)
    assert TOKEN not in str(caught.value) + repr(caught.value) + repr(Remote(repository=url, branch="x", token=TOKEN))
    assert f"x-access-token:{TOKEN}" in handler.seen
    assert not [line for line in handler.command_lines if TOKEN in line]


def test_the_token_is_in_no_file_of_the_scratch_repository(tmp_path, monkeypatch, remote):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with scratch(Remote(repository=remote.repository, branch="main", token=TOKEN)) as git:
        git.fetch()
        written = [path for path in tmp_path.rglob("*") if path.is_file()]

        assert written
        assert not [path for path in written if TOKEN.encode() in path.read_bytes()]


def test_the_name_that_goes_with_the_token_can_be_given(host, monkeypatch):
    handler, url = host()
    monkeypatch.setenv("SLIPWAY_GIT_USERNAME", "oauth2")

    with pytest.raises(RemoteUnavailable):
        publish(Remote(repository=f"{url}/gitops.git", branch="main", token=TOKEN), inputs())

    assert f"oauth2:{TOKEN}" in handler.seen


def test_the_token_goes_before_the_users_own_helpers(host, home):
    handler, url = host()
    (home / ".gitconfig").write_text('[credential]\nhelper = "!echo username=joe; echo password=other #"\n')

    with pytest.raises(RemoteUnavailable):
        publish(Remote(repository=f"{url}/gitops.git", branch="main", token=TOKEN), inputs())

    assert f"x-access-token:{TOKEN}" in handler.seen
    assert "joe:other" not in handler.seen


def test_the_token_does_not_follow_a_redirect_to_another_host(host):
    elsewhere, other = host(status=403)
    _, url = host(status=302, location=other.replace("127.0.0.1", "localhost"))

    with pytest.raises(RemoteUnavailable):
        publish(Remote(repository=f"{url}/gitops.git", branch="main", token=TOKEN), inputs())

    assert elsewhere.seen
    assert not [credentials for credentials in elsewhere.seen if TOKEN in credentials]


def test_a_host_that_knows_no_such_repository(host):
    _, url = host(status=404)

    with pytest.raises(RemoteUnavailable, match="there is no such repository, or we may not see it"):
        publish(Remote(repository=f"{url}/gitops.git", branch="main", token=TOKEN), inputs())


@pytest.mark.parametrize(
    "url",
    [
        "http://joe:hunter2@127.0.0.1:9/x.git",
        "http://joe:hun@ter2@127.0.0.1:9/x.git",
        "http://hunter2@127.0.0.1:9/x.git",
        "ssh://joe:hunter2@127.0.0.1:9/x.git",
    ],
)
def test_credentials_in_a_url_show_nowhere(url):
    with pytest.raises(RemoteUnavailable) as caught:
        publish(Remote(repository=url, branch="main"), inputs())

    assert "hunter2" not in str(caught.value)
    assert "ter2" not in str(caught.value)
    assert "//***@127.0.0.1:9/x.git" in str(caught.value)


def test_no_git_at_all(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ToolError, match=r"git is not on PATH\n    install git"):
        publish(Remote(repository="https://git.example.com/x.git", branch="main"), inputs())


def test_a_remote_that_does_not_answer_is_given_up_and_leaves_no_process(tmp_path, monkeypatch):
    pid = tmp_path / "pid"
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\necho $$ > {pid}\nexec sleep 300\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    monkeypatch.setattr(Git, "network_seconds", 2)

    with pytest.raises(RemoteUnavailable, match="cannot be reached") as caught:
        publish(Remote(repository="ssh://git@git.example.com/x.git", branch="main"), inputs())

    assert "git fetch: no answer within 2 seconds" in str(caught.value)
    assert not Path("/proc", pid.read_text().strip()).exists() or "sleep" not in read(
        Path("/proc", pid.read_text().strip(), "cmdline")
    )


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("Host key verification failed.\nfatal: Could not read from remote repository.", "its SSH host key is not"),
        ("git@x: Permission denied (publickey).\nfatal: Could not read from remote", "refuses our credentials"),
        ("fatal: could not read Username for 'https://x': terminal prompts disabled", "refuses our credentials"),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 403", "refuses our credentials"),
        ("remote: Repository not found.\nfatal: repository 'https://x/' not found", "there is no such repository"),
        ("fatal: unable to access 'https://x/': Could not resolve host: x", "cannot be reached"),
        ("ssh: connect to host x port 22: Connection timed out", "cannot be reached"),
        ("fatal: mismatched algorithms: client sha1; server sha256", "git could not use it"),
    ],
)
def test_what_git_says_becomes_a_reason_and_a_next_step(said, what, remote):
    with scratch(remote) as git:
        error = git.unavailable(said)

    assert what in error.problems[0].what
    assert error.problems[0].fix
    assert error.detail == said


def test_a_local_failure_is_not_blamed_on_the_remote(remote):
    with scratch(remote) as git, pytest.raises(PublishError, match="git rev-parse: failed") as caught:
        git.run("rev-parse", "--verify", "no-such-thing")

    assert not isinstance(caught.value, RemoteUnavailable)
    assert "fatal:" in caught.value.detail


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_a_hook_refuses_once_in_its_own_words_and_nobody_tries_again(repository, remote, hook):
    repository.hook(hook, "echo asked >> asked; echo 'GL-HOOK-ERR: main is protected' >&2; exit 1")

    with pytest.raises(PushRefused) as caught:
        publish(remote, inputs())

    message = str(caught.value)
    assert f"{remote.repository} main: refuses the push: [remote rejected]" in message
    assert "GL-HOOK-ERR: main is protected" in message
    assert "set gitops.branch to one that it may push to" in message
    assert (repository.path / "asked").read_text() == "asked\n"
    assert repository.head() == ""


def test_a_repository_that_takes_no_deletions_and_no_rewrites_takes_ours(repository, remote):
    repository.git("config", "receive.denyNonFastForwards", "true")
    repository.git("config", "receive.denyDeletes", "true")
    publish(remote, inputs())

    assert publish(remote, inputs(overrides={"mine": "portal: {replicas: 3}"})).created


def test_of_all_blobs_only_the_lock_is_fetched_also_for_a_new_tree(repository, remote):
    publish(remote, inputs())
    for number in range(20):
        repository.write(f"many/{number}.txt", f"{number}\n")

    with scratch(remote) as git:

        def blobs() -> int:
            return git.run("cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").split().count("blob")

        base = git.fetch()
        assert blobs() == 0
        (lock,) = git.blobs(base, ["apps/harbor/ha/.slipway.lock.json"]).values()
        assert git.read_blob(lock).startswith("{")
        assert blobs() == 1
        write_tree(git, base, {"new.txt": "new\n"}, ["many/7.txt"])
        assert blobs() == 2


def test_a_server_that_knows_no_filter_works_too(repository, remote):
    repository.git("config", "uploadpack.allowFilter", "false")
    publish(remote, inputs())
    repository.write("README.md", "ours\n")

    assert publish(remote, inputs(overrides={"mine": "portal: {replicas: 3}"})).created
    assert "README.md" in repository.files()


def test_variables_of_git_that_point_elsewhere_take_no_part(remote, monkeypatch, tmp_path):
    for variable in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_TRACE"):
        monkeypatch.setenv(variable, str(tmp_path / variable))

    assert publish(remote, inputs()).created
    assert not list(tmp_path.glob("GIT_*"))
