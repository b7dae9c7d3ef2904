"""Scanner registrations; one that is unreachable is answered with 500.

await harbor.all(scanners.every())
"""

from slipway.harbor.client.models import DefaultScanner, Scanner, ScannerReq
from slipway.harbor.client.request import Created, Pages, Request, created, nothing, page_of, segment

_PAGE = page_of(Scanner)


def every() -> Pages[Scanner]:
    return Pages(
        first=Request(what="list scanners", method="GET", path="/scanners", read=_PAGE),
        identity=lambda scanner: scanner.uuid,
    )


def metadata(uuid: str) -> Request[None]:
    """Ask a scanner through Harbor what it can do: 500 where it does not answer. No list tells of its health."""
    return Request(
        what="ask the scanner what it can do", method="GET", path=f"/scanners/{segment(uuid)}/metadata", read=nothing
    )


def create(scanner: ScannerReq) -> Request[Created]:
    """Register a scanner; its id is a uuid."""
    return Request(what=f"create scanner {scanner.name}", method="POST", path="/scanners", body=scanner, read=created)


def update(uuid: str, scanner: ScannerReq) -> Request[None]:
    what = f"change scanner {scanner.name}"
    return Request(what=what, method="PUT", path=f"/scanners/{segment(uuid)}", body=scanner, read=nothing)


def make_default(uuid: str) -> Request[None]:
    return Request(
        what=f"make scanner {uuid} the default",
        method="PATCH",
        path=f"/scanners/{segment(uuid)}",
        body=DefaultScanner(),
        read=nothing,
        repeatable=True,
    )


def delete(uuid: str) -> Request[None]:
    return Request(what=f"delete scanner {uuid}", method="DELETE", path=f"/scanners/{segment(uuid)}", read=nothing)
