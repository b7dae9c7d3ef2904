"""What a push, a pull or a delete through the registry changes in Harbor's own books: it alone knows tags.

pushed(harbor, project, "payments/app", "v1", manifest, "application/vnd.oci.image.manifest.v1+json", by="robot$ci")
"""

import hashlib
import json

from tests.harbor.server.harbor import Harbor
from tests.harbor.server.operations import webhooks
from tests.harbor.server.state import State

_COSIGN = {"application/vnd.dev.cosign.artifact.sig.v1+json", "application/vnd.dev.sigstore.bundle.v0.3+json"}
_NOTATION = "application/vnd.cncf.notary.signature"
_LEGACY = "application/vnd.dev.cosign.simplesigning.v1+json"
_TYPES = {"application/vnd.cncf.helm.config.v1+json": "CHART"}


def artifact_of(state: State, repository: int, reference: str) -> dict | None:
    """Give the artifact of a digest or a tag."""
    if ":" in reference:
        return state.find("artifact", reference, project=repository)
    tag = state.find("tag", reference, project=repository)
    return state.get("artifact", tag["artifact_id"]) if tag else None


def pushed(
    harbor: Harbor, project: dict, name: str, reference: str, manifest: bytes, media_type: str, *, by: str
) -> dict:
    """Enter a manifest that the registry took; gives the artifact."""
    digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    content = json.loads(manifest)
    with harbor.state.together():
        repo = _repository(harbor, project, name)
        found = harbor.state.find("artifact", digest, project=repo["id"])
        if found is None:
            found = _artifact(harbor, project, repo, digest, content, manifest, media_type)
        if ":" not in reference:
            _tag(harbor, repo, found, reference)
        _accessory(harbor, repo, found, reference, content)
        count_usage(harbor, project["project_id"])
    resource = {"digest": digest, "tag": reference, "resource_url": f"{name}:{reference}"}
    webhooks.fire(harbor, "PUSH_ARTIFACT", project, event(repo, [resource]), by=by)
    return found


def event(repo: dict, resources: list[dict]) -> dict:
    space, _, name = repo["name"].partition("/")
    about = {"name": name, "namespace": space, "repo_full_name": repo["name"], "repo_type": "private"}
    return {"resources": resources, "repository": about}


def _repository(harbor: Harbor, project: dict, name: str) -> dict:
    found = harbor.state.find("repository", name, project=project["project_id"])
    if found:
        return found
    stamp = harbor.stamp()
    doc = {"project_id": project["project_id"], "name": name, "artifact_count": 0, "pull_count": 0}
    number = harbor.state.add(
        "repository", doc | {"creation_time": stamp, "update_time": stamp}, key=name, project=project["project_id"]
    )
    harbor.save_project(project | {"repo_count": project["repo_count"] + 1})
    return harbor.state.get("repository", number)


def _artifact(
    harbor: Harbor, project: dict, repo: dict, digest: str, content: dict, manifest: bytes, media_type: str
) -> dict:
    parts = [*content.get("layers", []), *([content["config"]] if "config" in content else [])]
    blobs = {part["digest"]: part["size"] for part in parts}
    config = content.get("config", {}).get("mediaType", "")
    hidden = bool(content.get("subject")) or any(part.get("mediaType") == _LEGACY for part in parts)
    doc = {
        "type": _TYPES.get(config, "IMAGE"),
        "media_type": config or media_type,
        "manifest_media_type": media_type,
        "artifact_type": content.get("artifactType") or config or media_type,
        "project_id": project["project_id"],
        "repository_id": repo["id"],
        "repository_name": repo["name"],
        "digest": digest,
        "size": len(manifest) + sum(blobs.values()),
        "push_time": harbor.stamp(),
        "pull_time": "0001-01-01T00:00:00.000Z",
        "extra_attrs": {},
        "references": [
            {"child_digest": each["digest"]} | ({"platform": each["platform"]} if "platform" in each else {})
            for each in content.get("manifests", [])
        ],
        "_blobs": blobs | {digest: len(manifest)},
        "_accessory": int(hidden),
    }
    number = harbor.state.add("artifact", doc, key=digest, project=repo["id"])
    if not hidden:
        harbor.state.put("repository", repo["id"], repo | {"artifact_count": repo["artifact_count"] + 1})
    return harbor.state.get("artifact", number)


def _tag(harbor: Harbor, repo: dict, artifact: dict, name: str) -> None:
    stamp = harbor.stamp()
    old = harbor.state.find("tag", name, project=repo["id"])
    doc = {"repository_id": repo["id"], "artifact_id": artifact["id"], "name": name, "push_time": stamp}
    if old:
        harbor.state.put("tag", old["id"], old | doc)
    else:
        harbor.state.add("tag", doc | {"pull_time": "0001-01-01T00:00:00.000Z"}, key=name, project=repo["id"])


def _accessory(harbor: Harbor, repo: dict, artifact: dict, reference: str, content: dict) -> None:
    """Enter a signature, or whatever else names a subject, beside what it is about."""
    subject, kind = content.get("subject", {}).get("digest", ""), "subject.accessory"
    config, artifact_type = content.get("config", {}).get("mediaType", ""), content.get("artifactType", "")
    if reference.startswith("sha256-") and reference.endswith(".sig"):
        subject, kind = f"sha256:{reference[7:-4]}", "signature.cosign"
    elif {config, artifact_type} & _COSIGN:
        kind = "signature.cosign"
    elif _NOTATION in {config, artifact_type}:
        kind = "signature.notation"
    if not subject or harbor.state.find("accessory", artifact["digest"], project=repo["id"]):
        return
    about = harbor.state.find("artifact", subject, project=repo["id"])
    doc = {
        "artifact_id": artifact["id"],
        "subject_artifact_id": about["id"] if about else 0,
        "subject_artifact_digest": subject,
        "subject_artifact_repo": repo["name"],
        "size": artifact["size"],
        "digest": artifact["digest"],
        "type": kind,
        "icon": "",
        "creation_time": harbor.stamp(),
    }
    harbor.state.add("accessory", doc, key=artifact["digest"], project=repo["id"])


def count_usage(harbor: Harbor, project: int) -> None:
    """Count what the project keeps, each blob once."""
    quota = harbor.state.find("quota", str(project), project=project)
    if quota is None:
        return
    blobs = {row["digest"]: row["size"] for row in harbor.state.all("blob", project=project)}
    for repo in harbor.state.all("repository", project=project):
        for artifact in harbor.state.all("artifact", project=repo["id"]):
            blobs |= artifact["_blobs"]
    harbor.state.put("quota", quota["id"], quota | {"used": {"storage": sum(blobs.values())}})


def remove_artifact(harbor: Harbor, project: dict, repo: dict, artifact: dict, *, by: str) -> None:
    state = harbor.state
    for tag in state.all("tag", project=repo["id"]):
        if tag["artifact_id"] == artifact["id"]:
            state.delete("tag", tag["id"])
    for each in state.all("accessory", project=repo["id"]):
        if each["subject_artifact_digest"] == artifact["digest"]:
            state.delete("accessory", each["id"])
            state.delete("artifact", each["artifact_id"])
    state.delete("artifact", artifact["id"])
    state.put("repository", repo["id"], repo | {"artifact_count": max(repo["artifact_count"] - 1, 0)})
    _forget_blobs(harbor, project["project_id"])
    webhooks.fire(harbor, "DELETE_ARTIFACT", project, event(repo, [{"digest": artifact["digest"]}]), by=by)


def remove_repository(harbor: Harbor, project: dict, repo: dict, *, by: str) -> None:
    harbor.state.delete_of(repo["id"], "artifact", "tag", "accessory")
    harbor.state.delete("repository", repo["id"])
    harbor.save_project(project | {"repo_count": max(project["repo_count"] - 1, 0)})
    _forget_blobs(harbor, project["project_id"])
    webhooks.fire(harbor, "DELETE_ARTIFACT", project, event(repo, []), by=by)


def _forget_blobs(harbor: Harbor, project: int) -> None:
    kept: set[str] = set()
    for repo in harbor.state.all("repository", project=project):
        for artifact in harbor.state.all("artifact", project=repo["id"]):
            kept |= artifact["_blobs"].keys()
    for row in harbor.state.all("blob", project=project):
        if row["digest"] not in kept:
            harbor.state.delete("blob", row["id"])
    count_usage(harbor, project)
