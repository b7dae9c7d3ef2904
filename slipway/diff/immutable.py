"""Which fields of a Kubernetes object the API server lets nobody change: an update that touches them fails.

    immutable_changes(before, after)  # ("spec.volumeClaimTemplates",)

From Kubernetes' own validation (pkg/apis/*/validation, 1.33). Flux reports such a failure; it recreates nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Object = Mapping[str, Any]

#: The only fields of a StatefulSet's spec that may change.
_STATEFUL_SET = {
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "minReadySeconds",
    "persistentVolumeClaimRetentionPolicy",
}  # fmt: skip
#: A claim may grow, and its class of attributes may change.
_CLAIM = {"resources", "volumeAttributesClassName"}
#: Kind → dotted fields that may not change once they are set.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "Deployment": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "ReplicaSet": ("spec.selector",),
    "Job": ("spec.selector", "spec.template", "spec.completionMode", "spec.podFailurePolicy"),
    "Service": ("spec.clusterIP", "spec.clusterIPs"),
    "PersistentVolume": ("spec.csi", "spec.nfs", "spec.hostPath", "spec.local", "spec.volumeMode"),
    "StorageClass": ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    "Secret": ("type",),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "IngressClass": ("spec.controller",),
    "PriorityClass": ("value",),
}
#: Of a HelmRelease: Flux uninstalls the release and installs another.
_RELEASE = ("spec.releaseName", "spec.targetNamespace", "spec.storageNamespace")


def immutable_changes(before: Object, after: Object) -> tuple[str, ...]:
    """Give the dotted fields that differ and may not: applying `after` fails."""
    kind = after.get("kind")
    if "helm.sh/hook" in ((after.get("metadata") or {}).get("annotations") or {}):
        return ()  # Helm deletes a hook's object before it makes the next
    found = [path for path in _FIELDS.get(str(kind), ()) if _differs(before, after, path)]
    if kind == "StatefulSet":
        found += _others(before, after, _STATEFUL_SET)
    if kind == "PersistentVolumeClaim":
        found += _others(before, after, _CLAIM)
        found += ["spec.resources.requests.storage (smaller)"] if _shrinks(before, after) else []
    if kind in {"ConfigMap", "Secret"} and before.get("immutable"):
        found += [part for part in ("data", "binaryData", "immutable") if before.get(part) != after.get(part)]
    return tuple(found)


def reinstalls(before: Object, after: Object) -> tuple[str, ...]:
    """Give the dotted fields whose change makes Flux uninstall a release first."""
    if after.get("kind") != "HelmRelease":
        return ()
    return tuple(path for path in _RELEASE if value_at(before, path) != value_at(after, path))


def value_at(item: Object, path: str) -> Any:  # noqa: ANN401  # any YAML value
    """Give what stands at a dotted path, or None."""
    node: Any = item
    for part in path.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def _differs(before: Object, after: Object, path: str) -> bool:
    one, other = value_at(before, path), value_at(after, path)
    if path.startswith("spec.clusterIP"):
        return bool(one and other) and one != other  # left out: the cluster keeps the one that it gave
    return one != other


def _others(before: Object, after: Object, mutable: set[str]) -> Iterator[str]:
    one, other = before.get("spec") or {}, after.get("spec") or {}
    for key in sorted({*one, *other} - mutable):
        if one.get(key) != other.get(key):
            yield f"spec.{key}"


_UNITS: Mapping[str, int] = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9}


def _bytes(quantity: object) -> float:
    text = str(quantity or 0)
    unit = next((unit for unit in _UNITS if text.endswith(unit)), "")
    try:
        return float(text.removesuffix(unit)) * _UNITS.get(unit, 1)
    except ValueError:
        return 0


def _shrinks(before: Object, after: Object) -> bool:
    path = "spec.resources.requests.storage"
    return _bytes(value_at(after, path)) < _bytes(value_at(before, path))
