"""A DNS server on loopback that plays the parent zone: it knows the delegation once it was told of it."""

import contextlib
import socketserver
import threading
from collections.abc import Generator, Sequence

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


class ParentZone:
    """Delegations by domain; empty until `delegate`."""

    def __init__(self) -> None:
        self.address = ""
        self._delegations: dict[str, Sequence[str]] = {}

    def delegate(self, domain: str, name_servers: Sequence[str]) -> None:
        """Answer NS questions about `domain` from now on."""
        self._delegations[domain.rstrip(".") + "."] = [f"{server.rstrip('.')}." for server in name_servers]

    def answer(self, packet: bytes) -> bytes:
        """Give the answer to one question, NXDOMAIN where nothing is delegated."""
        query = dns.message.from_wire(packet)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        name = query.question[0].name
        if servers := self._delegations.get(str(name)):
            response.answer.append(dns.rrset.from_text(name, 300, "IN", "NS", *servers))
        else:
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire()


@contextlib.contextmanager
def parent_zone() -> Generator[ParentZone]:
    """Serve a parent zone over UDP on a free port of loopback."""
    zone = ParentZone()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            packet, socket = self.request
            socket.sendto(zone.answer(packet), self.client_address)

    with socketserver.UDPServer(("127.0.0.1", 0), Handler) as server:
        zone.address = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield zone
        finally:
            server.shutdown()
            thread.join()
