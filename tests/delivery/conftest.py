"""A bare repository, its remote, and a home whose git configuration is nobody's."""

import os
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.delivery.git import Remote
from slipway.rehearse.cluster.played.git_server import GitServer, Identities
from tests.delivery.repositories import READER, TOKEN, Repository

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path_factory):
    """A home of its own, so that the git configuration of whoever runs the tests takes no part."""
    for variable in [name for name in os.environ if name.startswith(("GIT_", "SLIPWAY_GIT_"))]:
        monkeypatch.delenv(variable)
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / ".config"))
    return folder


@pytest.fixture
def repository(tmp_path) -> Repository:
    """An empty bare repository that, as hosted ones do, lets clients leave blobs out."""
    return Repository(tmp_path / "gitops.git")


@pytest.fixture
def remote(repository) -> Remote:
    """Its branch main."""
    return Remote(repository=repository.path.as_uri(), branch="main")


@pytest.fixture
def http_remote(repository):
    """The same repository behind smart HTTP that wants a token; gives the URL."""
    if (
        not shutil.which("git")
        or subprocess.run(["git", "http-backend"], capture_output=True, check=False).returncode == 1
    ):
        pytest.skip("no git-http-backend: it is in Debian's package git")
    git = GitServer(repository=repository.path, identities=Identities(writer=TOKEN, reader=READER))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            git.answer(self)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_arguments) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/{repository.path.name}"
        server.shutdown()
        thread.join()
