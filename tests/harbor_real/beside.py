"""What a Harbor asks before it takes an address: a registry, a scanner, a listener for the audit log. Played here.

with beside("127.0.0.1") as there:
    there.url       # a registry and a scanner, at every path
    there.listener  # HOST:PORT that takes TCP; there.other_listener is another
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_SCANNER = {
    "scanner": {"name": "Played", "vendor": "slipway", "version": "1"},
    "capabilities": [
        {
            "consumes_mime_types": [
                "application/vnd.oci.image.manifest.v1+json",
                "application/vnd.docker.distribution.manifest.v2+json",
            ],
            "produces_mime_types": [
                "application/vnd.security.vulnerability.report; version=1.1",
                "application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0",
            ],
        }
    ],
    "properties": {},
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # the name is the protocol's
        answers = {"/api/version": {"version": "v2.0"}, "/api/v1/metadata": _SCANNER}
        answer = next((each for end, each in answers.items() if self.path.endswith(end)), {})
        kind = "application/json" if answer is not _SCANNER else "application/vnd.scanner.adapter.metadata+json"
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Beside:
    """Where it is, as Harbor reaches it: twice the same, so that there is another address to change to."""

    host: str
    ports: tuple[int, int]

    @property
    def url(self) -> str:
        return f"http://{self.listener}"

    @property
    def listener(self) -> str:
        return f"{self.host}:{self.ports[0]}"

    @property
    def other_listener(self) -> str:
        return f"{self.host}:{self.ports[1]}"


@contextlib.contextmanager
def beside(host: str) -> Iterator[Beside]:
    here = "127.0.0.1" if host == "127.0.0.1" else "0.0.0.0"  # Harbor is elsewhere and has to come in
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(ThreadingHTTPServer((here, 0), _Handler)) for _ in range(2)]
        for each in servers:
            each.daemon_threads = True
            threading.Thread(target=each.serve_forever, daemon=True).start()
            stack.callback(each.shutdown)
        yield Beside(host, (servers[0].server_port, servers[1].server_port))
