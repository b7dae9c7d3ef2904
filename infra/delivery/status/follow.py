"""Follow a commit until it is delivered, has failed, or the time is up."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from infra.delivery.status.chain import Chain
from infra.errors import ClusterAway, NotDelivered, Problem

Look = Callable[[], Chain]

#: A controller that failed tries again; what still fails after so long is told as failed.
PATIENCE_SECONDS = 20.0
#: How long a single look waits for a cluster that is away, as an API server is for a moment when it learns new kinds.
MOMENT_SECONDS = 5.0


def follow(
    look: Look,
    *,
    timeout: float,
    tell: Callable[[Chain], None] = lambda _: None,
    reconcile: Callable[[str], None] = lambda _: None,
    pause: float = 1.0,
    patience: float = PATIENCE_SECONDS,
) -> Chain:
    """Look again and again; gives the last look.

    Args:
        look: judges Git and cluster once.
        timeout: seconds, for all of it; 0 for a single look.
        tell: told every look.
        reconcile: asked, with the time as text, once for each commit that Flux has not fetched yet.
        pause: seconds between looks.
        patience: how long the same link may fail, or the cluster be away, before that is the answer.

    Raises:
        ClusterError: what `look` raises.
    """
    started = time.monotonic()
    asked, failing, failing_since, seen_at = "", "", 0.0, started
    while True:
        try:
            chain = look()
        except ClusterAway:
            if time.monotonic() - seen_at > min(patience, max(timeout, MOMENT_SECONDS)):
                raise
            time.sleep(min(pause, MOMENT_SECONDS / 10))
            continue
        tell(chain)
        seen_at = now = time.monotonic()
        if chain.verdict == "delivered" or now - started >= timeout:
            return chain
        link = chain.stands_at
        if link.state != "failed":
            failing = ""
        elif failing != link.name:
            failing, failing_since = link.name, now
        if failing and now - failing_since >= patience:
            return chain
        if chain.commit and asked != chain.commit and chain.links[1].state in {"moving", "failed"}:
            asked = chain.commit
            reconcile(datetime.now(UTC).isoformat())
        time.sleep(pause)


def refuse_undelivered(environment: str, chain: Chain) -> None:
    """Stand for the delivery.

    Raises:
        NotDelivered: it failed, or was not done in time; with the link's own words and the command to try next.
    """
    if chain.verdict == "delivered":
        return
    link = chain.stands_at
    state = "failed" if chain.verdict == "failed" else "is still moving"
    raise NotDelivered(
        Problem(
            where=f"{environment} {chain.commit[:12]}",
            what=f"{state} at {link.name}: {link.says}",
            fix=link.next or f"slipway status {environment} --wait",
        )
    )
