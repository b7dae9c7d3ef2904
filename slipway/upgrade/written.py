"""A plan as text, Markdown and JSON; all three from the same object."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from slipway.upgrade.objects import ObjectChange
from slipway.upgrade.plan import Plan

#: Keys of one object that text shows; JSON has all.
KEYS = 6
WIDTH = 150

MEANINGS = {
    "refused": "Kubernetes would refuse; nothing is applied before this is mended",
    "rolls": "pods are replaced, one after the other",
    "new": "is made",
    "removed": "is deleted",
    "changed": "is changed in place; no pod restarts for it",
    "labels": "only labels that name the version",
}


def order(plan: Plan) -> tuple[str, ...]:
    """Give the order of the whole upgrade, the manual parts with it."""
    host, environment, to = plan.facts.host, plan.environment, plan.after
    return (
        "snapshot: the commands above, until the database's is available",
        f'read-only: curl -u admin -X PUT -H "Content-Type: application/json" -d \'{{"read_only": true}}\' '
        f"https://{host}/api/v2.0/configurations (pulls go on, pushes are refused)",
        f"publish: slipway upgrade {environment} --to {to} --apply (stack file, commit, delivery; a transfer that runs "
        "while core's pods are replaced is cut, and the client tries again)",
        f"verify: read the status that https://{host}/api/v2.0/health names (it answers 200 whatever it is); pull an image",
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
    yield f"What it means for {plan.environment}", tuple(_touched(plan))
    yield "Values of the next commit", tuple(_values(plan)) or ("nothing changes but the version",)
    if plan.objects is not None:
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
    for fate, group in groupby(objects, key=lambda one: one.fate):
        members = list(group)
        yield f"{fate}: {MEANINGS[fate]}"
        if fate in {"labels", "new", "removed"}:
            yield f"  {', '.join(one.name for one in members)}"
            continue
        for one in members:
            yield f"  {one.name}{f': {one.refused}' if one.refused else ''}"
            yield from (f"      {_short(key)}" for key in _telling(one.keys))


def _telling(keys: Sequence[str]) -> Iterator[str]:
    """Give the keys that say most: not the labels that name the version, and no more than a few."""
    dull = ("labels.app.kubernetes.io/version", "labels.helm.sh/chart", "checksum/")
    telling = [key for key in keys if not any(part in key for part in dull)]
    telling.sort(key=lambda key: ".image:" not in key)  # what runs comes first
    if any("checksum/" in key for key in keys):
        telling.append("its configuration (checksums)")
    yield from telling[:KEYS]
    if len(telling) > KEYS:
        yield f"and {len(telling) - KEYS} more (--output json has them)"


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
        "objects": None if plan.objects is None else [vars(one) for one in plan.objects],
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
