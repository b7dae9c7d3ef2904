"""A real sshd on loopback, in a folder of its own: own configuration, host key, port, and one user's key."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

#: sshd as root wants it; any other user's sshd asks for nothing.
PRIVILEGE_FOLDER = Path("/run/sshd")


@dataclass(frozen=True, kw_only=True)
class SshServer:
    """Where it listens, which key it shows, and which one it lets in."""

    port: int
    host_key: Path
    client_key: Path

    def url(self, repository: Path) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{repository}"

    def known_hosts(self, key: Path | None = None) -> str:
        return f"[127.0.0.1]:{self.port} {(key or self.host_key).with_suffix('.pub').read_text()}"


def new_key(path: Path, *, passphrase: str = "") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", str(path)], check=True)
    return path


@contextlib.contextmanager
def serving(folder: Path, options: str = "") -> Iterator[SshServer]:
    """Run one; skips where there is none."""
    sshd = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")
    if not sshd or not shutil.which("ssh-keygen"):
        pytest.skip("no sshd: it is in Debian's package openssh-server")
    if os.geteuid() == 0:
        PRIVILEGE_FOLDER.mkdir(mode=0o755, exist_ok=True)
    folder.mkdir()
    host_key, client_key = new_key(folder / "host"), new_key(folder / "client")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host_key}\nAuthorizedKeysFile {client_key}.pub\n"
        "PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nMaxStartups 100\nMaxSessions 100\n"
        f"{options}\n"
    )
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen([sshd, "-D", "-e", "-f", str(folder / "config")], stderr=log) as process,
    ):
        try:
            _wait_for(port, process, folder / "log")
            yield SshServer(port=port, host_key=host_key, client_key=client_key)
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    pytest.fail(f"sshd does not listen: {log.read_text()}")
