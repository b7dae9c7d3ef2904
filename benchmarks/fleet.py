"""A thousand environments with facts of their own: rendered and published the first time, and again with nothing to do.

python benchmarks/fleet.py --environments 1000

Beside it, a loop that only fills the same jinja2 templates: no contract check, no git, nothing to be sure of. The
repository is bare and on this machine, over file:// and over smart HTTP; a network adds its own time. Each line is a
process of its own, so that its memory is its own.
"""

import argparse
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.render import environments
from infra.delivery import plan, publish, revision
from infra.delivery.git import Git, Remote
from infra.delivery.inputs import Inputs
from infra.delivery.publish import publish_all
from slipway.rehearse.cluster.played.git_server import GitServer, Identities
from values import contract, render

ROOT = Path(__file__).parents[1]
TOKEN = "benchmark"
#: Seconds and MiB that a thousand environments may take.
FIRST, AGAIN, MEMORY = 15, 8, 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environments", type=int, default=1000)
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--repository", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        print(json.dumps(STEPS[given.step](given.environments, given.repository)))
        return
    count = given.environments
    show("fill the templates, nothing else", step("fill", count))
    show("render, contract check included", step("render", count))
    with tempfile.TemporaryDirectory() as folder:
        for way in ("file://", "http://"):
            path = bare(Path(folder) / f"{way[:4]}.git")
            with served(path) if way == "http://" else contextlib.nullcontext(path.as_uri()) as url:
                show(f"{way} first publish (wanted {FIRST} s, {MEMORY} MiB)", step("publish", count, url))
                show(f"{way} nothing to change (wanted {AGAIN} s)", step("publish", count, url))
                show(f"{way} one environment of {count} changes", step("one", count, url))
            print(f"{'':42}repository {megabytes(path):.1f} MB")


def step(name: str, count: int, url: str = "") -> dict:
    command = [sys.executable, "-m", "benchmarks.fleet", "--step", name, "--environments", str(count)]
    done = subprocess.run([*command, "--repository", url], stdout=subprocess.PIPE, check=True, cwd=ROOT)
    return json.loads(done.stdout)


def show(name: str, found: dict) -> None:
    parts = ", ".join(f"{part} {seconds:.1f} s" for part, seconds in found["parts"].items() if seconds >= 0.05)
    print(
        f"{name:42}{found['seconds']:6.2f} s  {found['mebibytes']:4.0f} MiB  {found['files']:6} files"
        f"{f'  ({parts})' if parts else ''}",
        flush=True,
    )


def measured(do: Callable[[], int], parts: dict[str, float]) -> dict:
    started = time.perf_counter()
    files = do()
    seconds = time.perf_counter() - started
    kibibytes = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {"seconds": seconds, "mebibytes": sum(kibibytes) / 1024, "files": files, "parts": parts}


def fill(count: int, _url: str) -> dict:
    facts = environments(count)
    return measured(lambda: sum(len(render.render(one, check=False)) for one in facts), {})


def rendering(count: int, _url: str) -> dict:
    facts, parts = environments(count), {}
    timed(parts, contract, "findings", "contract check")
    return measured(lambda: sum(len(render.render(one)) for one in facts), parts)


def publishing(count: int, url: str, *, changed: int = 0) -> dict:
    facts = [one.model_copy(update={"example": False}) for one in environments(count)]
    inputs = [
        Inputs(one.to_json(), {"mine": "portal: {replicas: 4}\n"} if at < changed else {})
        for at, one in enumerate(facts)
    ]
    parts: dict[str, float] = {}
    timed(parts, Git, "fetch", "fetch")
    timed(parts, Inputs, "files", "render and check")
    timed(parts, plan, "blob_id", "hash")
    timed(parts, plan, "compare", "compare")
    timed(parts, Git, "read_blobs", "read locks")
    timed(parts, revision.Writer, "add", "send texts")
    timed(parts, revision.Writer, "tree", "write the tree")
    timed(parts, publish, "push", "push")
    remote = Remote(repository=url, branch="main", token=TOKEN)
    return measured(lambda: len(publish_all(remote, inputs).changed), parts)


def timed(parts: dict[str, float], owner: object, name: str, part: str) -> None:
    """Add what a function takes to `parts`."""
    inner = getattr(owner, name)

    def outer(*arguments, **options):
        started = time.perf_counter()
        try:
            return inner(*arguments, **options)
        finally:
            parts[part] = parts.get(part, 0.0) + time.perf_counter() - started

    setattr(owner, name, outer)


STEPS = {
    "fill": fill,
    "render": rendering,
    "publish": publishing,
    "one": lambda count, url: publishing(count, url, changed=1),
}


def bare(path: Path) -> Path:
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)
    subprocess.run(["git", "-C", str(path), "config", "uploadpack.allowFilter", "true"], check=True)
    return path


@contextlib.contextmanager
def served(path: Path) -> Iterator[str]:
    git = GitServer(repository=path, identities=Identities(writer=TOKEN, reader="reader"))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            git.answer(self)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/{path.name}"
        server.shutdown()


def megabytes(path: Path) -> float:
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file()) / 1e6


if __name__ == "__main__":
    main()
