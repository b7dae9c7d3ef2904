"""Labels of the system and of projects.

await harbor.all(labels.of_system())
"""

from slipway.harbor.client.models import Label
from slipway.harbor.client.request import Created, Pages, Request, created, nothing, page_of

_PAGE = page_of(Label)


def of_system() -> Pages[Label]:
    query = {"scope": "g", "sort": "id"}
    return Pages(
        first=Request(what="list the system's labels", method="GET", path="/labels", query=query, read=_PAGE),
        keep=lambda label: label.scope == "g",
    )


def of_project(number: int) -> Pages[Label]:
    query = {"scope": "p", "project_id": number, "sort": "id"}
    what = f"list the labels of project {number}"
    return Pages(
        first=Request(what=what, method="GET", path="/labels", query=query, read=_PAGE),
        keep=lambda label: label.project_id == number,
    )


def create(label: Label) -> Request[Created]:
    """Make a label; Harbor takes an empty name and a project that does not exist."""
    return Request(what=f"create label {label.name}", method="POST", path="/labels", body=label, read=created)


def update(number: int, label: Label) -> Request[None]:
    what = f"change label {label.name}"
    return Request(what=what, method="PUT", path=f"/labels/{number}", body=label, read=nothing)


def delete(number: int) -> Request[None]:
    return Request(what=f"delete label {number}", method="DELETE", path=f"/labels/{number}", read=nothing)
