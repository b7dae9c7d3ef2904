"""The contract server as a process of its own: started, told what to do, killed and started again by tests.

with HarborServer(folder).running() as harbor:
    harbor.api("GET", "/projects").json
"""

import base64
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.harbor.server.distribution import program
from tests.harbor.server.harbor import ADMIN_PASSWORD

ROOT = Path(__file__).parents[2]
ADMIN = ("admin", ADMIN_PASSWORD)


@dataclass(frozen=True)
class Reply:
    """An answer; header names are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: dict[str, str]

    @property
    def json(self):
        return json.loads(self.body) if self.body else None

    @property
    def message(self) -> str:
        return self.json["errors"][0]["message"]

    @property
    def id(self) -> int:
        """The last part of Location."""
        return int(self.headers["location"].rpartition("/")[2])


class HarborServer:
    """One server; everything it knows is in its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def password(self) -> str:
        return ADMIN_PASSWORD

    # --- its life

    def start(self) -> None:
        """Start it, at the port that it had before if it had one."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.harbor.server", str(self.folder), str(self.port), program() or ""],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the contract server did not start; its words are above")
        self.port = int(line)

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.send_signal(signal.SIGKILL)
        self._wait()

    def stop(self) -> None:
        self.process.terminate()
        self._wait()

    def restart(self) -> None:
        self.kill()
        self.start()

    def _wait(self) -> None:
        self.process.wait(20)
        self.process.stdin.close()
        self.process.stdout.close()

    @contextlib.contextmanager
    def running(self) -> Iterator["HarborServer"]:
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def registry_answers(self) -> None:
        """Wait until the distribution server behind listens."""
        until = time.monotonic() + 10
        blob = f"/v2/library/none/blobs/sha256:{'0' * 64}"  # tags would be answered without it
        while self.request("HEAD", blob, auth=ADMIN).status == 502:
            assert time.monotonic() < until, (self.folder / "registry.log").read_text()
            time.sleep(0.02)

    # --- requests

    def request(self, method: str, path: str, *, body=None, headers=None, auth=None) -> Reply:
        """Send one request over a connection of its own, without any cleverness."""
        headers = dict(headers or {})
        if auth:
            headers["Authorization"] = basic(*auth)
        if isinstance(body, dict | list):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            data = answer.read()
            jar = SimpleCookie()
            for value in answer.headers.get_all("Set-Cookie", []):
                jar.load(value)
            names = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status, names, data, {name: each.value for name, each in jar.items()})
        finally:
            connection.close()

    def api(self, method: str, path: str, body=None, *, auth=ADMIN, headers=None, **query) -> Reply:
        """Send a request to the API, by Basic auth and without cookies."""
        question = f"?{urlencode(query)}" if query else ""
        return self.request(method, f"/api/v2.0{path}{question}", body=body, headers=headers, auth=auth)

    def _test(self, method: str, path: str, body=None):
        reply = self.request(method, f"/_test/{path}", body=body)
        assert reply.status == 200, reply
        return reply.json

    # --- what only a test can tell it

    def reset(self) -> None:
        self._test("POST", "reset")

    def switch(self, **switches) -> None:
        """See faults.py's Switches."""
        self._test("PUT", "switches", switches)

    def configure(self, **settings) -> None:
        """Set settings past the API."""
        self._test("PUT", "settings", settings)

    def fault(self, kind: str, **fault) -> None:
        """See faults.py's Fault."""
        self._test("POST", "faults", {"kind": kind, **fault})

    def faults(self) -> list[dict]:
        return self._test("GET", "faults")

    def no_faults(self) -> None:
        self._test("DELETE", "faults")

    def latency(self, preset: str) -> None:
        """`real` is what was measured on a real Harbor, `none` is as fast as it goes."""
        self._test("PUT", "latency", {"preset": preset})

    def later(self, **time_ahead: float) -> None:
        """Move its clock: days=, seconds=."""
        self._test("POST", "clock", time_ahead)

    def no_scanner(self) -> None:
        """Be installed without Trivy."""
        self._test("DELETE", "scanners")

    def end_sessions(self) -> None:
        self._test("DELETE", "sessions")

    def counts(self) -> dict[str, int]:
        """How often each operation was asked for since the last `clear_counts`."""
        return self._test("GET", "counts")["operations"]

    def stray_sessions(self) -> int:
        return self._test("GET", "counts")["stray_sessions"]

    def clear_counts(self) -> None:
        self._test("DELETE", "counts")

    def exchanges(self) -> list[dict]:
        """What was said since the last time of asking, if the switch `record` is on."""
        return self._test("GET", "exchanges")

    def seed(self, projects: int, **parts) -> None:
        """Make projects with members=, robots= (numbers), retention=, immutable=, webhook= (true)."""
        self._test("POST", "seed", {"projects": projects, **parts})


def basic(name: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def host(url: str) -> str:
    return urlsplit(url).netloc
