"""Replication rules and their runs.

await harbor.all(replication.every())
"""

from slipway.harbor.client.models import Replication, ReplicationPolicy, StartReplication
from slipway.harbor.client.request import Created, Pages, Request, created, nothing, one, page_of

_PAGE, _POLICY, _RUNS, _RUN = page_of(ReplicationPolicy), one(ReplicationPolicy), page_of(Replication), one(Replication)


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
