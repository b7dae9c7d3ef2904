"""A plan as text, Markdown and JSON; all three from the same object."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from slipway.diff.objects import ObjectChange
from slipway.upgrade.plan import Plan

#: Lines of one object that text shows; JSON has all.
LINES = 8
WIDTH = 150

#: What becomes of an object → what that means; the worst first.
FATES = {
    "refused": "Kubernetes would refuse it, and the release would end there",
    "reinstalled": "Flux would uninstall the release first",
    "rolls": "its pods are replaced, one after the other",
    "new": "is made",
    "removed": "is deleted",
    "changed": "is changed in place; no pod restarts for it",
    "labels": "only labels that name the version, or checksums",
}


def fate(change: ObjectChange) -> str:
    """Give what becomes of an object, a key of `FATES`."""
    kinds = {
        "refused": change.fails,
        "reinstalled": change.reinstalls,
        "rolls": change.rolls,
        "new": change.what == "added",
        "removed": change.what == "removed",
        "changed": change.lines,
    }
    return next((name for name, holds in kinds.items() if holds), "labels")


def order(plan: Plan) -> tuple[str, ...]:
    """Give the order of the whole upgrade, the manual parts with it."""
    host, environment, to = plan.facts.host, plan.environment, plan.after
    return (
        "snapshot: the commands above, until the database's is available",
        f'read-only: curl -u admin -X PUT -H "Content-Type: application/json" -d \'{{"read_only": true}}\' '
        f"https://{host}/api/v2.0/configurations (pulls go on, pushes are refused)",
        f"publish: slipway upgrade {environment} --to {to} --apply (stack file, commit, delivery; a transfer through "
        "core that outlasts its drain is cut, and clients try again)",
        f"verify: https://{host}/api/v2.0/health answers 200 whatever it is, so read what it says; pull an image",
        'read-only off: the same call with {"read_only": false}',
        f"commit stacks/Pulumi.{environment}.yaml; the next `pulumi up` takes the version into its facts",
    )


def back(plan: Plan) -> str:
    """Say what way back there is."""
    first, last = plan.schema
    if first == last:
        return "the schema stays, so the older Harbor could run again; see docs/upgrading-harbor.md, Going back"
    return (
        f"only by a restore: Harbor {plan.harbor[0]} does not start on schema {last}. "
        "See docs/upgrading-harbor.md, Going back"
    )


def text(plan: Plan) -> str:
    """Give the plan for the terminal."""
    return "\n".join(_lines(plan))


def _lines(plan: Plan) -> Iterator[str]:
    if plan.is_delivered:
        yield f"{plan.environment}: the branch delivers chart {plan.after} (Harbor {plan.harbor[1]}) already"
        if plan.stack_file != plan.after:
            yield f"the stack file still says {plan.stack_file}: --apply corrects it"
        return
    yield _title(plan)
    for heading, lines in _sections(plan):
        yield ""
        yield heading
        yield from (f"  {line}" for line in lines)


def _title(plan: Plan) -> str:
    between = [one.after for one in plan.steps[:-1]]
    by = f", by way of {', '.join(between)}" if between else ""
    return (
        f"Upgrade of {plan.environment}: chart {plan.before} → {plan.after} "
        f"(Harbor {plan.harbor[0]} → {plan.harbor[1]}){by}"
    )


def _sections(plan: Plan) -> Iterator[tuple[str, Sequence[str]]]:
    if plan.notes:
        yield "Not known", [" ".join(note.split()) for note in plan.notes]
    yield f"What it means for {plan.environment}", tuple(_touched(plan)) or ("nothing that this environment uses",)
    yield "Values of the next commit", tuple(_values(plan)) or ("nothing changes but the version",)
    yield "Objects in the cluster", tuple(_objects(plan.objects))
    yield "Database", tuple(_database(plan))
    yield "Save first", tuple(line for one in plan.commands for line in (f"# {one.what}", one.command))
    yield "Order", tuple(f"{number}. {line}" for number, line in enumerate(order(plan), start=1))
    yield "Back", (back(plan),)


def _touched(plan: Plan) -> Iterator[str]:
    for touch in plan.touches:
        yield f"{touch.key}: {touch.what}"
        if touch.do:
            yield f"    do: {touch.do}"
        yield f"    {touch.source}"


def _values(plan: Plan) -> Iterator[str]:
    for component, group in groupby(plan.values, key=lambda one: one.component):
        yield component
        yield from (f"  {_short(str(change).strip())}" for change in group)


def _objects(objects: Sequence[ObjectChange]) -> Iterator[str]:
    for name, meaning in FATES.items():
        members = [one for one in objects if fate(one) == name]
        if not members:
            continue
        yield f"{name}: {meaning}"
        if name in {"labels", "new", "removed"}:
            yield f"  {', '.join(f'{one.kind}/{one.name}' for one in members)}"
            continue
        for one in members:
            fields = ", ".join((*one.immutable, *one.reinstalls))
            yield f"  {one.kind}/{one.name}{f': {fields}' if fields else ''}"
            yield from (f"      {line}" for line in _telling(one.lines))


def _telling(lines: Sequence[str]) -> Iterator[str]:
    """Give the lines that say most: an image first, and no more than a few."""
    differing = [_short(f"{line[0]} {line[1:].strip()}") for line in lines if line[0] in "+-"]
    differing.sort(key=lambda line: " image: " not in line)  # stable: the rest stays in order
    yield from differing[:LINES]
    if len(differing) > LINES:
        yield f"and {len(differing) - LINES} more (--output json has them)"


def _database(plan: Plan) -> Iterator[str]:
    first, last = plan.schema
    if first == last:
        yield f"schema {first} stays: nothing to migrate"
    else:
        yield f"schema {first} → {last}, forward only, by the first new pod of core, under a lock; the others wait"
    for step in plan.steps:
        if step.schema.before != step.schema.after:
            yield f"chart {step.after}: {step.schema.what}; expect {step.schema.expect}"
    yield f"core's start-up probe waits {plan.migration_seconds // 60} minutes for it"


def _short(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


def markdown(plan: Plan) -> str:
    """Give the plan for a pull request."""
    if plan.is_delivered:
        return "\n\n".join(_lines(plan))
    parts = [f"## {_title(plan)}"]
    for heading, lines in _sections(plan):
        if heading in {"Order", "Not known", "Back"}:
            parts.append(
                "\n".join([f"### {heading}", "", *(f"{'' if heading == 'Order' else '- '}{one}" for one in lines)])
            )
        else:
            parts.append("\n".join([f"### {heading}", "", "```", *lines, "```"]))
    return "\n\n".join(parts)


def json_value(plan: Plan) -> dict[str, Any]:
    """Give the plan as data."""
    return {
        "environment": plan.environment,
        "chart": {"from": plan.before, "to": plan.after, "stackFile": plan.stack_file},
        "harbor": {"from": plan.harbor[0], "to": plan.harbor[1]},
        "commit": plan.commit,
        "delivered": plan.is_delivered,
        "touches": [vars(one) for one in plan.touches],
        "values": [{"component": one.component, "key": one.key, "change": str(one).strip()} for one in plan.values],
        "objects": [{"fate": fate(one), **vars(one)} for one in plan.objects],
        "schema": {
            "from": plan.schema[0],
            "to": plan.schema[1],
            "startupProbeSeconds": plan.migration_seconds,
            "steps": [{"chart": one.after, **vars(one.schema)} for one in plan.steps],
        },
        "commands": [vars(one) for one in plan.commands],
        "order": list(order(plan)) if not plan.is_delivered else [],
        "back": back(plan),
        "notes": list(plan.notes),
    }
