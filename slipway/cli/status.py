"""`slipway status`: where an environment's commit stands."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slipway.cli import console
from slipway.cli.console import Output

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.delivery.status.chain import Chain, Link

_EXIT_CODES = {"delivered": 0, "failed": 1, "moving": 2}
_MARKS = {"done": ("✓", "green"), "moving": ("…", "yellow"), "failed": ("✗", "red"), "waiting": ("·", "")}


def status(
    environment: Annotated[
        str, typer.Argument(metavar="ENV", help="The environment of stacks/Pulumi.ENV.yaml, or a kind cluster's name.")
    ],
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow the commit until it is delivered or has failed.")
    ] = False,
    timeout: Annotated[str, typer.Option(metavar="TIME", help="How long --wait waits at most: 90s, 30m, 1h.")] = "30m",
    rehearsal: Annotated[
        bool, typer.Option("--rehearsal", help="Look at the cluster that `slipway rehearse ENV --keep` left running.")
    ] = False,
    kubeconfig: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Default: KUBECONFIG, then ~/.kube/config.", envvar="KUBECONFIG")
    ] = None,
    context: Annotated[str | None, typer.Option(metavar="NAME", help="Default: the current context.")] = None,
    reconcile: Annotated[
        bool, typer.Option("--reconcile", help="Ask Flux to look at Git now instead of at its next interval.")
    ] = False,
    output: Annotated[Output, typer.Option(help="How to report.")] = Output.text,
) -> None:
    """Follow the branch's last commit from Git through Flux and Helm to the registry's URL.

    Says at which link it stands, since when, why, in the controller's own words, and what to try next. Delivered
    means: Flux has applied this very commit, and release and workloads are ready as the commit wants them; a Ready
    that speaks of an older state does not count. Only reads, unless --reconcile is given.

    \b
    Examples:
      slipway status prod
      slipway status prod --wait --timeout 45m
      slipway status dev --rehearsal --output json

    Exit codes: 0 delivered, 1 failed or not to be told, 2 still moving (with --wait: when the time was up).
    """
    from infra.delivery.status.follow import follow
    from infra.delivery.status.observe import request_reconciliation
    from slipway.following import following, waiting_change

    seconds = _seconds(timeout) if wait else 0.0
    with following(environment, kubeconfig=kubeconfig, context=context, rehearsal=rehearsal) as (look, client):
        ask = (lambda now: request_reconciliation(client, now)) if reconcile else (lambda _: None)
        if wait and output is Output.text:
            chain = _shown_live(lambda tell: follow(look, timeout=seconds, tell=tell, reconcile=ask))
        else:
            chain = follow(look, timeout=seconds, reconcile=ask)
    waits = "" if rehearsal else waiting_change(environment)
    if output is Output.json:
        console.result_json(
            {
                "environment": environment,
                "verdict": chain.verdict,
                "commit": chain.commit,
                "url": chain.url,
                "waiting": waits,
                "links": [vars(link) for link in chain.links],
            }
        )
    else:
        console.result(chain_text(environment, chain))
        if waits:
            console.result(f"a further change of {environment} waits in {waits}: Flux sees it when it is merged")
    raise typer.Exit(_EXIT_CODES[chain.verdict])


def _shown_live(run: "Callable[[Callable[[Chain], None]], Chain]") -> "Chain":
    """Show each change while it is waited for: in place on a terminal, a line for each elsewhere."""
    from infra.delivery.status.chain import changed_links
    from slipway.cli.live import Live

    seen: list[Chain] = []
    started = time.monotonic()
    with Live() as live:

        def tell(chain: "Chain") -> None:
            for link in changed_links(seen[-1] if seen else None, chain):
                mark = _MARKS[link.state][0]
                live.note(f"{time.monotonic() - started:6.1f} s  {mark} {link.name}: {_short(link.says)}")
            seen.append(chain)
            live.begin(f"{chain.stands_at.name}: {_short(chain.stands_at.says)}")

        return run(tell)


def chain_text(environment: str, chain: "Chain") -> str:
    """Give all links, and what a person must know of the one where it stands."""
    width = max(len(link.name) for link in chain.links) + 2
    lines = [_line(link, width) for link in chain.links]
    link = chain.stands_at
    commit = chain.commit[:12] or "the last commit"
    if chain.verdict == "delivered":
        return "\n".join([*lines, "", f"{environment}: {commit} is delivered", chain.url])
    state = typer.style("failed", fg="red") if chain.verdict == "failed" else typer.style("moving", fg="yellow")
    lines += ["", f"{environment}: {commit} {state} at {link.name}{_since(link)}", f"  {link.says}"]
    return "\n".join([*lines, *([f"  try: {link.next}"] if link.next else [])])


def _line(link: "Link", width: int) -> str:
    mark, colour = _MARKS[link.state]
    shown = typer.style(mark, fg=colour) if colour else mark
    return f"{shown} {link.name:{width}}{_short(link.says)}".rstrip()


def _short(text: str) -> str:
    """Cut to a line, and commit ids to what a person compares."""
    import re

    first = re.sub(r"\b([0-9a-f]{12})[0-9a-f]{28}\b", r"\1", " ".join(text.split()))
    return first if len(first) <= 160 else f"{first[:159]}…"


def _since(link: "Link") -> str:
    if not link.since:
        return ""
    from datetime import UTC, datetime

    seconds = int((datetime.now(UTC) - datetime.fromisoformat(link.since)).total_seconds())
    if seconds < 0:
        return ""
    amount = f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
    return f" since {amount}"


def _seconds(text: str) -> float:
    import re

    found = re.fullmatch(r"(\d+)(s|m|h)?", text)
    if not found:
        raise typer.BadParameter(f"{text!r} is no time; use 90s, 30m or 1h", param_hint="--timeout")
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600, None: 1}[found[2]]
