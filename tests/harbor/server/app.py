"""From bytes to an operation and back: who sends it, faults, latency, CSRF, read-only mode, errors.

await serve(harbor, "127.0.0.1", 8080)
"""

import asyncio
import gzip
import json
import os
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from tests.harbor.server import control, operations, v2
from tests.harbor.server.answers import Answer, Panic, Refused, denied, errors, internal, unprocessable
from tests.harbor.server.call import Call
from tests.harbor.server.faults import CODES, Fault
from tests.harbor.server.harbor import Harbor, as_json
from tests.harbor.server.routes import Operation, find
from tests.harbor.server.sessions import CSRF_COOKIE, CSRF_HEADER, Sessions
from tests.harbor.server.state import Taken
from tests.harbor.server.token_service import token

API = "/api/v2.0"
_PAGES = {"/c/login": "login", "/c/log_out": "logout", "/service/token": "token"}
#: What read-only mode lets through.
_ALWAYS = {"update_configurations", "login", "logout"}

assert operations.LOADED  # importing it fills the table of operations


class App:
    """Answers every request."""

    def __init__(self, harbor: Harbor) -> None:
        self.harbor = harbor
        self.sessions = Sessions(harbor)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.rel_url.raw_path
        if path.startswith("/_test/"):
            return _response(await control.answer(self, path.removeprefix("/_test/"), request))
        operation, name, parameters = None, _PAGES.get(path, "v2"), {}
        if path.startswith(API):
            try:
                operation, parameters = find(request.method, path.removeprefix(API))
                name = operation.name
            except Refused as refused:
                return _response(refused.answer())
        self.harbor.counts[name] += 1
        fault = self.harbor.faults.next(name, request.method, path)
        if fault and (early := await _meet(fault, request)) is not None:
            return early
        if path.startswith(("/v2", "/_storage/")):
            response = await v2.answer(self, request)
            if path == "/v2/":  # the door; what goes through it is the distribution server's time
                await self._take_time("door", writes=False, by=self._basic_of(request))
            await _wait(fault)
            return response
        body = await request.content.read()
        answer = await self._answer(request, name, operation, parameters, body)
        if self.harbor.switches.record:
            self._record(request, operation, body, answer)
        if fault and fault.kind in {"lost", "truncated"}:
            return _cut(request, answer, half=fault.kind == "truncated")
        await _wait(fault)
        return _response(_packed(answer) if name == "token" and _takes_gzip(request) else answer)

    async def _answer(
        self, request: web.BaseRequest, name: str, operation: Operation | None, parameters: dict, body: bytes
    ) -> Answer:
        cookies = _cookies(request.headers.get("Cookie", ""))
        sid, csrf = cookies.get("sid"), cookies.get(CSRF_COOKIE)
        writes = operation.writes if operation else name == "login"
        by = ""
        try:
            who, by = await self.sessions.who(request.headers.get("Authorization", ""), sid)
            if (writes or request.method not in {"GET", "HEAD"}) and (sid is not None or operation is None):
                self.sessions.check_token(csrf, request.headers.get(CSRF_HEADER))
            self._check_read_only(name, writes=writes)
            if operation is None:
                answer = await self._page(name, request, body, sid, who)
            else:
                call = Call(
                    harbor=self.harbor,
                    who=who,
                    path=request.rel_url.raw_path,
                    parameters=parameters,
                    query=request.query,
                    headers=request.headers,
                    body=_parsed(request, body),
                    by_session=by == "session",
                )
                answer = await _run(operation, call)
        except Refused as refused:
            answer = refused.answer()
        except Panic:
            answer = Answer(status=500)
        except Taken as taken:
            answer = Answer(status=409, body=errors("CONFLICT", f"{taken} already exists"))
        except Exception as error:  # noqa: BLE001  # a defect of this server, told apart from Harbor's own 500
            answer = Answer(status=599, body=errors("TEST_SERVER", repr(error)))
        await self._take_time(name, writes=writes, rows=_rows(answer), by=by)
        set_now = self.sessions.cookies(sid, csrf, api=operation is not None)
        return Answer(status=answer.status, body=answer.body, headers=_merged(answer.headers, set_now))

    async def _take_time(self, name: str, *, writes: bool, by: str, rows: int = 0) -> None:
        """Wait as long as a real Harbor would take."""
        if seconds := self.harbor.queue.delay(name, writes=writes, rows=rows, by=by):
            await asyncio.sleep(seconds)

    def _basic_of(self, request: web.BaseRequest) -> str:
        """Tell whose Basic auth it is that has to be checked."""
        name = self.sessions.named(request.headers.get("Authorization", ""))
        prefix = str(self.harbor.setting("robot_name_prefix"))
        return "" if name is None else "robot_by_password" if name.startswith(prefix) else "user_by_password"

    def _check_read_only(self, name: str, *, writes: bool) -> None:
        if writes and name not in _ALWAYS and self.harbor.setting("read_only"):
            raise denied("The system is in read only mode. Any modification is prohibited.")

    async def _page(self, name: str, request: web.BaseRequest, body: bytes, sid: str | None, who) -> Answer:
        if name == "login":
            return await self.sessions.sign_in(dict(parse_qsl(body.decode())), sid)
        if name == "logout":
            return self.sessions.sign_out(sid)
        if name == "token":
            return token(self.harbor, who, request.query.getall("scope", []))
        return Answer(status=404)

    def _record(self, request: web.BaseRequest, operation: Operation | None, body: bytes, answer: Answer) -> None:
        if operation is None:
            return
        self.harbor.exchanges.append(
            {
                "method": request.method,
                "template": operation.path,
                "path": request.path_qs,
                "query": dict(request.query),
                "body": body.decode(errors="replace"),
                "status": answer.status,
                "answer": answer.body if not isinstance(answer.body, bytes) else answer.body.decode(errors="replace"),
            }
        )


def _takes_gzip(request: web.BaseRequest) -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "")


def _packed(answer: Answer) -> Answer:
    """Pack it, as Harbor does (`enablegzip` in its app.conf) with what is not of the API."""
    packed = gzip.compress(as_json(answer.body))
    return Answer(status=answer.status, body=packed, headers={**answer.headers, "Content-Encoding": "gzip"})


async def _run(operation: Operation, call: Call) -> Answer:
    if operation.waits:
        given = await operation.handler(call)
    elif operation.writes:
        with call.harbor.state.together():
            given = operation.handler(call)
    else:
        given = operation.handler(call)
    return given if isinstance(given, Answer) else Answer(body=given)


def _parsed(request: web.BaseRequest, body: bytes) -> object:
    if not body:
        return None
    if request.content_type != "application/json":
        raise unprocessable(f'unsupported media type "{request.content_type}", only [application/json] are allowed')
    try:
        return json.loads(body)
    except ValueError:
        raise Refused(400, "BAD_REQUEST", 'parsing body body from "" failed') from None


def _cookies(header: str) -> dict[str, str]:
    """Read cookies that have no quotes, as ours; the library's way takes as long as a whole query."""
    return dict(part.strip().partition("=")[::2] for part in header.split(";") if part)


def _rows(answer: Answer) -> int:
    return len(answer.body) if isinstance(answer.body, list) else 0


def _merged(headers, more: list[tuple[str, str]]) -> dict:
    merged: dict = {name: [value] for name, value in headers.items()}
    for name, value in more:
        if name == "Set-Cookie" and any(each.startswith(value.partition("=")[0]) for each in merged.get(name, [])):
            continue
        merged.setdefault(name, []).append(value)
    return merged


def _response(answer: Answer) -> web.Response:
    body, kind = answer.body, "application/json; charset=utf-8"
    if isinstance(body, bytes) and "Content-Encoding" not in answer.headers:
        kind = "text/plain; charset=utf-8"
    elif body is not None and not isinstance(body, bytes):
        body = as_json(body)
    response = web.Response(status=answer.status, body=body, headers={"Content-Type": kind} if body else None)
    for name, value in answer.headers.items():
        for each in value if isinstance(value, list) else [value]:
            response.headers.add(name, each)
    return response


async def _meet(fault: Fault, request: web.BaseRequest) -> web.StreamResponse | None:
    """Do what a fault does before the operation; None to go on."""
    if fault.seconds and fault.kind != "late":
        await asyncio.sleep(fault.seconds)
    if fault.kind == "exit":
        os._exit(137)
    if fault.kind == "reset":
        request.transport.abort()
        return web.Response()
    if fault.kind != "status":
        return None
    await request.content.read()
    if fault.status == 500 and not fault.message:
        answer = internal().answer()
    elif fault.status >= 502:  # a proxy's page, not Harbor's words
        answer = Answer(status=fault.status, body=b"<html><body><h1>upstream is not available</h1></body></html>")
    else:
        code = fault.code or CODES.get(fault.status, "UNKNOWN")
        answer = Answer(status=fault.status, body=errors(code, fault.message or code.replace("_", " ").lower()))
    response = _response(answer)
    if fault.retry_after is not None:
        response.headers["Retry-After"] = f"{fault.retry_after:g}"
    return response


async def _wait(fault: Fault | None) -> None:
    """Keep back the answer of what is done already."""
    if fault and fault.kind == "late":
        await asyncio.sleep(fault.seconds)


def _cut(request: web.BaseRequest, answer: Answer, *, half: bool) -> web.StreamResponse:
    if half:
        body = as_json(answer.body)
        head = f"HTTP/1.1 {answer.status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        request.transport.write(head.encode() + body[: len(body) // 2])
        request.transport.close()
    else:
        request.transport.abort()
    return web.Response()


async def serve(harbor: Harbor, host: str, port: int) -> tuple[web.ServerRunner, int]:
    """Listen; give the runner and the port."""
    harbor.http = aiohttp.ClientSession(
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
        connector=aiohttp.TCPConnector(limit=64),
    )
    app = App(harbor)
    runner = web.ServerRunner(web.Server(app.handle, access_log=None, keepalive_timeout=120))
    await runner.setup()
    site = web.TCPSite(runner, host, port, reuse_address=True, backlog=512)
    await site.start()
    port = runner.addresses[0][1]
    harbor.address = f"http://{host}:{port}"
    return runner, port
