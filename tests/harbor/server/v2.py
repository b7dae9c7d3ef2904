"""The registry's side of Harbor: who may push and pull, what policies refuse, and Harbor's own books of tags.

All else is the work of the distribution server behind, which knows digests only (behind.py).
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from tests.harbor.server import policies
from tests.harbor.server.answers import Refused, denied, missing, unauthorized
from tests.harbor.server.behind import origin, through
from tests.harbor.server.harbor import Harbor, as_json
from tests.harbor.server.pushes import artifact_of, pushed, remove_artifact
from tests.harbor.server.tokens import SERVICE
from tests.harbor.server.who import Who

if TYPE_CHECKING:
    from tests.harbor.server.app import App

_PATH = re.compile(r"^/v2/(?P<name>.+)/(?P<what>manifests|blobs/uploads|blobs|tags/list|referrers)/?(?P<rest>[^/]*)$")
_ACTIONS = {"GET": "pull", "HEAD": "pull", "DELETE": "delete"}


@dataclass
class Pass:
    """A request to a repository that may go on."""

    app: "App"
    request: web.BaseRequest
    who: Who
    project: dict
    name: str
    rest: str

    @property
    def harbor(self) -> Harbor:
        return self.app.harbor


async def answer(app: "App", request: web.BaseRequest) -> web.StreamResponse:
    try:
        return await _answer(app, request)
    except Refused as refused:
        headers = {"Docker-Distribution-Api-Version": "registry/2.0", "Content-Type": "application/json; charset=utf-8"}
        headers |= refused.headers
        if not request.content.at_eof() and refused.status >= 400:
            await _drain(request)
        return web.Response(status=refused.status, body=as_json(refused.answer().body), headers=headers)


async def _drain(request: web.BaseRequest) -> None:
    """Read the rest of a refused upload, so that the client hears why instead of a broken pipe."""
    async for _ in request.content.iter_any():
        pass


async def _answer(app: "App", request: web.BaseRequest) -> web.StreamResponse:
    harbor, path = app.harbor, request.rel_url.raw_path
    if path.startswith("/_storage/"):
        return await through(harbor, request, "GET", f"/v2/{path.removeprefix('/_storage/')}")
    who = await _who(app, request)
    if path in {"/v2", "/v2/"}:
        if not who.authenticated:
            raise _challenge(harbor, request, "unauthorized", "")
        return web.json_response({}, headers={"Docker-Distribution-Api-Version": "registry/2.0"})
    if path == "/v2/_catalog":
        if not who.may("read", "catalog"):
            raise _challenge(harbor, request, "unauthorized to list catalog", "", basic=True)
        return web.json_response({"repositories": [row["name"] for row in harbor.state.all("repository")]})
    found = _PATH.match(path)
    if found is None:
        raise missing(f"path {path} was not found")
    name, action = found["name"], _ACTIONS.get(request.method, "push")
    project = _allowed(harbor, request, who, name, action)
    if action != "pull":
        if harbor.setting("read_only"):
            raise denied("The system is in read only mode. Any modification is prohibited.")
        if action == "push" and project["registry_id"]:
            raise denied("can not push artifact to a proxy project: " + project["name"])
    handler = _HANDLERS[found["what"], request.method in {"GET", "HEAD"}]
    return await handler(Pass(app, request, who, project, name, found["rest"]))


async def _who(app: "App", request: web.BaseRequest) -> Who:
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer":
        return (await app.sessions.who(request.headers.get("Authorization", ""), None))[0]
    claims = app.harbor.tokens.claims(text)
    if claims is None:
        return Who()
    scopes = {each["name"]: each["actions"] for each in claims["access"]}
    return Who(name=claims["sub"] or "anonymous", scopes=scopes)


def _allowed(harbor: Harbor, request: web.BaseRequest, who: Who, name: str, action: str) -> dict:
    scope = f"repository:{name}:{'pull,push' if action == 'push' else action}"
    if action == "pull" and "Authorization" not in request.headers:
        raise _challenge(harbor, request, "authorize header needed to send HEAD to repository", scope)
    project = harbor.state.find("project", name.partition("/")[0])
    if project is None:
        raise unauthorized(f"project {name.partition('/')[0]} not found")
    may = action in who.scopes.get(name, ()) if who.scopes is not None else who.may(action, "repository", project)
    if not may:
        raise _challenge(harbor, request, f"unauthorized to access repository: {name}, action: {action}", scope)
    return project


def _challenge(harbor: Harbor, request: web.BaseRequest, message: str, scope: str, *, basic: bool = False) -> Refused:
    if basic or "Authorization" in request.headers:
        return Refused(401, "UNAUTHORIZED", message, WWW_Authenticate='Basic realm="harbor"')
    realm = f'Bearer realm="{origin(harbor, request)}/service/token",service="{SERVICE}"'
    return Refused(401, "UNAUTHORIZED", message, WWW_Authenticate=f'{realm},scope="{scope}"' if scope else realm)


# --- manifests


async def _get_manifest(way: Pass) -> web.StreamResponse:
    repo = way.harbor.state.find("repository", way.name, project=way.project["project_id"])
    artifact = artifact_of(way.harbor.state, repo["id"], way.rest) if repo else None
    if artifact is None:
        raise missing(f"artifact {way.name}:{way.rest} not found")
    agent = way.request.headers.get("User-Agent", "")
    signing = any(word in agent for word in ("cosign", "notation")) and "push" in (way.who.scopes or {}).get(
        way.name, ()
    )
    if not signing:
        policies.check_pull(way.harbor, way.project, repo, artifact)
    if way.request.method == "GET":
        way.harbor.state.put("repository", repo["id"], repo | {"pull_count": repo["pull_count"] + 1})
    return await through(way.harbor, way.request, way.request.method, f"/v2/{way.name}/manifests/{artifact['digest']}")


async def _put_manifest(way: Pass) -> web.StreamResponse:
    if way.request.method == "DELETE":
        return await _delete_manifest(way)
    body = await way.request.content.read()
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    if ":" not in way.rest:
        policies.check_tag(way.harbor, way.project, way.name, way.rest)
    policies.check_quota(way.harbor, way.project, digest, len(body))
    response = await through(way.harbor, way.request, "PUT", f"/v2/{way.name}/manifests/{digest}", body=body)
    if response.status == 201:
        kind = way.request.headers.get("Content-Type", "")
        project = way.harbor.project_by_id(way.project["project_id"])
        artifact = pushed(way.harbor, project, way.name, way.rest, body, kind, by=way.who.name)
        policies.after_push(way.harbor, project, artifact, by=way.who.name)
        response.headers["Location"] = f"{origin(way.harbor, way.request)}/v2/{way.name}/manifests/{way.rest}"
        if subject := json.loads(body).get("subject"):
            response.headers["OCI-Subject"] = subject["digest"]
    return response


async def _delete_manifest(way: Pass) -> web.StreamResponse:
    state = way.harbor.state
    repo = state.find("repository", way.name, project=way.project["project_id"])
    artifact = artifact_of(state, repo["id"], way.rest) if repo else None
    if artifact is None:
        raise missing(f"artifact {way.name}:{way.rest} not found")
    remove_artifact(way.harbor, way.project, repo, artifact, by=way.who.name)
    return web.Response(status=202)


async def _list_tags(way: Pass) -> web.StreamResponse:
    repo = way.harbor.state.find("repository", way.name, project=way.project["project_id"])
    if repo is None:
        raise missing(f"repository {way.name} not found")
    tags = sorted(tag["name"] for tag in way.harbor.state.all("tag", project=repo["id"]))
    if last := way.request.query.get("last"):
        tags = [tag for tag in tags if tag > last]
    return web.json_response({"name": way.name, "tags": tags[: int(way.request.query.get("n", len(tags)))]})


async def _list_referrers(way: Pass) -> web.StreamResponse:
    state = way.harbor.state
    repo = state.find("repository", way.name, project=way.project["project_id"])
    rows = state.all("accessory", project=repo["id"]) if repo else []
    found = [state.get("artifact", row["artifact_id"]) for row in rows if row["subject_artifact_digest"] == way.rest]
    manifests = [
        {
            "mediaType": each["manifest_media_type"],
            "digest": each["digest"],
            "size": each["_blobs"][each["digest"]],
            "artifactType": each["artifact_type"],
        }
        for each in found
        if each
    ]
    kind = "application/vnd.oci.image.index.v1+json"
    index = {"schemaVersion": 2, "mediaType": kind, "manifests": manifests}
    return web.Response(body=as_json(index), headers={"Content-Type": kind})


# --- blobs


async def _get_blob(way: Pass) -> web.StreamResponse:
    path = f"{way.name}/blobs/{way.rest}"
    if way.harbor.switches.blob_redirect and way.request.method == "GET":
        place = f"{origin(way.harbor, way.request)}/_storage/{path}"
        return web.Response(status=307, headers={"Location": place})
    return await through(way.harbor, way.request, way.request.method, f"/v2/{path}")


async def _upload(way: Pass) -> web.StreamResponse:
    """Pass on POST, PATCH, PUT and GET of an upload; its end is where the quota is looked at."""
    size = int(way.request.headers.get("Content-Length") or 0)
    query, key = way.request.query, way.rest
    digest = query.get("digest") or query.get("mount", "")
    if way.request.method in {"PUT", "POST"} and query.get("digest"):
        policies.check_quota(way.harbor, way.project, digest, _sent.get(key, 0) + size)
    spaces = {way.name} | ({query["from"]} if "from" in query else set())
    target = f"/v2/{way.name}/blobs/uploads/{way.rest}"
    response = await through(way.harbor, way.request, way.request.method, target, spaces=spaces)
    if response.status == 201:
        policies.keep_blob(way.harbor, way.project, digest, _sent.pop(key, 0) + size, mounted="mount" in query)
    elif response.status == 202 and way.request.method == "PATCH":
        _sent[key] = _sent.get(key, 0) + size
    return response


#: Bytes so far, by upload. They are lost by a restart, after which a quota lets too much through once.
_sent: dict[str, int] = {}

_HANDLERS = {
    ("manifests", True): _get_manifest,
    ("manifests", False): _put_manifest,
    ("tags/list", True): _list_tags,
    ("referrers", True): _list_referrers,
    ("blobs", True): _get_blob,
    ("blobs/uploads", True): _upload,
    ("blobs/uploads", False): _upload,
}
