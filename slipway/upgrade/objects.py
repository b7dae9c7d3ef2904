"""Two renders of a chart, object by object: what rolls, what is new or gone, and what Kubernetes would refuse.

    changed(objects_before, objects_after)[0]
    # ObjectChange(name="Deployment/harbor-core", fate="rolls", keys=("spec.template.…image: a → b", …))

Pure. Helm and Flux apply these server-side; `force` replaces nothing there (facts of helm-controller since 1.5.4), so a
change of an immutable field ends the upgrade in the middle.
"""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Literal

Fate = Literal["refused", "rolls", "new", "removed", "changed", "labels"]
#: The worst first; how a reader wants them.
FATES: Sequence[Fate] = ("refused", "rolls", "new", "removed", "changed", "labels")

#: kind → what may change below `spec`; everything else there is immutable (validation of Kubernetes 1.35).
_MUTABLE_SPEC: Mapping[str, frozenset[str]] = {
    "StatefulSet": frozenset(
        {
            "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "minReadySeconds",
            "persistentVolumeClaimRetentionPolicy",
        }
    ),
    "PersistentVolumeClaim": frozenset({"resources", "volumeAttributesClassName"}),
    "Job": frozenset(
        {"parallelism", "suspend", "ttlSecondsAfterFinished", "activeDeadlineSeconds", "backoffLimit"}
    ),
}  # fmt: skip
#: kind → key that must stay, with all below it.
_IMMUTABLE: Mapping[str, tuple[str, ...]] = {
    "Deployment": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "Service": ("spec.clusterIP",),
    "Secret": ("type",),
    "StorageClass": ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "PersistentVolume": ("spec.csi", "spec.nfs"),
}
#: What a new chart writes on every object.
_VERSION_LABELS = ("app.kubernetes.io/version", "helm.sh/chart", "chart")
_TEMPLATE = "spec.template."


@dataclass(frozen=True, kw_only=True)
class ObjectChange:
    """What happens to one object.

    Attributes:
        name: ``Kind/name``.
        fate: ``labels`` where only what names the version changes.
        keys: ``key: before → after`` of what differs.
        refused: which of them Kubernetes refuses, and what to do; empty unless the fate says so.
    """

    name: str
    fate: Fate
    keys: tuple[str, ...] = ()
    refused: str = ""


def changed(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> tuple[ObjectChange, ...]:
    """Compare two lists of objects; unchanged ones are left out."""
    old, new = ({_name(one): one for one in objects} for objects in (before, after))
    found = [ObjectChange(name=name, fate="removed") for name in old if name not in new]
    for name, item in new.items():
        if name not in old:
            found.append(ObjectChange(name=name, fate="new"))
        elif item != old[name]:
            found.append(_changed(name, old[name], item))
    return tuple(sorted(found, key=lambda one: (FATES.index(one.fate), one.name)))


def _changed(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> ObjectChange:
    found = list(_differences(_leaves(old), _leaves(new)))
    differing, keys = {key for key, _ in found}, tuple(text for _, text in found)
    if refused := _refused(name.partition("/")[0], old, new, differing):
        return ObjectChange(name=name, fate="refused", keys=keys, refused=refused)
    pods = [key for key in differing if key.startswith(_TEMPLATE)]
    if pods and not name.startswith("Job/"):
        return ObjectChange(name=name, fate="rolls", keys=keys)
    only_labels = all(key.startswith("metadata.labels.") and key.endswith(_VERSION_LABELS) for key in differing)
    return ObjectChange(name=name, fate="labels" if only_labels else "changed", keys=keys)


def _refused(kind: str, old: Mapping[str, Any], new: Mapping[str, Any], differing: Set[str]) -> str:
    """Say what Kubernetes would not take; empty where it takes everything."""
    if kind in _MUTABLE_SPEC:
        mutable = _MUTABLE_SPEC[kind]
        found = [key for key in differing if key.startswith("spec.") and _second(key) not in mutable]
        if found:
            again = "delete it with --cascade=orphan, so that its pods and volumes stay, just before the upgrade"
            return f"{', '.join(sorted({_second(key) for key in found}))} cannot be changed: " + (
                again if kind == "StatefulSet" else "it has to be deleted first"
            )
    for immutable in _IMMUTABLE.get(kind, ()):
        if any(key == immutable or key.startswith(f"{immutable}.") for key in differing):
            return f"{immutable} cannot be changed: it has to be deleted first"
    types = [one.get("spec", {}).get("strategy", {}).get("type") for one in (old, new)]
    if kind == "Deployment" and types == ["RollingUpdate", "Recreate"]:
        # The defaulted rollingUpdate stays beside it, and that is refused (goharbor/harbor-helm#2288).
        return "spec.strategy.type cannot go from RollingUpdate to Recreate under server-side apply: leave it as it is"
    return ""


def _second(key: str) -> str:
    """Give the part below ``spec``."""
    return key.split(".")[1].partition("[")[0]


def _name(item: Mapping[str, Any]) -> str:
    return f"{item['kind']}/{item['metadata']['name']}"


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401  # any part of an object
    """Give dotted key → JSON text; items of a list by their name where all have one."""
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from _leaves(item, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) and "name" in item for item in value):
        for item in value:
            yield from _leaves(item, f"{key}[{item['name']}]")
    else:
        yield key, json.dumps(value, ensure_ascii=False)


def _differences(before: Iterator[tuple[str, str]], after: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Give key → what differs, in words; of a text of several lines (a configuration file) each line."""
    old, new = dict(before), dict(after)
    for key in [*old, *(key for key in new if key not in old)]:
        one, other = old.get(key), new.get(key)
        if one == other:
            continue
        if "checksum/" in key:
            yield key, f"{key}: its configuration changes"
        elif one is None:
            yield key, f"+ {key}: {other}"
        elif other is None:
            yield key, f"- {key}: {one}"
        elif "\\n" in one and "\\n" in other:
            lines = difflib.ndiff(*(json.loads(text).splitlines() for text in (one, other)))
            yield from ((key, f"{line[0]} {key}: {line[2:].strip()}") for line in lines if line[0] in "+-")
        else:
            yield key, f"{key}: {one} → {other}"
