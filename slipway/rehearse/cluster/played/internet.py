"""Played: the internet, as an HTTP proxy that knows two hosts, the Git host and the Helm repository; and Services.

Publisher and controllers find it by `http_proxy`, so what is committed and what stands in the cluster carries stable
names instead of a port of this run. A Service whose pod runs as a process beside the cluster is reached by its name in
the cluster, as by the cluster's DNS. Not played: TLS, DNS; any other host is refused, and says so.
"""

import contextlib
import json
import re
import threading
from collections.abc import Generator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from slipway.rehearse.cluster.played.git_server import GitServer, body_of, respond

#: Below .test no name is ever given to anybody (RFC 6761).
GIT_HOST = "git.rehearsal.test"
CHART_HOST = "charts.rehearsal.test"
REPOSITORY_URL = f"http://{GIT_HOST}/gitops.git"
CHART_URL = f"http://{CHART_HOST}"
#: In a cluster's folder; written by whoever starts a process in a pod's place.
SERVICES = "services.json"
#: Headers that each connection has its own of.
_ONE_HOP = {"connection", "proxy-connection", "transfer-encoding", "content-length", "host", "date", "server"}
_CHART_FILE = re.compile(r"index\.yaml|[a-z][a-z-]*-\d[\w.]*\.tgz")


def proxy_variables(port: int) -> dict[str, str]:
    """Give the environment in which a program reaches these hosts, and nothing else beyond this machine."""
    proxy = f"http://127.0.0.1:{port}"
    here = "127.0.0.1,localhost"
    return {name: proxy for key in ("http_proxy", "https_proxy") for name in (key, key.upper())} | {
        "no_proxy": here,
        "NO_PROXY": here,
    }


class _Handler(BaseHTTPRequestHandler):
    """Answers as a proxy is asked: with the whole URL in the request line."""

    protocol_version = "HTTP/1.1"
    git: GitServer
    charts: Path
    services: Path | None

    def do_GET(self) -> None:
        """Route by host."""
        url = urlsplit(self.path)
        if url.hostname == GIT_HOST:
            self.path = url._replace(scheme="", netloc="").geturl()
            self.git.answer(self)
        elif url.hostname == CHART_HOST:
            self._file(self.charts / Path(url.path).name)
        elif port := self._service(url.hostname or ""):
            self._forward(port, url._replace(scheme="", netloc="").geturl())
        else:
            self._refuse(url.hostname or self.path)

    do_HEAD = do_POST = do_GET  # noqa: N815  # their names there

    def do_CONNECT(self) -> None:
        """Refuse: nobody here speaks TLS."""
        self._refuse(self.path)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # its name there
        """Nothing: the log is for what went wrong."""

    def _file(self, path: Path) -> None:
        # Beside them there may be what nobody else is to read.
        if _CHART_FILE.fullmatch(path.name) and path.is_file():
            respond(self, 200, path.read_bytes(), {"Content-Type": "application/octet-stream"})
        else:
            respond(self, 404, b"no such chart\n", {"Content-Type": "text/plain"})

    def _service(self, name: str) -> int:
        """Give the port of the process that stands for a Service's pods; 0 where there is none."""
        if not self.services or not self.services.exists():
            return 0
        return json.loads(self.services.read_text()).get(name, 0)

    def _forward(self, port: int, path: str) -> None:
        """Hand a request on, and its answer back, both whole."""
        body = body_of(self)
        passed = {name: value for name, value in self.headers.items() if name.lower() not in _ONE_HOP}
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request(self.command, path, body, passed)
            answer = connection.getresponse()
            headers = {name: value for name, value in answer.getheaders() if name.lower() not in _ONE_HOP}
            respond(self, answer.status, answer.read(), headers)
        except OSError as error:
            respond(self, 502, f"the Service's process: {error}\n".encode(), {"Content-Type": "text/plain"})
        finally:
            connection.close()

    def _refuse(self, host: str) -> None:
        why = f"a rehearsal has no way to {host}\n".encode()
        respond(self, 403, why, {"Content-Type": "text/plain", "Connection": "close"})
        self.close_connection = True


def internet(port: int, git: GitServer, charts: Path, services: Path | None = None) -> ThreadingHTTPServer:
    """Give the server, which is not started yet.

    Args:
        port: of loopback; 0 for any.
        git: the Git host.
        charts: folder with ``index.yaml`` and archives.
        services: file that says, for each Service whose pod is a process: name in the cluster → port of loopback.
    """
    known = {"git": git, "charts": charts, "services": services}
    server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), known))
    server.daemon_threads = True
    return server


@contextlib.contextmanager
def served_here(git: GitServer, charts: Path) -> Generator[int]:
    """Serve from this process, for a rehearsal without a cluster; gives the port."""
    server = internet(0, git, charts)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
