"""What Harbor says of itself: info, health, statistics, job service, audit log.

await harbor.send(system.health())
"""

from slipway.harbor.client.models import AuditEvent, Health, JobQueue, Paused, Statistics, SystemInfo, WorkerPool
from slipway.harbor.client.request import Pages, Request, one, page_of

_INFO, _HEALTH, _STATISTICS, _PAUSED = one(SystemInfo), one(Health), one(Statistics), one(Paused)
_POOLS, _QUEUES, _EVENTS = one(list[WorkerPool]), one(list[JobQueue]), page_of(AuditEvent)


def info() -> Request[SystemInfo]:
    """Read what it is; the version is there only for those who are logged in."""
    return Request(what="read the system info", method="GET", path="/systeminfo", read=_INFO)


def health() -> Request[Health]:
    """Read the health of all parts; 200 whatever it is, and up to ten seconds old."""
    return Request(what="read the health", method="GET", path="/health", read=_HEALTH)


def statistics() -> Request[Statistics]:
    return Request(what="read the statistics", method="GET", path="/statistics", read=_STATISTICS)


def pools() -> Request[list[WorkerPool]]:
    return Request(what="list job service pools", method="GET", path="/jobservice/pools", read=_POOLS)


def queues() -> Request[list[JobQueue]]:
    return Request(what="list job queues", method="GET", path="/jobservice/queues", read=_QUEUES)


def schedules_paused() -> Request[Paused]:
    return Request(what="ask whether schedules rest", method="GET", path="/schedules/all/paused", read=_PAUSED)


def audit() -> Pages[AuditEvent]:
    return Pages(first=Request(what="list audit events", method="GET", path="/auditlog-exts", read=_EVENTS))
