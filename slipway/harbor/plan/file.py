"""A plan as data: for people's machines (JSON), and as a file that `apply` executes or refuses.

file.writelines(to_text(as_file(…)))
check_file(json.loads(path.read_text()), …)    # PlanStale with all that moved
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from infra.errors import PlanStale, Problem
from slipway.harbor.kinds.base import World
from slipway.harbor.ledger import Ledger
from slipway.harbor.plan.action import Action, Consent, Plan
from slipway.harbor.plan.want import Wanted

FORMAT = 1
_JSON = json.JSONEncoder(default=str).encode


def as_data(plan: Plan) -> dict[str, Any]:
    """Give a plan as plain data, without a secret in it."""
    return {
        "differs": plan.differs,
        "actions": [_action(each) for each in plan.actions],
        "problems": [{"where": each.where, "what": each.what, "fix": each.fix} for each in plan.problems],
        "warnings": [{"where": each.where, "what": each.what} for each in plan.warnings],
        "notOurs": {kind: sorted(keys) for kind, keys in sorted(plan.foreign.items())},
        "same": plan.same,
        "notRead": list(plan.unread),
        "counts": dict(sorted(plan.counts.items())),
    }


def _action(action: Action) -> dict[str, Any]:
    changes = [
        {"field": each.field, "before": each.before, "after": each.after} | ({"secret": True} if each.secret else {})
        for each in action.changes
    ]
    data: dict[str, Any] = {"verb": action.verb, "kind": action.ref.kind, "key": action.ref.key, "changes": changes}
    data |= {"unknown": list(action.unknown)} if action.unknown else {}
    data |= {"why": action.why} if action.why else {}
    return data


def as_file(plan: Plan, *, wanted: Wanted, world: World, ledger: Ledger, url: str, consent: Consent) -> dict[str, Any]:
    """Give what goes into a plan file: what was read, what it was compared with, what came of it."""
    return {
        "format": FORMAT,
        "made": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "url": url,
        "instance": ledger.instance,
        "declared": _digest_of(wanted),
        "consent": {"adopt": consent.adopt, "deleteContent": sorted(consent.delete_content)},
        "read": {str(each.ref): each.digest() for each in world},
        "plan": as_data(plan),
    }


def to_text(data: Mapping[str, Any]) -> Iterator[str]:
    """Give a plan file's text: a line for each action and for each object that was read."""
    head = {name: value for name, value in data.items() if name not in {"read", "plan"}}
    yield json.dumps(head, indent=1).removesuffix("\n}") + ',\n "read": {'
    yield ",".join(f"\n  {_JSON(name)}: {_JSON(digest)}" for name, digest in data["read"].items())
    rest = {name: value for name, value in data["plan"].items() if name != "actions"}
    yield f'\n }},\n "plan": {_JSON(rest).removesuffix("}")}, "actions": ['
    comma = ""
    for each in data["plan"]["actions"]:
        yield f"{comma}\n  {_JSON(each)}"
        comma = ","
    yield "\n ]}\n}\n"


def consent_of(data: Mapping[str, Any], where: str) -> Consent:
    """Give the consent that a plan file was made with.

    Raises:
        PlanStale: it is no plan file, or one of another Slipway.
    """
    given = data.get("consent") if isinstance(data, dict) and data.get("format") == FORMAT else None
    if not isinstance(given, dict):
        fix = "make one with: slipway harbor plan ENV --out FILE"
        raise PlanStale(Problem(where=where, what="is no plan file of this Slipway", fix=fix))
    return Consent(adopt=given["adopt"], delete_content=tuple(given["deleteContent"]))


def check_file(  # both sides of a comparison
    data: Mapping[str, Any], plan: Plan, *, wanted: Wanted, world: World, ledger: Ledger, url: str, where: str
) -> None:
    """Refuse a plan file that is not of here and now.

    Raises:
        PlanStale: with all that is another than when it was made.
    """
    found = []
    for name, then, now in (("Harbor", data["url"], url), ("instance", data["instance"], ledger.instance)):
        if then != now:
            found.append(f"it is for {name} {then}, and this is {now}")
    if data["declared"] != _digest_of(wanted):
        found.append("harbor.yaml says something else than when the plan was made")
    current = [json.loads(_JSON(_action(each))) for each in plan.actions]
    found += _moved(data["plan"]["actions"], current)
    digests = {str(each.ref): each.digest() for each in world}
    concerned = {f"{each['kind']} {each['key']}" for each in current}
    found += [
        f"{name} changed in Harbor since" for name in sorted(concerned) if data["read"].get(name) != digests.get(name)
    ]
    if found:
        *others, last = found
        told = Problem(where=where, what=last, fix="make a new plan and look at it")
        raise PlanStale(*(Problem(where=where, what=what) for what in others), told)


def _moved(then: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[str]:
    before = {(each["kind"], each["key"]): each for each in then}
    after = {(each["kind"], each["key"]): each for each in now}
    found = []
    for key in sorted(before.keys() | after.keys()):
        name = " ".join(key)
        if key not in after:
            found.append(f"{name} needs no {before[key]['verb']} any more")
        elif key not in before:
            found.append(f"{name} needs {after[key]['verb']} by now, and the plan does not say so")
        elif before[key] != after[key]:
            found.append(f"{name}: what is to be changed is something else by now")
    return found


def _digest_of(wanted: Wanted) -> str:
    said = sorted(
        (str(each.ref), each.digest(), sorted((name, str(ref)) for name, ref in each.secrets.items()))
        for each in wanted
    )
    text = json.dumps([said, wanted.spec.policy.model_dump(mode="json")], default=str)
    return hashlib.sha256(text.encode()).hexdigest()
