"""The played internet: two hosts by name, and nothing else."""

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from slipway.rehearse.cluster.charts import write_repository
from slipway.rehearse.cluster.played.git_server import GitServer, Identities
from slipway.rehearse.cluster.played.internet import CHART_URL, REPOSITORY_URL, internet, proxy_variables, served_here


@pytest.fixture
def ask(tmp_path):
    """Ask as a client of a proxy does; gives status and body."""
    write_repository(tmp_path, "1.19.1")
    git = GitServer(repository=tmp_path / "gitops.git", identities=Identities.kept_in(tmp_path / "identities.json"))
    with served_here(git, tmp_path) as port:

        def get(url: str, method: str = "GET") -> tuple[int, bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request(method, url)
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            return answer.status, body

        yield get


def test_the_helm_repository_serves_every_supported_version(ask):
    status, index = ask(f"{CHART_URL}/index.yaml")

    assert status == 200
    for version in (b"1.18.3", b"1.19.1", b"1.19.2"):
        assert version in index
    assert ask(f"{CHART_URL}/harbor-1.19.1.tgz")[1][:2] == b"\x1f\x8b"
    assert ask(f"{CHART_URL}/harbor-9.9.9.tgz")[0] == 404


@pytest.mark.parametrize("url", ["http://example.com/", "http://169.254.169.254/latest/meta-data/", "/etc/passwd"])
def test_any_other_host_is_refused_by_name(ask, url):
    status, said = ask(url)

    assert status == 403
    assert b"a rehearsal has no way to" in said


def test_nobody_gets_through_by_tls(ask):
    assert ask("github.com:443", "CONNECT")[0] == 403


@pytest.mark.parametrize("path", ["/../identities.json", "/%2e%2e/identities.json", "/identities.json"])
def test_only_charts_are_served(ask, path):
    assert b"writer" not in ask(f"{CHART_URL}{path}")[1]


def test_the_git_host_asks_who_it_is(ask):
    assert ask(f"{REPOSITORY_URL}/info/refs?service=git-upload-pack")[0] == 401


def test_this_machine_is_never_asked_for_by_the_proxy():
    assert "127.0.0.1" in proxy_variables(1)["no_proxy"]


def test_the_passwords_are_the_same_from_run_to_run_and_for_their_owner_alone(tmp_path):
    path = tmp_path / "identities.json"

    assert Identities.kept_in(path) == Identities.kept_in(path)
    assert path.stat().st_mode & 0o077 == 0


SERVICE = "git.slipway-git.svc.cluster.local"


@pytest.fixture
def pod():
    """A process in a pod's place, which says what it was asked; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            said = json.dumps([self.command, self.path, self.headers["Authorization"], body.decode()]).encode()
            self.send_response(201)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_):
            pass

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield server.server_address[1]


def running(server):
    from contextlib import contextmanager

    @contextmanager
    def run():
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    return run()


def test_a_service_whose_pod_is_a_process_is_reached_by_its_name_in_the_cluster(tmp_path, pod):
    git = GitServer(repository=tmp_path / "gitops.git", identities=Identities(writer="w", reader="r"))
    services = tmp_path / "services.json"
    with running(internet(0, git, tmp_path, services)) as server:

        def post(body: bytes | list[bytes]) -> tuple[int, bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
            connection.request("POST", f"http://{SERVICE}/gitops.git/x?y=1", body, {"Authorization": "Basic abc"})
            answer = connection.getresponse()
            found = answer.status, answer.read()
            connection.close()
            return found

        assert post(b"")[0] == 403  # no such Service yet
        services.write_text(json.dumps({SERVICE: pod}))
        whole, chunked = post(b"whole"), post([b"in ", b"chunks"])
        services.write_text(json.dumps({SERVICE: 1}))  # nobody listens there
        gone = post(b"")

    assert (whole[0], json.loads(whole[1])) == (201, ["POST", "/gitops.git/x?y=1", "Basic abc", "whole"])
    assert json.loads(chunked[1])[3] == "in chunks"
    assert gone[0] == 502
