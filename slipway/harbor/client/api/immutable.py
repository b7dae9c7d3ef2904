"""Rules of immutable tags.

One change either switches a rule on or off, or changes it: send two, one after the other.
"""

from slipway.harbor.client.models import Rule
from slipway.harbor.client.request import Created, Pages, Request, created, nothing, page_of, project_path

_PAGE = page_of(Rule)


def of(project: str | int) -> Pages[Rule]:
    path, by_name = project_path(project)
    what = f"list the immutable tag rules of project {project}"
    return Pages(first=Request(what=what, method="GET", path=f"{path}/immutabletagrules", by_name=by_name, read=_PAGE))


def create(project: str | int, rule: Rule) -> Request[Created]:
    """Make a rule; it is enabled whatever it says."""
    path, by_name = project_path(project)
    return Request(
        what=f"create an immutable tag rule of project {project}",
        method="POST",
        path=f"{path}/immutabletagrules",
        by_name=by_name,
        body=rule,
        read=created,
    )


def update(project: str | int, rule: Rule) -> Request[None]:
    """Change a rule that keeps its `disabled`, or switch it: if that differs, nothing else is changed."""
    path, by_name = project_path(project)
    return Request(
        what=f"change immutable tag rule {rule.id} of project {project}",
        method="PUT",
        path=f"{path}/immutabletagrules/{rule.id}",
        by_name=by_name,
        body=rule,
        read=nothing,
    )


def delete(project: str | int, number: int) -> Request[None]:
    path, by_name = project_path(project)
    return Request(
        what=f"delete immutable tag rule {number} of project {project}",
        method="DELETE",
        path=f"{path}/immutabletagrules/{number}",
        by_name=by_name,
        read=nothing,
    )
