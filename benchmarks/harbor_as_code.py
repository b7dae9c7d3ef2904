"""`slipway harbor` beside the same work done object by object: seconds, requests, processor time, memory, in one run.

python benchmarks/harbor_as_code.py --projects 100,1000 --runs 3
python benchmarks/harbor_as_code.py --projects 1000 --url http://127.0.0.1:18080    # a Harbor that may be filled

Each project has two members, two robots, retention, an immutable rule, a webhook and a quota. The ways:

- slipway: the command as a process of its own, imports and all; first apply, then a plan with nothing to change.
- ten: a request for each object, ten at a time, a client for each kind, as a Terraform run sends them (its provider
  reads each object by its id, and again after it made it). With a session, which the provider can be given.
- one: the same, one after the other.
- basic: as ten, but with the administrator's name and password in each request, the provider's usual way.

Without --url the contract server stands for Harbor, with a real one's times (tests/harbor/server/latency.py): as many
requests a second as two cores gave. It is a process of its own on the same cores; its processor time is told, so that
one can see whether it was the limit. Ways that would take long are measured with fewer projects (--basic, --one).
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import aiohttp

from tests.harbor.process import ROOT, HarborServer, basic

USERS = ("bench-1", "bench-2")
ROBOTS = ("ci", "deploy")
ROBOT_RIGHTS = ("push", "pull")
_SLIPWAY = "import sys; sys.argv[0] = 'slipway'; from slipway.cli import main; main()"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", default="1000", help="how many, several with commas")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--ways", default="slipway,ten,one,basic")
    parser.add_argument("--one", type=int, default=1000, help="at most so many projects one after the other")
    parser.add_argument("--basic", type=int, default=100, help="at most so many projects with Basic auth")
    parser.add_argument("--latency", default="real", help="of the contract server: real or none")
    parser.add_argument("--url", help="a Harbor to fill; its projects team-… are deleted before each run")
    parser.add_argument("--password", default=os.environ.get("HARBOR_TEST_PASSWORD", "Harbor12345"))
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(asyncio.run(_child(json.loads(arguments.child)))))
        return
    for number in map(int, arguments.projects.split(",")):
        for way in arguments.ways.split(","):
            most = {"one": arguments.one, "basic": arguments.basic}.get(way, number)
            _measure(way, min(number, most), arguments)


# --- one way


def _measure(way: str, number: int, arguments: argparse.Namespace) -> None:
    """Run a way several times, each on an empty Harbor, and print what it took."""
    applies, plans = [], []
    for _ in range(arguments.runs):
        with tempfile.TemporaryDirectory() as folder, _harbor(Path(folder), arguments) as place:
            run = _slipway if way == "slipway" else _object_by_object
            apply, plan = run(way, number, place)
            applies.append(apply)
            plans += plan
    print(f"\n{way}, {number:,} projects")
    _show("first apply", applies, number)
    _show("plan, nothing to change", plans, number)


@dataclass(frozen=True)
class Place:
    """A Harbor, and a folder for what is declared."""

    url: str
    password: str
    folder: Path
    server: HarborServer | None

    def used(self) -> float:
        """Processor time of the contract server; 0 of another."""
        if self.server is None:
            return 0.0
        fields = Path(f"/proc/{self.server.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def _harbor(folder: Path, arguments: argparse.Namespace) -> Iterator[Place]:
    """Give an empty Harbor in which the members' users are."""
    if arguments.url:
        place = Place(url=arguments.url, password=arguments.password, folder=folder, server=None)
        _child_run({"do": "clear", "url": place.url, "password": place.password})
        yield place
        return
    inside = folder / "server"
    inside.mkdir()
    with HarborServer(inside).running() as server:
        server.latency(arguments.latency)
        place = Place(url=server.url, password=server.password, folder=folder, server=server)
        _child_run({"do": "clear", "url": place.url, "password": place.password})
        yield place


@dataclass(frozen=True)
class Took:
    """What a process took, and the contract server meanwhile."""

    seconds: float
    requests: int
    cpu: float
    memory: float
    server: float


def _timed(command: list[str], place: Place, codes: tuple[int, ...] = (0,)) -> tuple[Took, dict]:
    """Run a process to its end; the last line of what it prints is JSON with `requests`."""
    before, started = place.used(), time.perf_counter()
    environ = os.environ | {"PYTHONPATH": str(ROOT), "SLIPWAY_HARBOR_PASSWORD": place.password}
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, env=environ, stdout=out, cwd=place.folder)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode()
    assert process.returncode in codes, f"{command} ended with {process.returncode}: {text[-2000:]}"
    said = json.loads(text)
    cpu, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    took = Took(seconds=seconds, requests=said["requests"], cpu=cpu, memory=memory, server=place.used() - before)
    return took, said


def _show(what: str, runs: list[Took], projects: int) -> None:
    def three(values: list[float], form: str) -> str:
        return " / ".join(format(each, form) for each in (min(values), statistics.median(values), max(values)))

    requests = {each.requests for each in runs}
    told = "–".join(f"{each:,}" for each in sorted({min(requests), max(requests)}))
    print(
        f"  {what:24} {three([each.seconds for each in runs], '.2f')} s   {told} requests"
        f" ({max(requests) / projects:.1f} a project)   cpu {three([each.cpu for each in runs], '.1f')} s"
        f"   memory {max(each.memory for each in runs):.0f} MB   cpu of server"
        f" {max(each.server for each in runs):.1f} s",
        flush=True,
    )


# --- slipway


def _slipway(_: str, number: int, place: Place) -> tuple[Took, list[Took]]:
    file = place.folder / "harbor.yaml"
    file.write_text(declared(number))
    (place.folder / "robots").mkdir()
    command = [sys.executable, "-c", _SLIPWAY, "harbor"]
    rest = ["bench", "-f", str(file), "--url", place.url, "--output", "json"]
    apply, said = _timed([*command, "apply", *rest, "--yes"], place)
    assert all(each["state"] == "done" for each in said["outcomes"]), "not all was done"
    plans = [_timed([*command, "plan", *rest], place) for _ in range(2)]
    assert not any(said["actions"] for _, said in plans), "the plan is not empty"
    return apply, [took for took, _ in plans]


def declared(number: int) -> str:
    """Give a harbor.yaml of many projects."""
    robots = [
        {"name": name, "preset": preset, "duration": 90, "secret": {"file": "robots/{project}-{robot}.json"}}
        for name, preset in zip(ROBOTS, ROBOT_RIGHTS, strict=True)
    ]
    defaults = {
        "metadata": {"public": False, "auto_scan": True},
        "storage_quota": "50Gi",
        "members": {"users": [{"username": name, "role": "developer"} for name in USERS]},
        "retention_policy": {"schedule": "Daily", "rules": [{"most_recently_pushed": 10}]},
        "immutable_tag_rules": [{"tag_matching": "v*"}],
        "webhooks": [
            {
                "name": "push",
                "event_types": ["PUSH_ARTIFACT"],
                "targets": [{"type": "http", "address": "http://127.0.0.1:9/hook"}],
            }
        ],
        "robots": robots,
    }
    lines = (f"  {name}: {{metadata: {{severity: high}}}}\n" for name in names(number))
    return f"project_defaults: {json.dumps(defaults)}\nprojects:\n{''.join(lines)}"


def names(number: int) -> list[str]:
    return [f"team-{each:05}" for each in range(number)]


# --- object by object, in a process of its own


def _object_by_object(way: str, number: int, place: Place) -> tuple[Took, list[Took]]:
    base = {"way": way, "number": number, "url": place.url, "password": place.password}
    base |= {"ids": str(place.folder / "ids.json")}
    apply, _ = _timed(_child_command(base | {"do": "apply"}), place)
    return apply, [_timed(_child_command(base | {"do": "plan"}), place)[0]]


def _child_command(what: dict) -> list[str]:
    return [sys.executable, __file__, "--child", json.dumps(what)]


def _child_run(what: dict) -> None:
    subprocess.run(_child_command(what), check=True, stdout=subprocess.DEVNULL)


async def _child(what: dict) -> dict:
    if what["do"] == "clear":
        return await _clear(what)
    async with Clients(what, in_flight=1 if what["way"] == "one" else 10) as clients:
        if what["do"] == "apply":
            Path(what["ids"]).write_text(json.dumps(await _make(clients, what["number"])))
        else:
            await _refresh(clients, json.loads(Path(what["ids"]).read_text()))
        return {"requests": clients.sent}


async def _clear(what: dict) -> dict:
    """Delete the projects of earlier runs, and make the users."""
    async with Clients(what, in_flight=10) as clients:
        while found := await clients.send("project", "GET", "/projects?q=name=~team-&page_size=100"):
            await clients.all([("project", "DELETE", f"/projects/{each['project_id']}", None) for each in found])
        for name in USERS:
            user = {"username": name, "password": "Password1", "realname": name, "email": f"{name}@example.com"}
            await clients.send("user", "POST", "/users", user, good=(201, 409))
        return {"requests": clients.sent}


class Clients:
    """A client for each kind of object, and so many requests at a time in all."""

    def __init__(self, what: dict, *, in_flight: int) -> None:
        self.url, self.password, self.basic = what["url"], what["password"], what.get("way") == "basic"
        self.places, self.sent = asyncio.Semaphore(in_flight), 0
        self.http, self.carried = {}, {}

    async def __aenter__(self) -> "Clients":
        if not self.basic:
            await self._log_in()
        return self

    async def __aexit__(self, *_) -> None:
        for each in self.http.values():
            await each.close()

    def _client(self, kind: str) -> aiohttp.ClientSession:
        if kind not in self.http:
            headers = {"Authorization": basic("admin", self.password)} if self.basic else None
            self.http[kind] = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), headers=headers)
        return self.http[kind]

    async def _log_in(self) -> None:
        http, info = self._client("login"), f"{self.url}/api/v2.0/systeminfo"
        async with http.get(info) as first:
            sid = first.cookies["sid"].value
        async with http.get(info, headers={"Cookie": f"sid={sid}"}) as second:
            csrf, token = second.cookies["_gorilla_csrf"].value, second.headers["X-Harbor-CSRF-Token"]
        headers = {"Cookie": f"sid={sid}; _gorilla_csrf={csrf}", "X-Harbor-CSRF-Token": token}
        form = {"principal": "admin", "password": self.password}
        async with http.post(f"{self.url}/c/login", data=form, headers=headers) as done:
            assert done.status == 200, await done.text()
            sid = done.cookies["sid"].value
        self.carried = {"Cookie": f"sid={sid}; _gorilla_csrf={csrf}", "X-Harbor-CSRF-Token": token}
        self.sent += 3

    async def send(self, kind: str, method: str, path: str, body=None, *, good=(200, 201)):
        """Send one and give its JSON; of what was made, where it is."""
        async with self.places:
            self.sent += 1
            async with self._client(kind).request(
                method, f"{self.url}/api/v2.0{path}", json=body, headers=self.carried
            ) as response:
                content = await response.read()
                assert response.status in good, f"{method} {path}: {response.status} {content[:300]}"
                if response.status == 201 and kind != "robot":
                    return urllib.parse.urlsplit(response.headers["Location"]).path.removeprefix("/api/v2.0")
                return json.loads(content) if content else None

    async def all(self, jobs: list) -> None:
        await asyncio.gather(*(self.send(*job) for job in jobs))


async def _make(clients: Clients, number: int) -> list[tuple[str, str]]:
    """Make every object and read it, projects first; gives kind and path of each."""
    found: list[tuple[str, str]] = []

    async def made(kind: str, path: str, body: dict) -> str:
        where = await clients.send(kind, "POST", path, body)
        if kind == "robot":
            secret, where = {"secret": "Secret0123456789"}, f"/robots/{where['id']}"
            await clients.send(kind, "PATCH", where, secret)
        # A rule has no address of its own to read it by.
        where = where.rpartition("/")[0] if kind == "immutable" else where
        await clients.send(kind, "GET", where)
        found.append((kind, where))
        return where

    async def project(name: str) -> tuple[str, int]:
        body = {"project_name": name, "metadata": {"public": "false", "auto_scan": "true"}, "storage_limit": 50 << 30}
        return name, int((await made("project", "/projects", body)).rpartition("/")[2])

    numbers = await asyncio.gather(*(project(name) for name in names(number)))
    await asyncio.gather(*(made(*part) for name, each in numbers for part in _parts(name, each)))
    return found


def _parts(name: str, number: int) -> Iterator[tuple[str, str, dict]]:
    for user in USERS:
        yield "member", f"/projects/{number}/members", {"role_id": 2, "member_user": {"username": user}}
    for robot in ROBOTS:
        access = [{"resource": "repository", "action": each} for each in ROBOT_RIGHTS]
        permissions = [{"kind": "project", "namespace": name, "access": access}]
        yield "robot", "/robots", {"name": robot, "level": "project", "duration": 90, "permissions": permissions}
    selector = {"kind": "doublestar", "decoration": "matches", "pattern": "**"}
    rule = {"tag_selectors": [selector]}
    rule |= {"scope_selectors": {"repository": [selector | {"decoration": "repoMatches"}]}}
    keep = rule | {"action": "retain", "template": "latestPushedK", "params": {"latestPushedK": 10}}
    policy = {"algorithm": "or", "scope": {"level": "project", "ref": number}, "rules": [keep]}
    yield "retention", "/retentions", policy | {"trigger": {"kind": "Schedule", "settings": {"cron": "0 0 0 * * *"}}}
    fixed = rule | {"action": "immutable", "template": "immutable_template"}
    yield "immutable", f"/projects/{number}/immutabletagrules", fixed
    target = {"type": "http", "address": "http://127.0.0.1:9/hook"}
    hook = {"name": "push", "enabled": True, "event_types": ["PUSH_ARTIFACT"], "targets": [target]}
    yield "webhook", f"/projects/{number}/webhook/policies", hook


async def _refresh(clients: Clients, found: list[tuple[str, str]]) -> None:
    """Read every object by its path: projects first, since all else refers to them."""
    for first in (True, False):
        await clients.all([(kind, "GET", path) for kind, path in found if (kind == "project") is first])


if __name__ == "__main__":
    main()
