"""Repositories and artifacts, tags, scans and their logs.

await harbor.send(artifacts.get("payments", "team/app", "v1", scan=True))
"""

from typing import Any
from urllib.parse import quote

from slipway.harbor.client.models import Accessory, Artifact, Repository, ScanReq, Tag, TagReq
from slipway.harbor.client.request import Created, Pages, Request, created, nothing, one, page_of, segment, text

_REPOSITORIES, _ARTIFACTS, _ACCESSORIES, _TAGS = (
    page_of(Repository),
    page_of(Artifact),
    page_of(Accessory),
    page_of(Tag),
)
_ARTIFACT, _VULNERABILITIES = one(Artifact), one(dict[str, Any])


def _path(project: str, repository: str) -> str:
    """Give a repository's path; the slashes in its name are encoded twice."""
    return f"/projects/{segment(project)}/repositories/{quote(quote(repository, safe=''), safe='')}"


def repositories(project: str) -> Pages[Repository]:
    what, path = f"list the repositories of project {project}", f"/projects/{segment(project)}/repositories"
    return Pages(first=Request(what=what, method="GET", path=path, query={"sort": "id"}, read=_REPOSITORIES))


def delete_repository(project: str, repository: str) -> Request[None]:
    what = f"delete repository {project}/{repository}"
    return Request(what=what, method="DELETE", path=_path(project, repository), read=nothing)


def of(project: str, repository: str, *, accessories: bool = False) -> Pages[Artifact]:
    """List artifacts with their tags. Accessories are in no list of their own, only beside what they are about."""
    what, path = f"list the artifacts of {project}/{repository}", f"{_path(project, repository)}/artifacts"
    query = {"with_tag": "true"} | ({"with_accessory": "true"} if accessories else {})
    return Pages(first=Request(what=what, method="GET", path=path, query=query, read=_ARTIFACTS))


def get(project: str, repository: str, reference: str, *, scan: bool = False, sbom: bool = False) -> Request[Artifact]:
    """Read an artifact by tag or digest with its tags and accessories, and the summaries asked for."""
    query = {"with_tag": "true", "with_accessory": "true"}
    query |= {"with_scan_overview": "true"} if scan else {}
    query |= {"with_sbom_overview": "true"} if sbom else {}
    return Request(
        what=f"read artifact {project}/{repository}:{reference}",
        method="GET",
        path=f"{_path(project, repository)}/artifacts/{segment(reference)}",
        query=query,
        read=_ARTIFACT,
    )


def delete(project: str, repository: str, reference: str) -> Request[None]:
    return Request(
        what=f"delete artifact {project}/{repository}:{reference}",
        method="DELETE",
        path=f"{_path(project, repository)}/artifacts/{segment(reference)}",
        read=nothing,
    )


def accessories(project: str, repository: str, reference: str) -> Pages[Accessory]:
    what = f"list the accessories of {project}/{repository}:{reference}"
    path = f"{_path(project, repository)}/artifacts/{segment(reference)}/accessories"
    return Pages(
        first=Request(what=what, method="GET", path=path, read=_ACCESSORIES), identity=lambda each: each.digest
    )


def tags(project: str, repository: str, reference: str) -> Pages[Tag]:
    what = f"list the tags of {project}/{repository}:{reference}"
    path = f"{_path(project, repository)}/artifacts/{segment(reference)}/tags"
    return Pages(first=Request(what=what, method="GET", path=path, read=_TAGS))


def add_tag(project: str, repository: str, reference: str, tag: str) -> Request[Created]:
    return Request(
        what=f"tag {project}/{repository}:{reference} as {tag}",
        method="POST",
        path=f"{_path(project, repository)}/artifacts/{segment(reference)}/tags",
        body=TagReq(name=tag),
        read=created,
    )


def scan(project: str, repository: str, reference: str, *, kind: str = "vulnerability") -> Request[None]:
    """Start a scan (vulnerability or sbom); a second one takes the place of the first."""
    return Request(
        what=f"scan {project}/{repository}:{reference}",
        method="POST",
        path=f"{_path(project, repository)}/artifacts/{segment(reference)}/scan",
        body=ScanReq(scan_type=kind),
        read=nothing,
        repeatable=True,
    )


def scan_log(project: str, repository: str, reference: str, report: str) -> Request[str]:
    return Request(
        what=f"read the scan log of {project}/{repository}:{reference}",
        method="GET",
        path=f"{_path(project, repository)}/artifacts/{segment(reference)}/scan/{segment(report)}/log",
        read=text,
    )


def vulnerabilities(project: str, repository: str, reference: str) -> Request[dict[str, Any]]:
    return Request(
        what=f"read the vulnerabilities of {project}/{repository}:{reference}",
        method="GET",
        path=f"{_path(project, repository)}/artifacts/{segment(reference)}/additions/vulnerabilities",
        read=_VULNERABILITIES,
    )
