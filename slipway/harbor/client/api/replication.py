"""Replication rules and their runs.

await harbor.all(replication.every())
"""

from slipway.harbor.client.models import Replication, ReplicationPolicy, ReplicationTask, StartReplication
from slipway.harbor.client.request import Created, Pages, Request, created, nothing, one, page_of, text

_PAGE, _POLICY, _RUNS, _RUN = page_of(ReplicationPolicy), one(ReplicationPolicy), page_of(Replication), one(Replication)
_TASKS = page_of(ReplicationTask)


def every() -> Pages[ReplicationPolicy]:
    return Pages(first=Request(what="list replication rules", method="GET", path="/replication/policies", read=_PAGE))


def get(number: int) -> Request[ReplicationPolicy]:
    what = f"read replication rule {number}"
    return Request(what=what, method="GET", path=f"/replication/policies/{number}", read=_POLICY)


def create(policy: ReplicationPolicy) -> Request[Created]:
    what = f"create replication rule {policy.name}"
    return Request(what=what, method="POST", path="/replication/policies", body=policy, read=created)


def update(number: int, policy: ReplicationPolicy) -> Request[None]:
    what = f"change replication rule {policy.name}"
    return Request(what=what, method="PUT", path=f"/replication/policies/{number}", body=policy, read=nothing)


def delete(number: int) -> Request[None]:
    what = f"delete replication rule {number}"
    return Request(what=what, method="DELETE", path=f"/replication/policies/{number}", read=nothing)


def start(number: int) -> Request[Created]:
    return Request(
        what=f"run replication rule {number}",
        method="POST",
        path="/replication/executions",
        body=StartReplication(policy_id=number),
        read=created,
    )


def runs(number: int) -> Pages[Replication]:
    what, query = f"list the runs of replication rule {number}", {"policy_id": number}
    return Pages(
        first=Request(what=what, method="GET", path="/replication/executions", query=query, read=_RUNS),
        keep=lambda run: run.policy_id == number,
    )


def run(number: int) -> Request[Replication]:
    what = f"read replication run {number}"
    return Request(what=what, method="GET", path=f"/replication/executions/{number}", read=_RUN)


def tasks(number: int, *, status: str = "") -> Pages[ReplicationTask]:
    """List what a run does, a task for each repository; of one status where it is given."""
    what, query = f"list the tasks of replication run {number}", {"status": status} if status else {}
    path = f"/replication/executions/{number}/tasks"
    return Pages(
        first=Request(what=what, method="GET", path=path, query=query, read=_TASKS),
        keep=lambda task: status in {"", task.status},
    )


def task_log_path(run: int, task: int) -> str:
    return f"/replication/executions/{run}/tasks/{task}/log"


def task_log(run: int, task: int) -> Request[str]:
    what = f"read the log of task {task} of replication run {run}"
    return Request(what=what, method="GET", path=task_log_path(run, task), read=text)
