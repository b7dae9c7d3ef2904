"""A server of ours that speaks as much of GitHub's REST API as pull requests need, and fails as it is told to."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TOKEN = "ghs_s3cr3t"


@dataclass(kw_only=True)
class Fault:
    """What the next request that fits is answered with instead."""

    method: str
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "{}"
    seconds: float = 0.0
    times: int = 1
    carried_out: bool = False


class Host:
    """One repository, ``acme/gitops``: its pull requests, and whether `main` is protected."""

    def __init__(self) -> None:
        self.pulls: list[dict] = []
        self.requests: list[tuple[str, str]] = []
        self.faults: list[Fault] = []
        self.protected = False
        self.rules: list[dict] | None = []
        self.url = ""

    @property
    def open(self) -> list[dict]:
        return [pull for pull in self.pulls if pull["state"] == "open"]

    def answer(self, method: str, target: str, token: str, document: dict) -> tuple[int, dict[str, str], str]:
        self.requests.append((method, target))
        fault = next((one for one in self.faults if one.method == method and one.times), None)
        if fault:
            fault.times -= 1
            time.sleep(fault.seconds)
            if fault.carried_out:
                self.carry_out(method, target, document)
            return fault.status, fault.headers, fault.body
        if token != f"Bearer {TOKEN}":
            return 401, {}, json.dumps({"message": "Bad credentials"})
        status, answer = self.carry_out(method, target, document)
        return status, {}, json.dumps(answer)

    def carry_out(self, method: str, target: str, document: dict) -> tuple[int, object]:
        url = urlsplit(target)
        if not url.path.startswith("/repos/acme/gitops/pulls"):
            known = {"branches/main": {"name": "main", "protected": self.protected}, "rules/branches/main": self.rules}
            found = known.get(url.path.removeprefix("/repos/acme/gitops/"))
            return (404, {"message": "Not Found"}) if found is None else (200, found)
        if method == "GET":
            asked = {key: values[0] for key, values in parse_qs(url.query).items()}
            return 200, [pull for pull in self.open if self.fits(pull, asked)]
        if method == "POST":
            if any(pull["head"]["ref"] == document["head"] for pull in self.open):
                message = "A pull request already exists for acme:" + document["head"]
                return 422, {
                    "message": "Validation Failed",
                    "errors": [{"resource": "PullRequest", "message": message}],
                }
            number = len(self.pulls) + 1
            pull = {
                "number": number,
                "html_url": f"https://github.example.com/acme/gitops/pull/{number}",
                "state": "open",
                "title": document["title"],
                "body": document["body"],
                "head": {"ref": document["head"]},
                "base": {"ref": document["base"]},
            }
            self.pulls.append(pull)
            return 201, pull
        pull = self.pulls[int(url.path.rpartition("/")[2]) - 1]
        pull.update(document)
        return 200, pull

    @staticmethod
    def fits(pull: dict, asked: dict[str, str]) -> bool:
        return f"acme:{pull['head']['ref']}" == asked["head"] and pull["base"]["ref"] == asked["base"]


@contextlib.contextmanager
def serving() -> Iterator[Host]:
    host = Host()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, text = host.answer(
                self.command, self.path, self.headers.get("Authorization", ""), json.loads(body or "{}")
            )
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # who was kept waiting has gone
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

        do_POST = do_PATCH = do_GET  # noqa: N815

        def log_message(self, *_arguments) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        host.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield host
        server.shutdown()
        thread.join()
