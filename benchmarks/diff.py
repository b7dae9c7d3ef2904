"""`slipway diff` as a whole process, beside two `helm template` through the SDK: what any diff of the chart must do.

python benchmarks/diff.py --runs 7

A bare repository on this machine holds what is delivered; the stack file then asks for one replica more. The official
charts must be in the cache (SLIPWAY_CHART_CACHE), or the comparison leaves Kubernetes' objects out and says so.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from infra.assemble import example
from infra.charts import cached
from infra.delivery.git import Remote
from infra.delivery.inputs import Inputs
from infra.delivery.publish import publish
from infra.stack_config import from_stack_file, stack_file
from values.releases import releases
from values.render import render

ROOT = Path(__file__).parents[1]
#: Seconds that `slipway diff` of one environment may take.
WANTED = 1.5
GITOPS = "https://git.example.com/platform/gitops.git"
COMMAND = "from slipway.cli import main; main()"
TWICE = """
import json, sys
from pathlib import Path
from values.helm import rendered
values = json.loads(Path(sys.argv[2]).read_text())
for _ in range(2):
    rendered(Path(sys.argv[1]), values)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        facts = example(from_stack_file(stack_file(ROOT, "ha"))).model_copy(update={"example": False})
        repository = folder / "gitops.git"
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(repository)], check=True)
        publish(Remote(repository=repository.as_uri(), branch="main"), Inputs(facts.to_json()))
        project = folder / "project"
        shutil.copytree(ROOT / "stacks", project / "stacks")
        shutil.copy(ROOT / "Pulumi.yaml", project)
        stack = project / "stacks" / "Pulumi.ha.yaml"
        stack.write_text(stack.read_text(encoding="utf-8").replace(GITOPS, repository.as_uri()), encoding="utf-8")
        overrides = project / "stacks" / "ha" / "values"
        overrides.mkdir(parents=True)
        (overrides / "portal.yaml").write_text('portal: {podAnnotations: {benchmark: "yes"}}\n', encoding="utf-8")
        commands = {"slipway diff ha": ([sys.executable, "-c", COMMAND, "diff", "ha", "--summary"], project)}
        if (archive := cached(facts.chart_version)).exists():
            values = folder / "values.json"
            wanted = next(one for one in releases(render(facts)) if one.chart == "harbor")
            values.write_text(json.dumps(wanted.values), encoding="utf-8")
            commands["the same chart, rendered twice by the SDK"] = (
                [sys.executable, "-c", TWICE, str(archive), str(values)],
                ROOT,
            )
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(runs):
            for name, (command, place) in commands.items():
                taken[name].append(_seconds(command, place))
    for name, seconds in taken.items():
        print(f"{name:45} best {min(seconds):.2f} s, median {statistics.median(seconds):.2f} s")
    print(f"wanted: {WANTED} s")


def _seconds(command: list[str], place: Path) -> float:
    started = time.perf_counter()
    done = subprocess.run(
        command, check=False, cwd=place, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    if done.returncode not in {0, 2}:
        raise SystemExit(done.stderr or done.stdout)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
