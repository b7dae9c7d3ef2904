"""Put what a rehearsal saw onto its page: both halves on one axis, the files, the checks, and what was played."""

import inspect
from collections.abc import Iterator, Mapping, Sequence

from slipway.forecast.cost import Cost
from slipway.forecast.written import by_service, quantity
from slipway.rehearse import nameserver
from slipway.rehearse.cluster import control_plane
from slipway.rehearse.cluster.played import (
    external_secrets,
    flux_operator,
    git_server,
    internet,
    load_balancer,
    third_parties,
)
from slipway.rehearse.cluster.watch import Stay
from slipway.rehearse.page import Check, Page, Played, Priced, Span
from slipway.rehearse.report import Report, StepReport
from slipway.rehearse.simulated import kubernetes, server
from slipway.rehearse.workspace import Workspace

#: Whose docstrings say what they play and what they do not.
PLAYERS = {
    "AWS": server,
    "the parent's name server": nameserver,
    "pulumi-kubernetes": kubernetes,
    "kubelets and nodes": control_plane,
    "the internet": internet,
    "the Git host": git_server,
    "Flux Operator": flux_operator,
    "External Secrets": external_secrets,
    "AWS Load Balancer Controller": load_balancer,
    "third parties' CRDs": third_parties,
}


#: The stack and our components last as long as what is in them.
_GROUPS = ("pulumi:pulumi:", "slipway:")


def page_of(
    workspace: Workspace,
    result: Report | None,
    *,
    failure: str,
    steps: Sequence[StepReport],
    stays: Sequence[Stay],
    started: float,
    commits: int,
    cost: Cost | None,
) -> Page:
    """Give the page.

    Args:
        workspace: of the rehearsal.
        result: the whole report; None when it failed.
        failure: the error's text, empty otherwise.
        steps: the engine's, as far as they came.
        stays: Flux's links.
        started: `time.time()` of the beginning.
        commits: how many were made.
        cost: a month on AWS; None when nothing ever stood.
    """
    commit = workspace.head()
    delivery = result.delivery if result else None
    if failure:
        verdict = f"Not delivered\n{failure}"
    elif delivery:
        verdict = f"Delivered {commit[:12]}" + ("" if delivery.new else "\nNothing new: Flux had delivered it before.")
    else:
        verdict = f"Committed {commit[:12]}\nThe rehearsal ended at the commit; Flux did not take part."
    spans = [*_engine_spans(steps, started), *_flux_spans(stays, started)]
    return Page(
        environment=workspace.environment,
        verdict=verdict,
        delivered=not failure,
        seconds=result.seconds if result else max((span.ended for span in spans), default=0.0),
        url=delivery.url if delivery else "",
        commit=commit,
        commits=commits,
        spans=spans,
        checks=_checks(steps, result, failure),
        files={path: workspace.text(path) for path in (result.commit.files if result else ())},
        played=[Played(name=name, limits=_limits(module)) for name, module in PLAYERS.items()],
        costs=[
            Priced(
                service=service,
                monthly=sum(line.monthly for line in lines),
                what=", ".join(f"{line.what}: {quantity(line)}" for line in lines),
            )
            for service, lines in (by_service(cost) if cost else ())
        ],
        facts=_facts(result) if result else {},
    )


def _engine_spans(steps: Sequence[StepReport], started: float) -> Iterator[Span]:
    # A preview only asks, so its moments would tell nothing.
    for step in (one for one in steps if one.name != "preview"):
        for one in step.operated:
            token, name = one.urn.split("::")[2].rpartition("$")[2], one.urn.split("::", 3)[3]
            if token.startswith(_GROUPS):
                continue
            yield Span(
                half="engine",
                group=step.name,
                name=f"{one.operation} {token.rpartition(':')[2]} {name}",
                started=max(0.0, one.started - started),
                ended=one.ended - started,
                outcome="failed" if one.failed else "done",
            )


def _flux_spans(stays: Sequence[Stay], started: float) -> Iterator[Span]:
    for stay in stays:
        if stay.outcome in {"done", "failed", "moving"}:
            yield Span(
                half="Flux",
                group=stay.name.partition(" ")[0],
                name=stay.name,
                started=max(0.0, stay.started - started),
                ended=stay.ended - started,
                outcome=stay.outcome,
                detail=stay.says,
            )


def _checks(steps: Sequence[StepReport], result: Report | None, failure: str) -> list[Check]:
    done = {step.name: step for step in steps}
    unchanged = [
        Check(name=f"{name} changes nothing", passed=not done[name].changes, detail=_changes(done[name].changes))
        for name in ("up again", "refresh")
        if name in done
    ]
    links = result.delivery.links if result and result.delivery else ()
    checks = [Check(name=link["name"], passed=link["state"] == "done", detail=link["says"]) for link in links]
    return [*unchanged, *checks, *([Check(name="the rehearsal", passed=False, detail=failure)] if failure else [])]


def _changes(changes: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in changes.items())


def _facts(result: Report) -> dict[str, str]:
    minutes = result.real_time.seconds / 60
    facts = {
        "Time on AWS": f"about {minutes:.0f} minutes for this graph",
        "Resources": str(sum(result.resources.values())),
        "pulumi": result.pulumi,
    }
    if result.delivery:
        facts |= {
            "Chart": result.delivery.chart,
            "Control plane and Flux": f"ready in {result.delivery.cluster_seconds} s, "
            f"{result.delivery.cluster_mebibytes} MiB resident",
        }
    return facts


def _limits(module: object) -> str:
    """Give what a player's docstring says after its first line, which is its name."""
    text = inspect.getdoc(module) or ""
    return " ".join(text.split())
