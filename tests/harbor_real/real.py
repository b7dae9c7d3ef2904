"""A Harbor that somebody runs, as tests use it: everything under one throw-away prefix, and all put back afterwards.

HARBOR_TEST_URL=https://harbor.test.example.com HARBOR_TEST_PASSWORD=… pytest tests/harbor_real

HARBOR_TEST_HOST is the address under which that Harbor reaches this machine (for registries and scanners that are
played here); on one machine it is 127.0.0.1.
"""

import json
import os
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pydantic import SecretStr

from slipway.harbor.client import Connection
from tests.harbor_as_code.world import Place
from tests.harbor_real.beside import Beside

URL, PASSWORD = os.environ.get("HARBOR_TEST_URL", ""), os.environ.get("HARBOR_TEST_PASSWORD", "")
HOST = os.environ.get("HARBOR_TEST_HOST", "127.0.0.1")
#: Everything that these tests make is called so.
PREFIX = "slipway-test-"
_NAMES = {"name", "username", "group_name", "registry", "dest_registry", "src_registry", "instance"}


class Api:
    """Its API, without any cleverness but a session: Basic auth costs Harbor a tenth of a second each time."""

    url, password = URL, PASSWORD

    def __init__(self) -> None:
        cookies = urllib.request.HTTPCookieProcessor()
        self._opener = urllib.request.build_opener(cookies)
        self._token = ""
        for _ in range(2):  # the first gives the session, the second the token for writes
            self._send("GET", "/api/v2.0/systeminfo")
        self._send("POST", "/c/login", urlencode({"principal": "admin", "password": PASSWORD}).encode())

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        question = f"?{urlencode(query)}" if query else ""
        sent = None if body is None else json.dumps(body).encode()
        text = self._send(method, f"/api/v2.0{path}{question}", sent, "application/json")
        return json.loads(text) if text else None

    def _send(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> bytes:
        headers = {"X-Harbor-CSRF-Token": self._token} | ({"Content-Type": kind} if kind else {})
        request = urllib.request.Request(f"{URL}{path}", method=method, data=body, headers=headers)
        try:
            with self._opener.open(request, timeout=60) as answer:
                self._token = answer.headers.get("X-Harbor-CSRF-Token") or self._token
                return answer.read()
        except urllib.error.HTTPError as error:
            error.add_note(f"{method} {path}: {error.read().decode(errors='replace')}")
            raise


class RealPlace(Place):
    """A harbor.yaml and a ledger for it; patient, since it is not ours."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Api(), folder)

    def connection(self) -> Connection:
        return Connection(url=URL, name="admin", secret=SecretStr(PASSWORD), allow_http=True)


def renamed(data: Any, there: Beside) -> Any:
    """Give what a file says for a Harbor that checks what it is told: names with the prefix, addresses that answer."""
    if isinstance(data, list):
        return [renamed(each, there) for each in data]
    if isinstance(data, str):
        data = re.sub(r"https://(\w+)\.example\.com", rf"{there.url}/\1", data)
        return {"one.example.com:514": there.listener, "two.example.com:514": there.other_listener}.get(data, data)
    if not isinstance(data, dict):
        return data
    found = {}
    for key, value in data.items():
        new = renamed(value, there)
        if isinstance(value, str) and (key in _NAMES or (key == "namespace" and value not in {"*", "/"})):
            new = PREFIX + value
        if key == "projects" and isinstance(value, dict):
            new = {PREFIX + name: each for name, each in new.items()}
        if key == "type" and value == "docker-hub":
            new = "docker-registry"  # the other would be asked for at its one address
        found[key] = new
    return found


class Before:
    """What was there before the tests, to be put back."""

    _SCHEDULES = ("scanAll", "gc", "purgeaudit")

    def __init__(self, api: Api) -> None:
        self._api = api
        self._settings = api.call("GET", "/configurations")
        self._allowlist = api.call("GET", "/system/CVEAllowlist")
        self._schedules = {name: self._schedule(name) for name in self._SCHEDULES}

    def _schedule(self, name: str) -> Any:
        try:
            return self._api.call("GET", f"/system/{name}/schedule") or {}
        except urllib.error.HTTPError:  # of scan-all: there is no scanner
            return None

    def put_back(self) -> None:
        """Put it back, and take away whatever has the prefix."""
        now = self._api.call("GET", "/configurations")
        moved = {
            name: each["value"]
            for name, each in self._settings.items()
            if each.get("editable")
            and now[name]["value"] != each["value"]
            and (each["value"] or name not in {"ldap_url", "ldap_base_dn"})  # never emptied again
        }
        if moved:
            self._api.call("PUT", "/configurations", moved)
        for name, before in self._schedules.items():
            self._reschedule(name, before)
        self._api.call("PUT", "/system/CVEAllowlist", self._allowlist)
        self._sweep()

    def _reschedule(self, name: str, before: Any) -> None:
        now = self._schedule(name)
        if now == before or now is None:  # None: there is no scanner, so there is nothing to put back
            return
        schedule = (before or {}).get("schedule") or {"type": "None", "cron": ""}
        parameters = json.loads((before or {}).get("job_parameters") or "{}")
        if name == "purgeaudit":
            parameters = {"audit_retention_hour": 24, "include_event_types": "other"} | parameters
        self._api.call("PUT", f"/system/{name}/schedule", {"schedule": schedule, "parameters": parameters})

    def _sweep(self) -> None:
        lists = (
            ("/replication/policies", "name", "id"),
            ("/robots", "name", "id"),
            ("/projects", "name", "project_id"),
            ("/p2p/preheat/instances", "name", "name"),
            ("/registries", "name", "id"),
            ("/labels?scope=g", "name", "id"),
            ("/users", "username", "user_id"),
            ("/usergroups", "group_name", "id"),
            ("/scanners", "name", "uuid"),
        )
        for path, name, key in lists:
            rows = self._api.call("GET", f"{path}{'&' if '?' in path else '?'}page_size=0")
            for each in rows or ():
                if each[name].startswith(PREFIX) or f"${PREFIX}" in each[name]:
                    self._api.call("DELETE", f"{path.partition('?')[0]}/{each[key]}")
