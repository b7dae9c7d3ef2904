"""A run of a pull rule: what another registry holds is listed there and copied by HTTP, as Harbor's flow and jobs do.

begin(harbor, policy, number)      # the documents of the run and of its tasks tell the rest

Played are types `harbor` (by its API: untagged artifacts and accessories too) and, as Harbor's plain adapter does for
all of them, `docker-registry` and `aws-ecr`, of which only tags of repositories that the rule spells out are copied.
"""

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import aiohttp

from tests.harbor.server.harbor import ADMIN_PASSWORD, Harbor

_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_LOCAL = {"127.0.0.1", "localhost", "::1"}
_PAGE = 15


class _Failed(Exception):
    """The other side said no."""


@dataclass(frozen=True)
class _Side:
    """A registry and how to log in there; without a name nobody does."""

    http: aiohttp.ClientSession
    url: str
    auth: aiohttp.BasicAuth | None

    async def ask(self, method: str, path: str, *, body: bytes | None = None, **headers: str):
        """Send; gives status, headers and body."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = path if "://" in path else f"{self.url}{path}"
        try:
            async with self.http.request(method, url, data=body, headers=named, auth=self.auth) as answer:
                return answer.status, answer.headers, await answer.read()
        except aiohttp.ClientError as error:
            raise _Failed(f"{method} {url}: {error}") from error

    async def get(self, path: str, **headers: str):
        status, found, body = await self.ask("GET", path, **headers)
        if status != 200:
            raise _Failed(f"GET {path}: http status code: {status}, body: {body.decode(errors='replace')[:200]}")
        return found, body

    async def rows(self, path: str) -> AsyncIterator[dict]:
        """Give all rows of a list of Harbor's API."""
        for page in itertools.count(1):
            _, body = await self.get(f"/api/v2.0{path}{'&' if '?' in path else '?'}page={page}&page_size={_PAGE}")
            rows = json.loads(body)
            for row in rows:
                yield row
            if len(rows) < _PAGE:
                return


def begin(harbor: Harbor, policy: dict, number: int) -> bool:
    """Start it in the background; False where the registry is none that this server may ask."""
    registry = harbor.state.get("registry", policy["src_registry"]) if policy["src_registry"] else None
    url = harbor.switches.stand_in.get(registry["url"], registry["url"]) if registry else ""
    if urlsplit(url).hostname not in _LOCAL or registry["type"] not in {"harbor", "docker-registry", "aws-ecr"}:
        return False
    given = registry.get("credential") or {}
    auth = aiohttp.BasicAuth(given["access_key"], given["access_secret"]) if given.get("access_key") else None
    source = _Side(harbor.http, url, auth)
    job = asyncio.get_running_loop().create_task(_run(harbor, policy, number, source, registry["type"]))
    harbor.background.add(job)
    job.add_done_callback(harbor.background.discard)
    return True


async def _run(harbor: Harbor, policy: dict, number: int, source: _Side, kind: str) -> None:
    try:
        if kind == "harbor":
            found = await _of_harbor(source, _pattern(policy))
        else:
            found = await _of_plain(source, _pattern(policy))
        pairs = [(name, _replaced(name, policy), references, public) for name, references, public in found]
        own = _Side(harbor.http, harbor.address, aiohttp.BasicAuth("admin", ADMIN_PASSWORD))
        for project in {target.partition("/")[0]: public for _, target, _, public in pairs}.items():
            await _prepare(own, *project)
    except _Failed as error:
        _mark(harbor, number, status="Failed", status_text=str(error), end_time=harbor.stamp())
        return
    if not pairs:
        text = "no resources need to be replicated"
        _mark(harbor, number, status="Succeed", status_text=text, end_time=harbor.stamp())
        return
    tasks = [_task(harbor, number, kind, name, target, len(references)) for name, target, references, _ in pairs]
    _count(harbor, number)
    for task, (name, target, references, _) in zip(tasks, pairs, strict=True):
        await _copy_all(harbor, task, (source, name), (own, target), references, override=policy["override"])
        _count(harbor, number)


def _mark(harbor: Harbor, number: int, **changes) -> None:
    run = harbor.state.get("replication", number)
    if run is not None:
        harbor.state.put("replication", number, run | changes)


def _task(harbor: Harbor, number: int, kind: str, name: str, target: str, items: int) -> int:
    doc = {
        "execution_id": number,
        "status": "InProgress",
        "operation": "copy",
        "resource_type": "artifact" if kind == "harbor" else "image",
        "src_resource": f"{name} [{items} item(s) in total]",
        "dst_resource": f"{target} [{items} item(s) in total]",
        "start_time": harbor.stamp(),
        "_log": "",
    }
    return harbor.state.add("replication-task", doc, project=number)


def _count(harbor: Harbor, number: int) -> None:
    states = [row["status"] for row in harbor.state.all("replication-task", project=number)]
    counts = {
        "total": len(states),
        "failed": states.count("Failed"),
        "succeed": states.count("Succeed"),
        "in_progress": states.count("InProgress"),
    }
    over = {} if counts["in_progress"] else {"status": "Failed" if counts["failed"] else "Succeed"}
    _mark(harbor, number, **counts, **over, **({"end_time": harbor.stamp()} if over else {}))


# --- what there is


async def _of_harbor(source: _Side, pattern: str) -> list[tuple[str, list[str], str | None]]:
    found, first = [], _specific(pattern.partition("/")[0]) if pattern else None
    if first:
        projects = []
        for name in first:
            projects += [row async for row in source.rows(f"/projects?name={name}") if row["name"] == name]
    else:
        projects = [row async for row in source.rows("/projects")]
    for project in projects:
        public = project["metadata"].get("public")
        repos = [repo["name"] async for repo in source.rows(f"/projects/{project['name']}/repositories")]
        wanted = [name for name in repos if _matches(pattern, name)]
        found += [(name, rows, public) for name in wanted if (rows := await _artifacts(source, name))]
    return found


async def _artifacts(source: _Side, name: str) -> list[str]:
    """Give what a repository holds: tags, digests of what has none, and accessories."""
    project, _, repository = name.partition("/")
    place = f"/projects/{project}/repositories/{quote(quote(repository, safe=''), safe='')}/artifacts"
    references = []
    async for each in source.rows(f"{place}?with_accessory=true"):
        references += [tag["name"] for tag in each.get("tags") or []] or [each["digest"]]
        for accessory in each.get("accessories") or []:
            _, body = await source.get(f"/api/v2.0{place}/{accessory['digest']}?with_tag=true")
            tags = [tag["name"] for tag in json.loads(body).get("tags") or []]
            references += tags or [accessory["digest"]]
    return references


async def _of_plain(source: _Side, pattern: str) -> list[tuple[str, list[str], str | None]]:
    names = [""]
    for part in pattern.split("/"):
        parts = _specific(part)
        if parts is None:
            raise _Failed("this server plays no catalogue of a plain registry: spell out the repositories")
        names = [f"{name}/{each}".strip("/") for name in names for each in parts]
    found = []
    for name in names:
        try:
            _, body = await source.get(f"/v2/{name}/tags/list")
        except _Failed as error:
            raise _Failed(
                f"failed to fetch artifacts: failed to list artifacts of repository {name}: {error}"
            ) from None
        if tags := json.loads(body)["tags"]:
            found.append((name, tags, None))
    return found


def _pattern(policy: dict) -> str:
    return next((each["value"] for each in policy["filters"] if each["type"] == "name"), "")


def _specific(part: str) -> list[str] | None:
    """Spell out a part of a path that has one {a,b} at most; None where it is a pattern."""
    if not part or re.search(r"[*?\[\\\]^]", part) or part.count("{") > 1:
        return None
    before, brace, rest = part.partition("{")
    if not brace:
        return None if re.search("[},]", part) else [part]
    inside, _, after = rest.rpartition("}")
    return [f"{before}{each}{after}" for each in inside.split(",")]


def _matches(pattern: str, name: str) -> bool:
    if not pattern:
        return True
    tokens = {"**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}
    text = re.sub(r"\*\*|[*?{},]|[^*?{},]+", lambda each: tokens.get(each[0]) or re.escape(each[0]), pattern)
    return re.fullmatch(text, name) is not None


def _replaced(name: str, policy: dict) -> str:
    """Give the name here, as Harbor's replaceNamespace does."""
    space, count, parts = policy["dest_namespace"], policy["dest_namespace_replace_count"], name.split("/")
    if not space:
        target = name
    elif count < 0:
        target = f"{space}/{parts[-1]}"
    elif count > len(parts) - 1:
        raise _Failed(f'the source repository "{name}" contains only {len(parts) - 1} path components, not {count}')
    else:
        target = "/".join([space, *parts[count:]])
    if "/" not in target:
        raise _Failed(f'the destination repository "{target}" contains only 1 path components, not at least 2')
    return target


async def _prepare(own: _Side, project: str, public: str | None) -> None:
    """Make a project that is not there, public if the other one is."""
    metadata = {"public": public} if public else {}
    body = json.dumps({"project_name": project, "metadata": metadata}).encode()
    status, _, answer = await own.ask("POST", "/api/v2.0/projects", body=body, Content_Type="application/json")
    if status not in {201, 409}:
        raise _Failed(f"failed to create project {project}: {status} {answer.decode(errors='replace')}")


# --- copying


async def _copy_all(harbor: Harbor, task: int, source, target, references: list[str], *, override: bool) -> None:
    log, failed = [], False
    for reference in references:
        if harbor.switches.copy_seconds:
            await asyncio.sleep(harbor.switches.copy_seconds)
        try:
            log.append(f"[INFO] {await _copy(source, target, reference, override=override)}")
        except _Failed as error:
            failed = True
            log.append(f"[ERROR] {error}")
    if failed:
        log.append("[ERROR] got error during the whole transfer period, mark the job failure")
    doc = harbor.state.get("replication-task", task)
    over = {"status": "Failed" if failed else "Succeed", "end_time": harbor.stamp(), "_log": "\n".join(log) + "\n"}
    if doc is not None:
        harbor.state.put("replication-task", task, doc | over)


async def _copy(source, target, reference: str, *, override: bool) -> str:
    (there, name), (here, own) = source, target
    headers, manifest = await there.get(f"/v2/{name}/manifests/{reference}", Accept=", ".join(_MANIFESTS))
    status, present, _ = await here.ask("HEAD", f"/v2/{own}/manifests/{reference}", Accept=", ".join(_MANIFESTS))
    if status == 200:
        if present["Docker-Content-Digest"] == headers["Docker-Content-Digest"]:
            return f"the artifact {own}:{reference} already exists on the destination registry, skip"
        if not override:
            return f"the same name artifact {own}:{reference} exists, and override is false, skip"
    content = json.loads(manifest)
    for child in content.get("manifests", []):
        await _copy(source, target, child["digest"], override=True)
    for blob in [*([content["config"]] if "config" in content else []), *content.get("layers", [])]:
        await _copy_blob(source, target, blob["digest"])
    path, kind = f"/v2/{own}/manifests/{reference}", headers["Content-Type"]
    status, _, answer = await here.ask("PUT", path, body=manifest, Content_Type=kind)
    if status != 201:
        raise _Failed(f"failed to push the manifest of {own}:{reference}: {status} {answer.decode(errors='replace')}")
    return f"copy {name}:{reference} to {own}:{reference} completed"


async def _copy_blob(source, target, digest: str) -> None:
    (there, name), (here, own) = source, target
    if (await here.ask("HEAD", f"/v2/{own}/blobs/{digest}"))[0] == 200:
        return
    _, data = await there.get(f"/v2/{name}/blobs/{digest}")
    status, headers, _ = await here.ask("POST", f"/v2/{own}/blobs/uploads/")
    if status != 202:
        raise _Failed(f"failed to begin an upload to {own}: {status}")
    place = headers["Location"]
    place += f"{'&' if '?' in place else '?'}digest={digest}"
    status, _, answer = await here.ask("PUT", place, body=data, Content_Type="application/octet-stream")
    if status != 201:
        raise _Failed(f"failed to push the blob {digest}: {status} {answer.decode(errors='replace')}")
