"""What tests tell the server, over HTTP beside the API: reset, switches, faults, the clock, latency, seeds.

PUT /_test/switches {"version": "v2.13.0-abc"}
"""

import datetime as dt
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from tests.harbor.server.answers import Answer
from tests.harbor.server.latency import REAL
from tests.harbor.server.operations.robots import _expiry

if TYPE_CHECKING:
    from tests.harbor.server.app import App


async def answer(app: "App", path: str, request: web.BaseRequest) -> Answer:
    body = await request.content.read()
    sent = json.loads(body) if body else {}
    handler = _HANDLERS.get((request.method, path))
    if handler is None:
        return Answer(status=404, body={"known": sorted(f"{method} {name}" for method, name in _HANDLERS)})
    return Answer(body=handler(app, sent))


def _reset(app: "App", _: dict) -> None:
    app.harbor.clear()
    app.sessions.end_all()
    if root := app.harbor.storage:
        shutil.rmtree(Path(root) / "docker", ignore_errors=True)


def _switches(app: "App", sent: dict) -> dict:
    app.harbor.switches.set(sent)
    return asdict(app.harbor.switches)


def _settings(app: "App", sent: dict) -> None:
    app.harbor.set_settings(sent)


def _add_fault(app: "App", sent: dict) -> None:
    app.harbor.faults.add(sent)


def _faults(app: "App", _: dict) -> list:
    return [asdict(fault) for fault in app.harbor.faults.armed]


def _clear_faults(app: "App", _: dict) -> None:
    app.harbor.faults.clear()


def _latency(app: "App", sent: dict) -> None:
    app.harbor.queue.costs = REAL if sent["preset"] == "real" else {}
    app.harbor.switches.lock_seconds = 1.6 if sent["preset"] == "real" else 0.0


def _clock(app: "App", sent: dict) -> None:
    app.harbor.ahead += dt.timedelta(days=sent.get("days", 0), seconds=sent.get("seconds", 0))


def _no_scanner(app: "App", _: dict) -> None:
    """Be a Harbor that was installed without Trivy."""
    for each in app.harbor.state.all("scanner"):
        app.harbor.state.delete("scanner", each["id"])


def _end_sessions(app: "App", _: dict) -> None:
    app.sessions.end_all()


def _counts(app: "App", _: dict) -> dict:
    return {"operations": dict(app.harbor.counts), "stray_sessions": len(app.sessions.strays)}


def _clear_counts(app: "App", _: dict) -> None:
    app.harbor.counts.clear()


def _exchanges(app: "App", _: dict) -> list:
    found = list(app.harbor.exchanges)
    app.harbor.exchanges.clear()
    return found


def _seed(app: "App", sent: dict) -> dict:
    """Make many projects with all their parts, straight into the state."""
    harbor = app.harbor
    with harbor.state.together():
        users = [
            harbor.add_user(f"user-{number}", "Password1", realname="A user", email=f"user-{number}@example.com")
            for number in range(sent.get("users", 0))
        ]
        names = [f"{sent.get('prefix', 'team')}-{number:05}" for number in range(sent["projects"])]
        made = [_seed_project(app, name, sent, users) for name in names]
    return {"first": made[0], "last": made[-1]} if made else {}


def _seed_project(app: "App", name: str, sent: dict, users: list[int]) -> int:
    harbor, state, stamp = app.harbor, app.harbor.state, app.harbor.stamp()
    number = harbor.add_project(name, owner=1, metadata={"public": "false", "auto_scan": "true"})
    harbor.add_quota(number, 10 << 30)
    for user in users[: sent.get("members", 0)]:
        doc = {"project_id": number, "entity_name": f"user-{user}", "entity_id": user, "entity_type": "u", "role_id": 2}
        state.add("member", doc, key=f"u/{user}", project=number)
    for robot in range(sent.get("robots", 0)):
        full = f"{name}+robot-{robot}"
        access = [{"resource": "repository", "action": "pull"}]
        doc = {"name": full, "description": "", "level": "project", "duration": 90, "editable": True, "disable": False}
        doc |= {
            "expires_at": _expiry(stamp, 90),
            "permissions": [{"kind": "project", "namespace": name, "access": access}],
        }
        doc |= {"creator_type": "local", "creator_ref": 1, "creation_time": stamp, "update_time": stamp}
        state.add("robot", doc | {"salt": "", "hash": "", "project_id": number}, key=full, project=number)
    if sent.get("retention"):
        _seed_retention(app, number)
    if sent.get("immutable"):
        doc = _rule() | {"disabled": False, "action": "immutable", "template": "immutable_template", "params": {}}
        state.add("immutable", doc, key="seed", project=number)
    if sent.get("webhook"):
        target = {"type": "http", "address": "http://127.0.0.1:9/hook", "payload_format": "Default"}
        doc = {
            "name": "push",
            "description": "",
            "enabled": True,
            "event_types": ["PUSH_ARTIFACT"],
            "targets": [target],
        }
        doc |= {"project_id": number, "creator": "admin", "creation_time": stamp, "update_time": stamp}
        state.add("webhook", doc, key="push", project=number)
    return number


def _rule() -> dict:
    selector = {"kind": "doublestar", "decoration": "matches", "pattern": "**"}
    rule = {"priority": 0, "action": "retain", "template": "latestPushedK", "params": {"latestPushedK": 10}}
    rule |= {"tag_selectors": [selector], "scope_selectors": {"repository": [selector | {"decoration": "repoMatches"}]}}
    return rule


def _seed_retention(app: "App", number: int) -> None:
    harbor, state = app.harbor, app.harbor.state
    policy = {"algorithm": "or", "rules": [{"id": 0, **_rule()}], "scope": {"level": "project", "ref": number}}
    policy["trigger"] = {"kind": "Schedule", "settings": {"cron": "0 0 0 * * *"}}
    project = harbor.project_by_id(number)
    project["metadata"]["retention_id"] = str(state.add("retention", policy, project=number))
    harbor.save_project(project)


_HANDLERS = {
    ("POST", "reset"): _reset,
    ("PUT", "switches"): _switches,
    ("PUT", "settings"): _settings,
    ("POST", "faults"): _add_fault,
    ("GET", "faults"): _faults,
    ("DELETE", "faults"): _clear_faults,
    ("PUT", "latency"): _latency,
    ("POST", "clock"): _clock,
    ("DELETE", "scanners"): _no_scanner,
    ("DELETE", "sessions"): _end_sessions,
    ("GET", "counts"): _counts,
    ("DELETE", "counts"): _clear_counts,
    ("GET", "exchanges"): _exchanges,
    ("POST", "seed"): _seed,
}
