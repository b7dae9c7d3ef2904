"""Instances of peer-to-peer networks, and the policies by which a project's artifacts are sent to them.

await harbor.all(preheat.instances())
Both are addressed by name, projects too; a change goes to the id in its body all the same.
"""

from slipway.harbor.client.models import PreheatInstance, PreheatPolicy
from slipway.harbor.client.request import Created, Pages, Request, created, nothing, one, page_of, segment

_INSTANCES, _INSTANCE, _POLICIES = page_of(PreheatInstance), one(PreheatInstance), page_of(PreheatPolicy)
_PATH = "/p2p/preheat/instances"


def instances() -> Pages[PreheatInstance]:
    what = "list preheat instances"
    return Pages(first=Request(what=what, method="GET", path=_PATH, query={"sort": "id"}, read=_INSTANCES))


def instance(name: str) -> Request[PreheatInstance]:
    what = f"read preheat instance {name}"
    return Request(what=what, method="GET", path=f"{_PATH}/{segment(name)}", read=_INSTANCE)


def create_instance(body: PreheatInstance) -> Request[Created]:
    """Make one. Where it is said to be has its name, not its id; an address that another one has is a 500."""
    return Request(what=f"create preheat instance {body.name}", method="POST", path=_PATH, body=body, read=created)


def update_instance(body: PreheatInstance) -> Request[None]:
    what, path = f"change preheat instance {body.name}", f"{_PATH}/{segment(body.name)}"
    return Request(what=what, method="PUT", path=path, body=body, read=nothing)


def delete_instance(name: str) -> Request[None]:
    what = f"delete preheat instance {name}"
    return Request(what=what, method="DELETE", path=f"{_PATH}/{segment(name)}", read=nothing)


def policies(project: str) -> Pages[PreheatPolicy]:
    what = f"list the preheat policies of project {project}"
    return Pages(first=Request(what=what, method="GET", path=_of(project), query={"sort": "id"}, read=_POLICIES))


def create_policy(project: str, body: PreheatPolicy) -> Request[Created]:
    """Make one; where it is said to be has its name, not its id."""
    what = f"create preheat policy {body.name} of project {project}"
    return Request(what=what, method="POST", path=_of(project), body=body, read=created)


def update_policy(project: str, body: PreheatPolicy) -> Request[None]:
    what, path = f"change preheat policy {body.name} of project {project}", f"{_of(project)}/{segment(body.name)}"
    return Request(what=what, method="PUT", path=path, body=body, read=nothing)


def delete_policy(project: str, name: str) -> Request[None]:
    what, path = f"delete preheat policy {name} of project {project}", f"{_of(project)}/{segment(name)}"
    return Request(what=what, method="DELETE", path=path, read=nothing)


def _of(project: str) -> str:
    return f"/projects/{segment(project)}/preheat/policies"
