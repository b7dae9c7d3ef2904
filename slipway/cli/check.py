"""`slipway check`: the rules, over an environment that need not exist yet."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.errors import Problem, SettingsError
from slipway.cli import console
from slipway.cli.console import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.judge import Verdict

#: In this order, the worst first.
_SHOWN = ("violated", "not decided", "waived")


def check(
    environment: Annotated[str, typer.Argument(metavar="[ENV]", help="Environment: stacks/Pulumi.ENV.yaml.")] = "",
    rules: Annotated[bool, typer.Option("--rules", help="List every rule instead.")] = False,
    output: Annotated[Output, typer.Option(help="How to report.")] = Output.text,
) -> None:
    """Judge an environment by every rule: what `pulumi up` would register, without a cloud and without an account.

    A violation is waived in stacks/ENV/waivers.yaml, a list of rule, resource, reason and until when.

    \b
    Examples:
      slipway check ha
      slipway check prod --output json
      slipway check --rules

    Exit codes: 0 no mandatory rule is violated, 1 one is, 2 settings or waivers.
    """
    from policy.rules import RULES

    if rules:
        listed = [
            {"id": r.id, "severity": r.severity, "profiles": sorted(r.profiles), "reason": r.reason, "maps": r.maps}
            for r in RULES
        ]
        if output is Output.json:
            console.result_json(listed)
        else:
            console.result("\n".join(f"{r.id:28}{r.severity:11}{r.reason}" for r in RULES))
        return
    if not environment:
        raise SettingsError(
            Problem(where="slipway check", what="names no environment", fix="slipway check ENV, or --rules")
        )
    verdicts = _verdicts(environment)
    violated = [one for one in verdicts if one.state == "violated" and one.rule.severity == "mandatory"]
    if output is Output.json:
        console.result_json([_plain(one) for one in verdicts])
    else:
        console.result(_text(environment, verdicts))
    if violated:
        raise typer.Exit(1)


def _verdicts(environment: str) -> "list[Verdict]":
    from datetime import UTC, datetime

    from policy.judge import judge
    from policy.rule import Context
    from policy.rules import RULES
    from policy.waivers import waivers_of
    from slipway.graph.environment import record_environment
    from slipway.project import find_root

    root = find_root(Path.cwd())
    waivers = waivers_of(root, environment, [rule.id for rule in RULES])
    recorded = record_environment(root, environment)
    today = datetime.now(UTC).date()
    return judge(Context(graph=recorded.graph, profile=recorded.settings.profile, today=today), RULES, waivers)


def _plain(verdict: "Verdict") -> dict[str, object]:
    rule, waiver = verdict.rule, verdict.waiver
    return {
        "rule": rule.id,
        "severity": rule.severity,
        "resource": verdict.subject,
        "state": verdict.state,
        "reason": rule.reason,
        "fix": rule.fix,
        "maps": rule.maps,
        "waiver": {"reason": waiver.reason, "until": waiver.until.isoformat()} if waiver else None,
    }


def _text(environment: str, verdicts: "Sequence[Verdict]") -> str:
    lines = []
    for state in _SHOWN:
        for one in verdicts:
            if one.state == state:
                lines += [
                    f"{state}: {one.rule.id} ({one.rule.severity})  {one.subject}",
                    f"  why: {one.rule.reason} [{', '.join(one.rule.maps)}]",
                    f"  fix: {one.rule.fix}",
                ]
                if one.waiver:
                    lines.append(f"  waived until {one.waiver.until}: {one.waiver.reason}")
    counts = {state: sum(one.state == state for one in verdicts) for state in ("passed", *_SHOWN)}
    judged = len({one.rule.id for one in verdicts})
    told = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return "\n".join([*lines, f"{environment}: {judged} rules judged {len(verdicts)} resources: {told}"])
