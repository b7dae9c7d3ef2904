"""Projects: list, one, make, change, delete; their metadata key by key, their scanner.

await harbor.all(projects.every())
"""

from collections.abc import Sequence

from slipway.harbor.client.models import Deletable, Model, Project, ProjectReq, ProjectScanner, Scanner
from slipway.harbor.client.request import (
    Created,
    Pages,
    Request,
    created,
    nothing,
    one,
    one_or_none,
    page_of,
    project_path,
    segment,
    wanted,
)

_PROJECT, _PAGE = one(Project), page_of(Project)
_DELETABLE, _SCANNER = one(Deletable), one_or_none(Scanner)


def every() -> Pages[Project]:
    """List all projects that the sender sees, by id: names could move to another page while being read."""
    return Pages(
        first=Request(what="list projects", method="GET", path="/projects", query={"sort": "project_id"}, read=_PAGE),
        identity=lambda project: project.project_id,
    )


def named(names: Sequence[str]) -> Pages[Project]:
    """List the projects of these names."""
    kept = frozenset(names)
    return Pages(
        first=Request(
            what=f"look for {len(kept)} projects",
            method="GET",
            path="/projects",
            query={"q": wanted(names), "sort": "project_id"},
            read=_PAGE,
        ),
        identity=lambda project: project.project_id,
        keep=lambda project: project.name in kept,
    )


def get(project: str | int) -> Request[Project]:
    path, by_name = project_path(project)
    return Request(what=f"read project {project}", method="GET", path=path, by_name=by_name, read=_PROJECT)


def create(project: ProjectReq) -> Request[Created]:
    """Make a project; its allowlist is set by a change afterwards."""
    return Request(
        what=f"create project {project.project_name}", method="POST", path="/projects", body=project, read=created
    )


def update(project: str | int, change: ProjectReq) -> Request[None]:
    """Merge metadata, and replace the allowlist if there is one in the change."""
    path, by_name = project_path(project)
    return Request(
        what=f"change project {project}", method="PUT", path=path, by_name=by_name, body=change, read=nothing
    )


def delete(project: str | int) -> Request[None]:
    """Delete a project; Harbor refuses while there are repositories in it."""
    path, by_name = project_path(project)
    return Request(what=f"delete project {project}", method="DELETE", path=path, by_name=by_name, read=nothing)


def deletable(project: str | int) -> Request[Deletable]:
    path, by_name = project_path(project)
    what = f"ask whether project {project} is empty"
    return Request(what=what, method="GET", path=f"{path}/_deletable", by_name=by_name, read=_DELETABLE)


def add_metadata(project: str | int, key: str, value: str) -> Request[None]:
    """Set a key that is not there yet; of a PUT nothing would be kept."""
    path, by_name = project_path(project)
    return Request(
        what=f"set {key} of project {project}",
        method="POST",
        path=f"{path}/metadatas/",
        by_name=by_name,
        body=Model.model_validate({key: value}),
        read=nothing,
    )


def reset_metadata(project: str | int, key: str) -> Request[None]:
    """Give a key its default back. Never for retention_id: its policy would live on, unseen."""
    if key == "retention_id":
        raise ValueError("retention_id goes by deleting the retention policy")
    path, by_name = project_path(project)
    return Request(
        what=f"reset {key} of project {project}",
        method="DELETE",
        path=f"{path}/metadatas/{segment(key)}",
        by_name=by_name,
        read=nothing,
    )


def scanner(project: str | int) -> Request[Scanner | None]:
    path, by_name = project_path(project)
    what = f"read the scanner of project {project}"
    return Request(what=what, method="GET", path=f"{path}/scanner", by_name=by_name, read=_SCANNER)


def set_scanner(project: str | int, uuid: str) -> Request[None]:
    """Choose a scanner; Harbor takes any uuid, so read it back."""
    path, by_name = project_path(project)
    return Request(
        what=f"set the scanner of project {project}",
        method="PUT",
        path=f"{path}/scanner",
        by_name=by_name,
        body=ProjectScanner(uuid=uuid),
        read=nothing,
    )
