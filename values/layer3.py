"""What the jobs that look after Harbor's content need: values, a way out, and what harbor.yaml must say for it.

    inside = {"harbor.yaml": text}                  # stacks/ENV/harbor.yaml, or the files of stacks/ENV/harbor/
    layer3_values(facts, inside)["ledger"]          # {"name": "slipway-harbor-ledger"}

Of the files only the ledger's place is read here; all else is checked by `slipway harbor plan`, which knows it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from values.errors import Finding
from values.facts import Facts
from values.network import Flow

#: An object in Kubernetes holds a mebibyte; the rest of this one is its metadata.
MOST_BYTES = 1_000_000
#: EKS's agent, at which a pod gets AWS credentials.
_POD_IDENTITY = {"cidr": "169.254.170.23/32"}
_NAMESPACE = "harbor"


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Where harbor.yaml says that the ledger is; see `slipway.harbor.spec.policy.LedgerPlace`."""

    type: str = "file"
    namespace: str = _NAMESPACE
    name: str = "slipway-harbor-ledger"
    bucket: str = ""
    key: str = ""


def ledger_of(inside: Mapping[str, str]) -> Ledger:
    """Give the ledger's place; what is no YAML says nothing of it.

    Args:
        inside: the files of harbor.yaml, name → text.
    """
    for text in inside.values():
        try:
            found = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # a safe one, in C
            place = found["policy"]["ledger"]
            return Ledger(**{key: str(place[key]) for key in Ledger.__dataclass_fields__ if place.get(key)})
        except (yaml.YAMLError, KeyError, TypeError, AttributeError):
            continue
    return Ledger()


def layer3_values(facts: Facts, inside: Mapping[str, str]) -> dict[str, Any] | None:
    """Give the chart's values; None where it is off."""
    options = facts.harbor.layer3
    if not options.enabled:
        return None
    ledger = ledger_of(inside)
    scheme = "https" if facts.harbor.internal_tls else "http"
    return {
        "environment": facts.environment,
        "image": options.image,
        "schedule": options.schedule,
        "rotate": options.rotate,
        "notify": options.notify,
        "url": f"{scheme}://harbor-core",
        "registry": facts.host,
        "ledger": {"name": ledger.name} if ledger.type == "configmap" else None,
        "aws": {"region": facts.aws.region, "prefix": facts.secrets_prefix} if facts.aws else None,
    }


def flows(facts: Facts, inside: Mapping[str, str]) -> Iterator[Flow]:
    """Give where its pods go besides Harbor."""
    options = facts.harbor.layer3
    if not options.enabled:
        return
    ledger, who = ledger_of(inside), ("layer3",)
    uses_aws = bool(facts.aws) and (bool(options.rotate) or ledger.type == "s3")
    reasons = {
        "the ledger, from Kubernetes' API": ledger.type == "configmap",
        "AWS, for the secrets that it renews or the ledger": uses_aws,
        "the receiver of its reports": options.notify,
    }
    if why := "; ".join(reason for reason, is_so in reasons.items() if is_so):
        # Kubernetes' own Service has no selector, and its address is in no network of ours: no narrower peer would do.
        ports = (443,) if facts.aws or ledger.type != "configmap" else (443, 6443)
        yield Flow(components=who, ports=ports, peer={"anywhere": True}, why=why)
    if uses_aws:
        yield Flow(components=who, ports=(80,), peer=_POD_IDENTITY, why="AWS credentials, from EKS's agent on the node")


def findings(facts: Facts, inside: Mapping[str, str]) -> Iterator[Finding]:
    """Find what would only fail in the cluster, an hour later and out of sight."""
    options = facts.harbor.layer3
    if not options.enabled:
        return
    path = f"stacks/{facts.environment}/{next(iter(inside)) if len(inside) == 1 else 'harbor'}"
    if not inside:
        what = "harbor.layer3 is enabled, and there is no file to compare Harbor with"
        hint = "write it (docs/harbor-as-code.md), or turn harbor.layer3.enabled off"
        yield Finding(path=f"stacks/{facts.environment}/harbor.yaml", key="", message=what, suggestion=hint)
        return
    size = sum(len(text.encode()) for text in inside.values())
    if size > MOST_BYTES:
        what = f"has {size:,} bytes, and a ConfigMap for the job in the cluster takes {MOST_BYTES:,}"
        yield Finding(path=path, key="", message=what, suggestion="shorten it with project_defaults and profiles, "
                      "or run `slipway harbor drift` in a pipeline instead (docs/harbor-as-code.md)")  # fmt: skip
    yield from _ledger_findings(path, ledger_of(inside))
    if options.rotate and not facts.aws:
        what = "renews robots in the cluster, where their secrets must be in AWS Secrets Manager, and there is no AWS"
        hint = "leave it out, and run `slipway harbor rotate` in a pipeline or by hand"
        yield Finding(path=f"stacks/Pulumi.{facts.environment}.yaml", key="harbor.layer3.rotate", message=what,
                      suggestion=hint)  # fmt: skip


def _ledger_findings(path: str, ledger: Ledger) -> Iterator[Finding]:
    key = "policy.ledger"
    if ledger.type == "file":
        what = "is a file, which the job in the cluster cannot see: all that is ours would be new to it"
        hint = "policy: {ledger: {type: configmap}}, or s3; docs/harbor-as-code.md says how to move one"
        yield Finding(path=path, key=key, message=what, suggestion=hint)
    if ledger.type == "configmap" and ledger.namespace != _NAMESPACE:
        what = f"is in namespace {ledger.namespace}, and the job in the cluster may read the one in {_NAMESPACE} only"
        yield Finding(path=path, key=f"{key}.namespace", message=what, suggestion=f"namespace: {_NAMESPACE}")
