"""The chart from its Helm repository: a real HTTP server that answers well, badly, or not at all."""

import hashlib
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from infra import charts
from infra.errors import ChartUnavailable

CONTENT = b"the archive"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
Answer = Callable[[BaseHTTPRequestHandler], None]


def body(content: bytes, status: int = 200) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def index(*versions: str, **changed) -> bytes:
    entries = [
        {"version": version, "urls": [f"charts/harbor-{version}.tgz"], "digest": DIGEST, **changed}
        for version in versions
    ]
    return yaml.safe_dump({"apiVersion": "v1", "entries": {"harbor": entries}}).encode()


class Served:
    """A Helm repository: path → how it answers, and what was asked for."""

    def __init__(self, url: str) -> None:
        self.url, self.asked = url, []
        self.answers: dict[str, Answer] = {
            "/repo/index.yaml": body(index("1.19.2", "1.19.1")),
            "/repo/charts/harbor-1.19.1.tgz": body(CONTENT),
        }


@pytest.fixture
def served(tmp_path, monkeypatch):
    monkeypatch.setenv("SLIPWAY_CHART_CACHE", str(tmp_path / "charts"))
    for variable in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            repository.asked.append(self.path)
            repository.answers.get(self.path, body(b"", 404))(self)

        def log_message(self, *_arguments) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        repository = Served(f"http://127.0.0.1:{server.server_address[1]}/repo")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield repository
        server.shutdown()
        thread.join()


def refused(served: Served, version: str = "1.19.1") -> str:
    with pytest.raises(ChartUnavailable) as raised:
        charts.archive(version, served.url)
    assert not charts.chart_cache().exists() or list(charts.chart_cache().iterdir()) == []
    text = str(raised.value)
    assert f"helm pull harbor --repo {served.url} --version {version}" in text
    assert f"put harbor-{version}.tgz into {charts.chart_cache()}" in text
    return text


def test_fetched_once_and_then_from_the_cache(served):
    told = []

    path = charts.archive("1.19.1", served.url, told.append)

    assert path == charts.chart_cache() / "harbor-1.19.1.tgz"
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(path.parent.iterdir()) == [path]
    assert told == [f"fetching chart harbor 1.19.1 from {served.url}"]
    served.asked.clear()
    assert charts.archive("1.19.1", f"{served.url}/", told.append) == path
    assert served.asked == []
    assert len(told) == 1


def test_an_absolute_url_and_a_redirect(served):
    elsewhere = f"{served.url.removesuffix('/repo')}/elsewhere/h.tgz"
    served.answers["/repo/index.yaml"] = body(index("1.19.1", urls=[elsewhere], digest=f"sha256:{DIGEST}"))

    def redirect(handler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "/there.tgz")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    served.answers |= {"/elsewhere/h.tgz": redirect, "/there.tgz": body(CONTENT)}

    assert charts.archive("1.19.1", served.url).read_bytes() == CONTENT
    assert served.asked == ["/repo/index.yaml", "/elsewhere/h.tgz", "/there.tgz"]


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
@pytest.mark.parametrize("path", ["index.yaml", "charts/harbor-1.19.1.tgz"])
def test_a_server_that_refuses(served, status, path):
    served.answers[f"/repo/{path}"] = body(b"no", status)

    assert f"{served.url}/{path} answers {status}" in refused(served)


def test_bytes_that_the_index_does_not_promise(served):
    served.answers["/repo/charts/harbor-1.19.1.tgz"] = body(b"something else")

    text = refused(served)
    assert "is not what the index promises" in text
    assert DIGEST in text


@pytest.mark.parametrize(
    "garbage",
    [b"<html>sign in</html>", b"", b"a: [", b"\x00\xff", b"entries: {harbor: 3}", b"entries: {other: []}", b"- a"],
)
def test_an_index_that_is_none(served, garbage):
    served.answers["/repo/index.yaml"] = body(garbage)

    assert "its index.yaml is no Helm index with a chart harbor" in refused(served)


def test_a_version_that_is_not_there(served):
    assert "has no harbor 1.20.0; the first of its index: 1.19.2, 1.19.1" in refused(served, "1.20.0")


@pytest.mark.parametrize("without", [{"digest": None}, {"urls": []}])
def test_an_entry_without_digest_or_url(served, without):
    served.answers["/repo/index.yaml"] = body(index("1.19.1", **without))

    assert "names no URL or no digest" in refused(served)


@pytest.mark.parametrize("path", ["index.yaml", "charts/harbor-1.19.1.tgz"])
def test_a_server_that_hangs(served, monkeypatch, path):
    over = threading.Event()
    monkeypatch.setattr(charts, "WAIT", 0.3)
    served.answers[f"/repo/{path}"] = lambda _handler: over.wait(20)

    assert "no answer" in refused(served)
    over.set()


def test_an_answer_that_never_ends(served, monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(charts, "TOTAL", 0.3)

    def drip(handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not over.wait(0.05):
            handler.wfile.write(b"#")

    served.answers["/repo/index.yaml"] = drip

    assert "was not complete after 0 seconds" in refused(served)
    over.set()


def test_an_answer_that_is_too_large(served, monkeypatch):
    monkeypatch.setattr(charts, "LARGEST", 1000)
    served.answers["/repo/index.yaml"] = body(b"#" * 2000)

    assert "is larger than" in refused(served)


def test_a_connection_cut_in_the_middle(served):
    def cut(handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"part")

    served.answers["/repo/charts/harbor-1.19.1.tgz"] = cut

    assert "no answer" in refused(served)


def test_nobody_answers(tmp_path, monkeypatch):
    monkeypatch.setenv("SLIPWAY_CHART_CACHE", str(tmp_path / "charts"))

    assert "no answer" in refused(Served("http://127.0.0.1:1/repo"))


def test_a_registry_is_no_http_repository(tmp_path, monkeypatch):
    monkeypatch.setenv("SLIPWAY_CHART_CACHE", str(tmp_path))

    assert "only an HTTP repository" in refused(Served("oci://registry.example.com/charts"))


def test_the_cache_is_a_folder_of_the_cache_folder_unless_named(tmp_path, monkeypatch):
    monkeypatch.delenv("SLIPWAY_CHART_CACHE", raising=False)
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path))

    assert charts.chart_cache() == tmp_path / "charts"
