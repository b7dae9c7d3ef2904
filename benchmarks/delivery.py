"""From commit to Ready, and what a look at it costs beside the field's own commands, on one rehearsed cluster.

control plane with Flux, from nothing; commit → HelmRelease Ready for a changed value; memory; `slipway status` and
`kubectl get` of the same objects, interleaved, so that a busy minute is busy for both
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from slipway.tools.find import find
from tests.cluster.world import ROOT, World

CHANGES, LOOKS = 5, 9
KINDS = "gitrepository,kustomization,helmrelease,externalsecret,deployment,statefulset,pod,ingress"


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["SLIPWAY_REHEARSALS"] = scratch
        world = World(Path(scratch) / "dev")
        world.fill_secrets_manager()
        world.start()
        try:
            print(f"control plane with Flux   {world.cluster.seconds:6.2f} s  ({world.cluster.chart})")
            world.publish()
            world.bootstrap()
            started = time.monotonic()
            world.follow()
            print(f"first commit delivered    {time.monotonic() - started:6.2f} s")
            changes(world)
            print(f"resident, all processes   {world.cluster.processes.resident_bytes() / 2**20:6.0f} MiB")
            looks(world)
        finally:
            world.stop()


def changes(world: World) -> None:
    taken = []
    for number in range(CHANGES):
        world.publish(core=f'core:\n  podAnnotations: {{change: "{number}"}}\n')
        started = time.monotonic()
        world.follow(until=lambda chain: link(chain, "HelmRelease").state == "done")
        taken.append(time.monotonic() - started)
        world.follow()
    print(f"commit → HelmRelease      {min(taken):6.2f} s best, {median(taken):.2f} s median of {CHANGES}")


def link(chain, kind: str):
    return next(one for one in chain.links if one.name.startswith(kind))


def looks(world: World) -> None:
    kubectl = find("kubectl", progress=lambda _: None, announce=lambda _: None).path
    commands = {
        "slipway status": [
            sys.executable,
            "-c",
            "from slipway.cli import main; main()",
            "status",
            "dev",
            "--rehearsal",
        ],
        "kubectl get of the same": [str(kubectl), "--kubeconfig", str(world.cluster.kubeconfig), "get", KINDS, "-A"],
    }
    taken = {name: [] for name in commands}
    for _ in range(LOOKS):
        for name, command in commands.items():
            started = time.monotonic()
            subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
            taken[name].append(time.monotonic() - started)
    for name, seconds in taken.items():
        print(f"{name:25} {min(seconds):6.2f} s best, {median(seconds):.2f} s median of {LOOKS}")


if __name__ == "__main__":
    main()
