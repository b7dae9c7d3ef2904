"""A gate that opens once the parent of a new zone delegates to it.

ACM validates a certificate by DNS, which cannot work before the world finds the new zone. So the first `up` stops
here, says which NS records the parent needs, and the next `up` goes on. Once open, the gate stays in the state and
asks nobody again: a resolver that fails later must never take an environment apart.

The module path and the class name are part of the state (tests/graph/test_locked_names.py): they never change.
"""

import os
from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider

from infra.errors import DelegationPending, Problem

#: ``address`` or ``address:port`` of the DNS server to ask, where the machine's own resolver cannot see the domain.
SERVER_VARIABLE = "SLIPWAY_DNS_SERVER"


def delegated_name_servers(domain: str) -> frozenset[str]:
    """Ask DNS for the name servers of a domain; lower case, without the last dot, empty when there are none."""
    import dns.exception  # noqa: PLC0415  # only the gate needs DNS
    import dns.resolver  # noqa: PLC0415

    resolver = dns.resolver.Resolver(configure=SERVER_VARIABLE not in os.environ)
    if server := os.environ.get(SERVER_VARIABLE):
        address, _, port = server.partition(":")
        resolver.nameservers, resolver.port = [address], int(port or 53)
    resolver.lifetime = 10
    try:
        answer = resolver.resolve(domain, "NS")
    except dns.exception.DNSException:
        return frozenset()
    return frozenset(str(record.target).rstrip(".").lower() for record in answer)


class DelegationProvider(ResourceProvider):
    """Creates nothing: it only refuses to succeed too early."""

    serialize_as_secret_always = False  # it captures nothing, so the state shows it in plain

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Check the delegation.

        Raises:
            DelegationPending: no resolver finds the zone's name servers at the domain yet.
        """
        wanted = {server.rstrip(".").lower() for server in props["name_servers"]}
        if not wanted & delegated_name_servers(props["domain"]):
            records = "\n".join(f"      {props['domain']}.  NS  {server}." for server in sorted(wanted))
            raise DelegationPending(
                Problem(
                    where=props["domain"],
                    what=f"its parent does not delegate to the new zone yet; it needs these records\n{records}",
                    fix="add them to the parent zone, then run `pulumi up` again: it goes on from here "
                    "(a resolver may remember the old answer for up to an hour)",
                )
            )
        return CreateResult(id_=props["domain"], outs=props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Give no change: what was delegated once stays open."""
        return DiffResult(changes=False)


class Delegation(Resource, module="slipway", name="Delegation"):
    """Succeeds when `domain` is delegated to `name_servers`."""

    def __init__(
        self,
        name: str,
        *,
        domain: str,
        name_servers: pulumi.Input[Sequence[str]],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__(DelegationProvider(), name, {"domain": domain, "name_servers": name_servers}, opts)
