"""Scans: they find what the switch `severity` says, take `scan_seconds`, and fail when told to."""

import asyncio
import hashlib
import uuid

from tests.harbor.server.harbor import Harbor
from tests.harbor.server.operations import webhooks
from tests.harbor.server.operations.scanners import REPORT
from tests.harbor.server.state import State

_SCANNER = {"name": "Trivy", "vendor": "Aqua Security", "version": "v0.69.1"}


def start(harbor: Harbor, project: dict, repo: dict, artifact: dict, kind: str, *, by: str) -> None:
    """Begin a scan; a new one takes the place of the last of its kind."""
    for old in harbor.state.all("report", project=artifact["id"]):
        if old["kind"] == kind:
            harbor.state.delete("report", old["id"])
    report = {"kind": kind, "report_id": str(uuid.uuid4()), "scan_status": "Running", "start_time": harbor.stamp()}
    number = harbor.state.add("report", report, project=artifact["id"])
    job = asyncio.get_running_loop().create_task(_finish(harbor, project, repo, artifact, number, by))
    harbor.background.add(job)
    job.add_done_callback(harbor.background.discard)


async def _finish(harbor: Harbor, project: dict, repo: dict, artifact: dict, number: int, by: str) -> None:
    await asyncio.sleep(harbor.switches.scan_seconds)
    report = harbor.state.get("report", number)
    if report is None or report["scan_status"] != "Running":
        return
    good = not harbor.switches.scan_fails and "trivy" not in harbor.switches.unhealthy
    report |= {"scan_status": "Success" if good else "Error", "end_time": harbor.stamp()}
    report["severity"] = harbor.switches.severity
    if good and report["kind"] == "sbom":
        report["sbom_digest"] = _add_sbom(harbor, repo, artifact)
    harbor.state.put("report", number, report)
    data = {"repository": {"name": repo["name"].partition("/")[2], "repo_full_name": repo["name"]}}
    data["resources"] = [{"digest": artifact["digest"], "scan_overview": {REPORT: summary(report)}}]
    webhooks.fire(harbor, "SCANNING_COMPLETED" if good else "SCANNING_FAILED", project, data, by=by)


def _add_sbom(harbor: Harbor, repo: dict, artifact: dict) -> str:
    digest = f"sha256:{hashlib.sha256(artifact['digest'].encode()).hexdigest()}"
    if not harbor.state.find("accessory", digest, project=repo["id"]):
        doc = {
            "artifact_id": 0,
            "subject_artifact_id": artifact["id"],
            "subject_artifact_digest": artifact["digest"],
            "subject_artifact_repo": repo["name"],
            "size": 512,
            "digest": digest,
            "type": "sbom.harbor",
            "icon": "",
            "creation_time": harbor.stamp(),
        }
        harbor.state.add("accessory", doc, key=digest, project=repo["id"])
    return digest


def report_of(state: State, artifact: int, kind: str = "vulnerability") -> dict | None:
    return next((each for each in state.all("report", project=artifact) if each["kind"] == kind), None)


def summary(report: dict) -> dict:
    found = {} if report.get("severity", "None") == "None" else {report["severity"]: 1}
    doc = {key: report[key] for key in ("report_id", "scan_status", "start_time", "end_time") if key in report}
    doc |= {"scanner": _SCANNER, "duration": 1, "complete_percent": 100}
    if report["scan_status"] == "Success":
        doc |= {"severity": report["severity"], "summary": {"total": len(found), "fixable": 0, "summary": found}}
    return doc


def overview(state: State, artifact: int) -> dict | None:
    report = report_of(state, artifact)
    return {REPORT: summary(report)} if report else None


def sbom_overview(state: State, artifact: int) -> dict | None:
    report = report_of(state, artifact, "sbom")
    if report is None:
        return None
    keys = ("start_time", "end_time", "scan_status", "sbom_digest", "report_id")
    return {key: report[key] for key in keys if key in report} | {"duration": 1, "scanner": _SCANNER}


def vulnerabilities(state: State, artifact: int) -> dict:
    report = report_of(state, artifact)
    if report is None or report["scan_status"] != "Success":
        return {}
    found = [] if report["severity"] == "None" else [{"id": "CVE-2021-44228", "severity": report["severity"]}]
    return {REPORT: {"generated_at": report["end_time"], "severity": report["severity"], "vulnerabilities": found}}
