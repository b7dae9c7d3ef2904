"""Quotas of projects, in bytes.

await harbor.all(quotas.every())
"""

from slipway.harbor.client.models import Quota, QuotaReq
from slipway.harbor.client.request import Pages, Request, nothing, page_of

_PAGE = page_of(Quota)
#: Harbor waits 17 ms for each quota of a page, idle: small pages at the same time are three times as fast.
_SIZE = 25


def every() -> Pages[Quota]:
    query = {"reference": "project", "sort": "id"}
    first = Request(what="list quotas", method="GET", path="/quotas", query=query, read=_PAGE, idle=True)
    return Pages(first=first, size=_SIZE)


def of_project(number: int) -> Pages[Quota]:
    return Pages(
        first=Request(
            what=f"read the quota of project {number}",
            method="GET",
            path="/quotas",
            query={"reference": "project", "reference_id": number},
            read=_PAGE,
        ),
        keep=lambda quota: quota.ref is not None and quota.ref.id == number,
    )


def update(quota: int, storage: int) -> Request[None]:
    """Set the limit in bytes, -1 for none; one below what is used is taken as well."""
    return Request(
        what=f"set quota {quota}",
        method="PUT",
        path=f"/quotas/{quota}",
        body=QuotaReq(hard={"storage": storage}),
        read=nothing,
    )
