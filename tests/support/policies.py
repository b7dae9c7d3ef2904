"""NetworkPolicies, judged as Kubernetes' documentation defines them (networking.k8s.io/v1)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network


@dataclass(frozen=True, kw_only=True)
class End:
    """A pod, or a host outside the cluster, which has no namespace."""

    name: str
    address: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


def allowed(policies: Sequence[dict], source: End, target: End, port: int, protocol: str = "TCP") -> bool:
    """Tell whether a connection is let out of its source and into its target."""
    out = _permits(policies, source, target, "Egress", port, protocol)
    return out and _permits(policies, target, source, "Ingress", port, protocol)


def selecting(policies: Iterable[dict], pod: End, kind: str = "") -> list[dict]:
    """Give the policies that isolate a pod, in one direction or any."""
    return [
        policy
        for policy in policies
        if policy["metadata"]["namespace"] == pod.namespace
        and (not kind or kind in policy["spec"]["policyTypes"])
        and matches(policy["spec"]["podSelector"], pod.labels)
    ]


def matches(selector: dict, labels: Mapping[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}, "this judge knows matchLabels alone"
    return selector.get("matchLabels", {}).items() <= labels.items()


def _permits(policies: Sequence[dict], pod: End, other: End, kind: str, port: int, protocol: str) -> bool:
    isolating = selecting(policies, pod, kind)
    if not isolating:
        return True
    peers = {"Egress": "to", "Ingress": "from"}[kind]
    return any(
        _port_fits(rule, port, protocol) and _peer_fits(rule.get(peers), pod.namespace, other)
        for policy in isolating
        for rule in policy["spec"].get(kind.lower()) or ()
    )


def _port_fits(rule: dict, port: int, protocol: str) -> bool:
    return not rule.get("ports") or any((one["port"], one["protocol"]) == (port, protocol) for one in rule["ports"])


def _peer_fits(peers: list[dict] | None, namespace: str, other: End) -> bool:
    return not peers or any(_one_fits(peer, namespace, other) for peer in peers)


def _one_fits(peer: dict, namespace: str, other: End) -> bool:
    if block := peer.get("ipBlock"):
        address = ip_address(other.address)
        excepted = any(address in ip_network(network) for network in block.get("except", ()))
        return address in ip_network(block["cidr"]) and not excepted
    if "namespaceSelector" in peer:
        labels = {"kubernetes.io/metadata.name": other.namespace} if other.namespace else {}
        there = bool(other.namespace) and matches(peer["namespaceSelector"], labels)
    else:
        there = other.namespace == namespace
    return there and matches(peer.get("podSelector", {}), other.labels)
