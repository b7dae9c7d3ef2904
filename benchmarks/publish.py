"""A publish with nothing to change, and one that changes a file, against a repository with 10,000 files of others.

python benchmarks/publish.py --runs 20

The repository is served from this machine, so the figures hold no network; a fetch is one round trip more than listed.
What was fetched is counted in the scratch repository: with nothing to change, one blob, the lock.
"""

import argparse
import contextlib
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from infra.assemble import example
from infra.delivery import publish as publisher
from infra.delivery.git import Git, Remote, repository
from infra.delivery.inputs import Inputs
from infra.delivery.publish import publish
from infra.stack_config import from_stack_file, stack_file

ROOT = Path(__file__).parents[1]
FILES = 10_000
#: Seconds that a publish with nothing to change may take.
WANTED = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    facts = example(from_stack_file(stack_file(ROOT, "ha"))).model_copy(update={"example": False})
    inputs = Inputs(facts.to_json())
    with tempfile.TemporaryDirectory() as folder:
        remote = Remote(repository=bare_repository(Path(folder)).as_uri(), branch="main")
        publish(remote, inputs)
        objects = fetched_objects(remote, inputs)
        idle = [timed(remote, inputs) for _ in range(runs)]
        # Another description each time, so that each run has one file and its hash in the kustomization to change.
        busy = [timed(remote, Inputs(facts.to_json(), {"mine": f"# {run}\ncore: {{}}\n"})) for run in range(runs)]
    print(f"nothing to change   {summary(idle)}, wanted {WANTED:.2f} s")
    print(f"one file to change  {summary(busy)}")
    print(f"fetched with nothing to change: {objects}, in a repository of {FILES:,} files")


def bare_repository(folder: Path) -> Path:
    """Make a bare repository with `FILES` files in 100 folders, as a fleet's would be."""
    path = folder / "gitops.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)
    subprocess.run(["git", "-C", str(path), "config", "uploadpack.allowFilter", "true"], check=True)
    stream = ["commit refs/heads/main\ncommitter Fleet <fleet@localhost> 0 +0000\ndata 5\nfleet\n"]
    for number in range(FILES):
        text = f"kind: ConfigMap\nnumber: {number}\n" + "padding: of a usual manifest\n" * 40
        stream.append(f"M 100644 inline apps/team-{number % 100}/{number}.yaml\ndata {len(text)}\n{text}\n")
    subprocess.run(["git", "-C", str(path), "fast-import", "--quiet"], input="".join(stream).encode(), check=True)
    return path


def timed(remote: Remote, inputs: Inputs) -> float:
    started = time.perf_counter()
    publish(remote, inputs)
    return time.perf_counter() - started


def summary(seconds: list[float]) -> str:
    return f"median {statistics.median(seconds):.3f} s, best {min(seconds):.3f} s, worst {max(seconds):.3f} s"


def fetched_objects(remote: Remote, inputs: Inputs) -> str:
    """Publish once and say which objects the scratch repository holds at the end; there is nothing to change."""
    counted: dict[str, int] = {}

    @contextlib.contextmanager
    def counting(target: Remote) -> Iterator[Git]:
        with repository(target) as git:
            yield git
            for kind in git.run("cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").split():
                counted[kind] = counted.get(kind, 0) + 1

    publisher.repository, unpatched = counting, publisher.repository
    try:
        assert not publish(remote, inputs).created
    finally:
        publisher.repository = unpatched
    assert counted["blob"] == 1, counted
    return ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in sorted(counted.items()))


if __name__ == "__main__":
    main()
