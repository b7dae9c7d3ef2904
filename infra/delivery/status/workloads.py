"""What runs: Deployments and StatefulSets against what the release says it made, and why a pod is not ready."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from infra.delivery.status.chain import Observed

Document = Mapping[str, Any]
Judgement = tuple[Literal["done", "moving", "failed", "waiting"], str, str, str]

KINDS = ("Deployment", "StatefulSet")
#: Reasons of a waiting container that no waiting will end.
_HOPELESS = {"CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "CreateContainerConfigError"}


def judge_workloads(observed: "Observed") -> Judgement:
    """Give state, words, since and the next command for all workloads of the release."""
    present = {(one["kind"], one["metadata"]["name"]): one for one in observed.workloads}
    expected = sorted(_inventory(observed.release) | {*present})
    if not expected:
        return "waiting", "", "", ""
    missing = [f"{kind} {name}" for kind, name in expected if (kind, name) not in present]
    if missing and not _is_made(observed.release):
        return "moving", f"{', '.join(missing)}: not made yet", "", ""
    if missing:
        # A forced reconciliation does not bring it back while drift is only warned about; correction does, and Flux
        # takes the patch back when it applies the branch next time.
        correct = '{"spec":{"driftDetection":{"mode":"enabled"}}}'
        asked = f"kubectl -n {observed.namespace} patch helmrelease harbor --type=merge -p '{correct}'"
        return "failed", f"{', '.join(missing)}: deleted by hand, the release has it", "", asked
    late = [present[key] for key in expected if not _is_rolled_out(present[key])]
    if not late:
        return "done", f"{len(expected)} of {len(expected)} are ready", "", ""
    reasons = [_reason(one, observed) for one in late]
    state, words, since, asked = next((reason for reason in reasons if reason[0] == "failed"), reasons[0])
    done = f"{len(expected) - len(late)} of {len(expected)} are ready"
    return state, f"{done}; {words}", since, asked


def address(entries: Sequence[Document]) -> tuple[str, str]:
    """Give the registry's URL and the address behind it; each is empty where there is none."""
    for entry in entries:
        at = entry.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}]
        behind = at[0].get("hostname") or at[0].get("ip") or ""
        if entry["kind"] == "Ingress":
            rules = entry["spec"].get("rules") or [{}]
            return f"https://{rules[0].get('host', behind)}", behind
        if entry["spec"].get("type") == "LoadBalancer":
            return f"https://{behind}" if behind else "", behind
        if entry["spec"].get("type") == "NodePort":
            port = entry["spec"]["ports"][0].get("nodePort", "")
            return f"http://127.0.0.1:{port}", f"node port {port}"
    return "", ""


def _is_made(release: Document | None) -> bool:
    """Tell whether the release has come to its end: one that failed on the way has not made all that it lists."""
    conditions = (release or {}).get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _inventory(release: Document | None) -> set[tuple[str, str]]:
    """Give kind and name of the workloads that the release made, from its inventory (Flux ≥ 2.8)."""
    entries = (release or {}).get("status", {}).get("inventory", {}).get("entries", [])
    # An id is <namespace>_<name>_<group>_<kind>; names hold no underscore.
    parts = (entry["id"].split("_") for entry in entries)
    return {(kind, name) for _, name, _, kind in parts if kind in KINDS}


def _is_rolled_out(workload: Document) -> bool:
    status, wanted = workload.get("status", {}), workload["spec"].get("replicas", 1)
    return (
        status.get("observedGeneration") == workload["metadata"].get("generation")
        and status.get("updatedReplicas", 0) == wanted
        and status.get("readyReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
    )


def _reason(workload: Document, observed: "Observed") -> Judgement:
    """Say why a workload is not rolled out: its pod's own state, or the pod's last event, or the workload's."""
    name = workload["metadata"]["name"]
    wanted = workload["spec"]["selector"]["matchLabels"]
    pods = [pod for pod in observed.pods if wanted.items() <= pod["metadata"].get("labels", {}).items()]
    for pod in sorted(pods, key=lambda one: one["metadata"].get("creationTimestamp", ""), reverse=True):
        if _is_ready(pod):
            continue
        pod_name = pod["metadata"]["name"]
        asked = f"kubectl -n {observed.namespace} describe pod {pod_name}"
        since = pod["metadata"].get("creationTimestamp", "")
        if stuck := _stuck(pod):
            return "failed", f"pod {pod_name}: {stuck}", since, asked
        return "moving", f"pod {pod_name}: {_last_event(pod_name, observed.events) or _phase(pod)}", since, asked
    said = _last_event(name, observed.events) or "its pods are on their way"
    asked = f"kubectl -n {observed.namespace} describe {workload['kind'].lower()} {name}"
    return "moving", f"{workload['kind']} {name}: {said}", "", asked


def _is_ready(pod: Document) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _stuck(pod: Document) -> str:
    for container in pod.get("status", {}).get("containerStatuses", []):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in _HOPELESS:
            return f"{container['name']}: {waiting['reason']} {waiting.get('message', '')}".strip()
    return ""


def _phase(pod: Document) -> str:
    status = pod.get("status", {})
    late = [one.get("message", "") for one in status.get("conditions", []) if one["status"] == "False"]
    return next(filter(None, late), status.get("phase", "Pending"))


def _last_event(name: str, events: Sequence[Document]) -> str:
    """Give the last warning about an object, else the last event."""
    own = [event for event in events if event.get("involvedObject", {}).get("name") == name]
    own.sort(
        key=lambda event: (event.get("type") == "Warning", event.get("lastTimestamp") or event.get("eventTime") or "")
    )
    return own[-1].get("message", "") if own else ""
