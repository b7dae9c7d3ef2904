"""The distribution server behind: Debian's docker-registry on loopback, which takes only the token service's tokens.

with started("/usr/bin/docker-registry", folder, certificate) as address: …
"""

import ctypes
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.harbor.server.tokens import ISSUER, SERVICE

_CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {root}}}
  delete: {{enabled: true}}
  maintenance: {{uploadpurging: {{enabled: false}}}}
http: {{addr: "127.0.0.1:{port}", relativeurls: true}}
auth:
  token: {{realm: "http://127.0.0.1/service/token", service: {service}, issuer: {issuer}, rootcertbundle: {certificate}}}
"""


def program() -> str | None:
    return shutil.which("docker-registry")


@contextmanager
def started(path: str, folder: Path, certificate: Path) -> Iterator[str]:
    """Run it; gives its address, or an empty one without a program. It listens a moment later."""
    if not path:
        yield ""
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "registry.yml"
    root = folder / "registry"
    root.mkdir(exist_ok=True)
    config.write_text(_CONFIG.format(root=root, port=port, service=SERVICE, issuer=ISSUER, certificate=certificate))
    with (folder / "registry.log").open("ab") as log:
        process = subprocess.Popen(  # no thread runs yet
            [path, "serve", str(config)],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            preexec_fn=_end_with_parent,  # noqa: PLW1509
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _end_with_parent() -> None:
    """A killed server leaves no registry behind (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
