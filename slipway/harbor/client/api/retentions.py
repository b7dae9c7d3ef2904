"""Retention policies, found by the `retention_id` in a project's metadata and nowhere else.

await harbor.send(retentions.get(int(project.metadata.retention_id)))
"""

from slipway.harbor.client.models import RetentionPolicy
from slipway.harbor.client.request import Created, Request, created, nothing, one

_POLICY = one(RetentionPolicy)


def get(number: int) -> Request[RetentionPolicy]:
    """Read a policy. One that is gone answers 500, not 404."""
    return Request(what=f"read retention policy {number}", method="GET", path=f"/retentions/{number}", read=_POLICY)


def create(policy: RetentionPolicy) -> Request[Created]:
    what = f"create the retention policy of project {policy.scope.ref}"
    return Request(what=what, method="POST", path="/retentions", body=policy, read=created)


def update(number: int, policy: RetentionPolicy) -> Request[None]:
    """Replace a policy; its scope must stay."""
    what = f"change the retention policy of project {policy.scope.ref}"
    return Request(what=what, method="PUT", path=f"/retentions/{number}", body=policy, read=nothing)


def delete(number: int) -> Request[None]:
    return Request(
        what=f"delete retention policy {number}", method="DELETE", path=f"/retentions/{number}", read=nothing
    )
