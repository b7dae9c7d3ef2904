"""Webhook policies of a project, and their deliveries.

await harbor.all(webhooks.of("payments"))
"""

from slipway.harbor.client.models import Webhook, WebhookRun
from slipway.harbor.client.request import Created, Pages, Request, created, nothing, page_of, project_path

_PAGE, _RUNS = page_of(Webhook), page_of(WebhookRun)
EVENTS = (
    "PUSH_ARTIFACT",
    "PULL_ARTIFACT",
    "DELETE_ARTIFACT",
    "SCANNING_FAILED",
    "SCANNING_STOPPED",
    "SCANNING_COMPLETED",
    "QUOTA_EXCEED",
    "QUOTA_WARNING",
    "REPLICATION",
    "TAG_RETENTION",
)


def of(project: str | int) -> Pages[Webhook]:
    path, by_name = project_path(project)
    what = f"list the webhooks of project {project}"
    return Pages(first=Request(what=what, method="GET", path=f"{path}/webhook/policies", by_name=by_name, read=_PAGE))


def create(project: str | int, policy: Webhook) -> Request[Created]:
    path, by_name = project_path(project)
    return Request(
        what=f"create webhook {policy.name} of project {project}",
        method="POST",
        path=f"{path}/webhook/policies",
        by_name=by_name,
        body=policy,
        read=created,
    )


def update(project: str | int, number: int, policy: Webhook) -> Request[None]:
    """Replace a policy: what is absent is gone, its secret header as well."""
    path, by_name = project_path(project)
    return Request(
        what=f"change webhook {policy.name} of project {project}",
        method="PUT",
        path=f"{path}/webhook/policies/{number}",
        by_name=by_name,
        body=policy,
        read=nothing,
    )


def delete(project: str | int, number: int) -> Request[None]:
    path, by_name = project_path(project)
    return Request(
        what=f"delete webhook {number} of project {project}",
        method="DELETE",
        path=f"{path}/webhook/policies/{number}",
        by_name=by_name,
        read=nothing,
    )


def runs(project: str | int, number: int) -> Pages[WebhookRun]:
    path, by_name = project_path(project)
    what = f"list the deliveries of webhook {number} of project {project}"
    place = f"{path}/webhook/policies/{number}/executions"
    return Pages(first=Request(what=what, method="GET", path=place, by_name=by_name, read=_RUNS))
