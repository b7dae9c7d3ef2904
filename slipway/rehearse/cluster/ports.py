"""Free ports of loopback, the same ones from run to run where nobody took them since."""

import json
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path


def free_ports(names: Sequence[str], remembered: Path) -> Mapping[str, int]:
    """Give a port for each name.

    Args:
        names: what needs one.
        remembered: file with the ports of the last run; written anew.
    """
    before = json.loads(remembered.read_text()) if remembered.exists() else {}
    held: list[socket.socket] = []
    ports = {}
    try:
        for name in names:
            held.append(_bound(before.get(name, 0)))
            ports[name] = held[-1].getsockname()[1]
    finally:
        for one in held:
            one.close()
    remembered.write_text(json.dumps(ports))
    return ports


def _bound(port: int) -> socket.socket:
    """Bind the wanted port, or any other where it is taken."""
    for wanted in (port, 0):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", wanted))
        except OSError:
            listener.close()
            continue
        return listener
    raise OSError("no free port on 127.0.0.1")
