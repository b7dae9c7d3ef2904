"""`slipway check`: the rules, over an environment that need not exist yet."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.errors import Problem, SettingsError
from slipway.cli import console
from slipway.cli.console import Output

if TYPE_CHECKING:
    from policy.judge import Verdict
    from slipway.check import Checked
    from slipway.graph.against_state import Loss

#: In this order, the worst first.
_SHOWN = ("violated", "not decided", "waived")


def check(
    environment: Annotated[str, typer.Argument(metavar="[ENV]", help="Environment: stacks/Pulumi.ENV.yaml.")] = "",
    state: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Output of `pulumi stack export`, or -: tell what `up` would replace."),
    ] = None,
    rules: Annotated[bool, typer.Option("--rules", help="List every rule instead.")] = False,
    output: Annotated[Output, typer.Option(help="How to report.")] = Output.text,
) -> None:
    """Judge an environment by every rule: what `pulumi up` would register, without a cloud and without an account.

    A violation is waived in stacks/ENV/waivers.yaml, a list of rule, resource, reason and until when. With the state of
    an environment that exists, it also tells what the next `up` would replace or delete, and whose data that takes.

    \b
    Examples:
      slipway check ha
      slipway check prod --output json
      pulumi stack export --stack prod | slipway check prod --state -
      slipway check --rules

    Exit codes: 0 no mandatory rule is violated, 1 one is or data would go, 2 settings, waivers or the state.
    """
    if rules:
        from policy.rules import RULES

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
    from slipway.check import check as judged
    from slipway.project import find_root

    found = judged(find_root(Path.cwd()), environment, state=state)
    if output is Output.json:
        console.result_json(_json(found))
    else:
        console.result(_text(environment, found))
    for notice in found.notices:
        console.note(notice)
    if not found.passes:
        raise typer.Exit(1)


def _json(found: "Checked") -> dict[str, object]:
    lost = {} if found.losses is None else {"losses": [_plain_loss(one) for one in found.losses]}
    return {"verdicts": [_plain(one) for one in found.verdicts], "notices": list(found.notices), **lost}


def _plain_loss(loss: "Loss") -> dict[str, object]:
    return {
        "resource": f"{loss.type}::{loss.name}",
        "what": loss.what,
        "because": {key: {"state": before, "program": after} for key, (before, after) in loss.because.items()},
        "data": loss.data,
        "protected": loss.protected,
    }


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


def _text(environment: str, found: "Checked") -> str:
    verdicts = found.verdicts
    lines = [line for loss in found.losses or () for line in _loss(loss)]
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
    lines.append(f"{environment}: {judged} rules gave {len(verdicts)} verdicts: {told}")
    if found.losses is not None:
        replaced = sum(loss.what == "replace" for loss in found.losses)
        lines.append(f"up would replace {replaced} resources and delete {len(found.losses) - replaced}")
    return "\n".join(lines)


def _loss(loss: "Loss") -> list[str]:
    lines = [f"would be {loss.what}d: {loss.type}::{loss.name}"]
    lines += [f"  {key}: {before!r} → {after!r}" for key, (before, after) in loss.because.items()]
    if loss.data:
        lines.append(f"  takes with it: {loss.data}")
    if loss.protected:
        lines.append("  Pulumi protects it and refuses; docs/recovery.md says how to restore beside it instead")
    return lines
