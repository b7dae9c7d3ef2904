"""What a project's policies refuse at push and pull: signatures, vulnerabilities, immutable tags, quotas."""

import datetime as dt

from tests.harbor.server.answers import Refused, denied, violation
from tests.harbor.server.harbor import Harbor
from tests.harbor.server.operations import scans, webhooks
from tests.harbor.server.operations.immutable import is_immutable
from tests.harbor.server.operations.metadata import SEVERITIES
from tests.harbor.server.pushes import count_usage


def check_pull(harbor: Harbor, project: dict, repo: dict, artifact: dict) -> None:
    """Refuse what must be signed or scanned first. That a signature is there counts, not whose it is."""
    metadata = project["metadata"]
    kinds = {
        row["type"]
        for row in harbor.state.all("accessory", project=repo["id"])
        if row["subject_artifact_digest"] == artifact["digest"]
    }
    if artifact["_accessory"]:
        return
    for key, tool in (("enable_content_trust_cosign", "cosign"), ("enable_content_trust", "notation")):
        if metadata.get(key) == "true" and f"signature.{tool}" not in kinds:
            raise violation(f"The image is not signed by {tool}.")
    if metadata.get("prevent_vul") == "true" and not artifact["references"]:
        _check_severity(harbor, project, artifact)


def _check_severity(harbor: Harbor, project: dict, artifact: dict) -> None:
    limit = project["metadata"].get("severity", "low")
    report = scans.report_of(harbor.state, artifact["id"])
    rule = f"due to configured policy in 'Prevent images with vulnerability severity of \"{limit}\" or higher from running.'"
    if report is None or report["scan_status"] != "Success":
        raise violation(f"current image without vulnerability scanning cannot be pulled {rule}")
    found = report["severity"].lower()
    if found == "none" or _allows(harbor, project, "CVE-2021-44228"):
        return
    if limit in SEVERITIES and SEVERITIES.index(found) >= SEVERITIES.index(limit):
        raise violation(f"current image with 1 vulnerability cannot be pulled {rule}")


def _allows(harbor: Harbor, project: dict, name: str) -> bool:
    if project["metadata"].get("reuse_sys_cve_allowlist", "true") == "true":
        listed = harbor.state.find("allowlist", "system") or {"items": []}
    else:
        listed = project["cve_allowlist"]
    expires = listed.get("expires_at")
    if expires is not None and expires < dt.datetime.timestamp(harbor.now()):
        return False
    return any(item["cve_id"] == name for item in listed["items"])


def check_tag(harbor: Harbor, project: dict, name: str, tag: str) -> None:
    repo = harbor.state.find("repository", name, project=project["project_id"])
    short = name.partition("/")[2]
    taken = repo and harbor.state.find("tag", tag, project=repo["id"])
    if taken and is_immutable(harbor.state, project["project_id"], short, tag):
        raise Refused(412, "PRECONDITION", f"Failed to process request due to '{short}:{tag}' configured as immutable.")


def check_quota(harbor: Harbor, project: dict, digest: str, size: int) -> None:
    """Refuse what would not fit; a blob that the project has already costs nothing."""
    number = project["project_id"]
    quota = harbor.state.find("quota", str(number), project=number)
    if quota is None or harbor.state.find("blob", digest, project=number):
        return
    limit, used = quota["hard"]["storage"], quota["used"]["storage"]
    if limit == -1 or used + size <= limit:
        return
    webhooks.fire(harbor, "QUOTA_EXCEED", project, {"custom_attributes": {"Details": "storage"}}, by="")
    raise denied(
        f"adding {_sized(size)} of storage resource, which when updated to current usage of {_sized(used)} "
        f"will exceed the configured upper limit of {_sized(limit)}."
    )


def _sized(number: int) -> str:
    return f"{number / (1 << 20):.1f} MiB"


def keep_blob(harbor: Harbor, project: dict, digest: str, size: int, *, mounted: bool) -> None:
    number = project["project_id"]
    if harbor.state.find("blob", digest, project=number):
        return
    if mounted:
        _, rows = harbor.state.page("blob", where="key = ?", values=[digest])
        size = rows[0]["size"] if rows else 0
    harbor.state.add("blob", {"digest": digest, "size": size}, key=digest, project=number)
    count_usage(harbor, number)


def after_push(harbor: Harbor, project: dict, artifact: dict, *, by: str) -> None:
    """Scan at push where the project says so."""
    if artifact["_accessory"]:
        return
    repo = harbor.state.get("repository", artifact["repository_id"])
    for key, kind in (("auto_scan", "vulnerability"), ("auto_sbom_generation", "sbom")):
        if project["metadata"].get(key) == "true":
            scans.start(harbor, project, repo, artifact, kind, by=by)
