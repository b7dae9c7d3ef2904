"""A small HTTP server that answers what a Kubernetes API server answers to the doctor's few questions.

The documents are those of a 1.35 API server with Flux 2.9, cut to what is read; access reviews are decided by a list.
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "t0ken"
CONTROLLERS = ("helm-controller", "kustomize-controller", "notification-controller", "source-controller")


def deployment(name: str, version: str = "v2.9.4", ready: int = 1) -> dict:
    labels = {"app.kubernetes.io/part-of": "flux", "app.kubernetes.io/version": version}
    return {
        "metadata": {"name": name, "namespace": "flux-system", "labels": labels},
        "status": {"readyReplicas": ready},
    }


class ApiServer:
    """What it serves and whom it lets do what; a test changes it."""

    def __init__(self) -> None:
        self.url = ""
        self.version = "v1.35.2"
        self.groups: dict[str, list[str]] = {"source.toolkit.fluxcd.io/v1": ["GitRepository"]}
        self.deployments = [deployment(name) for name in CONTROLLERS]
        self.denied: set[tuple[str, str]] = set()
        self.fails: tuple[int, str] | None = None
        self.asked: list[tuple[str, str]] = []

    def answer(self, method: str, path: str, authorization: str, document: dict) -> tuple[int, dict]:
        self.asked.append((method, path))
        if authorization != f"Bearer {TOKEN}" or self.fails:
            return self.status(*(self.fails or (401, "Unauthorized")))
        return self.served(path, document)

    def served(self, path: str, document: dict) -> tuple[int, dict]:
        if path == "/version":
            major, minor, _ = self.version.lstrip("v").split(".")
            return 200, {"major": major, "minor": minor, "gitVersion": self.version}
        if path.endswith("/selfsubjectaccessreviews"):
            asked = document["spec"]["resourceAttributes"]
            return 201, {**document, "status": {"allowed": (asked["verb"], asked["resource"]) not in self.denied}}
        if path == "/apis/apps/v1/namespaces/flux-system/deployments":
            return 200, {"kind": "DeploymentList", "items": self.deployments}
        kinds = self.groups.get(path.removeprefix("/apis/"))
        if kinds is None:
            return self.status(404, "the server could not find the requested resource")
        return 200, {"kind": "APIResourceList", "resources": [{"name": kind.lower(), "kind": kind} for kind in kinds]}

    @staticmethod
    def status(code: int, message: str) -> tuple[int, dict]:
        return code, {"kind": "Status", "status": "Failure", "code": code, "message": message}


@contextlib.contextmanager
def serving() -> Iterator[ApiServer]:
    api = ApiServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            authorization = self.headers.get("Authorization", "")
            status, found = api.answer(self.command, self.path, authorization, json.loads(body or "{}"))
            text = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_arguments) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        api.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield api
        server.shutdown()
        thread.join()
