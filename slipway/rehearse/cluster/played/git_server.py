"""Played: the Git host. Real git behind smart HTTP, one repository, two identities.

The writer may fetch and push, the reader may only fetch: as with two tokens of a real host. Not played: TLS, branch
protection, web hooks, rate limits.
"""

import base64
import binascii
import json
import os
import secrets
import subprocess
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, kw_only=True)
class Identities:
    """Two passwords.

    Attributes:
        writer: may push: the publisher's.
        reader: may only fetch: Flux's.
    """

    writer: str
    reader: str

    @classmethod
    def kept_in(cls, path: Path) -> "Identities":
        """Read them, or make them up on first use: the same ones from run to run."""
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(json.dumps({"writer": secrets.token_hex(16), "reader": secrets.token_hex(16)}))
        return cls(**json.loads(path.read_text()))


@dataclass(frozen=True, kw_only=True)
class GitServer:
    """One bare repository.

    Attributes:
        repository: its path, which ends in ``.git``.
        identities: who may do what.
    """

    repository: Path
    identities: Identities

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request for ``/<repository>/…``."""
        url = urlsplit(request.path)
        password, body = _password(request), body_of(request)
        if password not in {self.identities.writer, self.identities.reader}:
            _refuse(request, 401, "who are you?", {"WWW-Authenticate": 'Basic realm="git"'})
        elif _is_push(url.path, url.query) and password != self.identities.writer:
            _refuse(request, 403, "this identity may read, not write")
        else:
            self._backend(request, url.path, url.query, body)

    def _backend(self, request: BaseHTTPRequestHandler, path: str, query: str, body: bytes) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.repository.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.receivepack",
            "GIT_CONFIG_VALUE_0": "true",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": request.command,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], env=environment, input=body, capture_output=True, check=False, timeout=60
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        respond(request, int(headers.pop("Status", "200").split()[0]), content, headers)


def _password(request: BaseHTTPRequestHandler) -> str:
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    try:
        return base64.b64decode(credentials).decode().partition(":")[2] if scheme == "Basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""


def body_of(request: BaseHTTPRequestHandler) -> bytes:
    """Give the whole body; git sends large packs in chunks."""
    if request.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return request.rfile.read(int(request.headers.get("Content-Length") or 0))
    parts = []
    while size := int(request.rfile.readline(), 16):
        parts.append(request.rfile.read(size))
        request.rfile.readline()
    request.rfile.readline()
    return b"".join(parts)


def _is_push(path: str, query: str) -> bool:
    return path.endswith("/git-receive-pack") or parse_qs(query).get("service") == ["git-receive-pack"]


def _refuse(request: BaseHTTPRequestHandler, code: int, why: str, headers: dict[str, str] | None = None) -> None:
    respond(request, code, f"{why}\n".encode(), {"Content-Type": "text/plain", **(headers or {})})


def respond(request: BaseHTTPRequestHandler, code: int, content: bytes, headers: dict[str, str]) -> None:
    """Send one whole answer."""
    request.send_response(code)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(content)
