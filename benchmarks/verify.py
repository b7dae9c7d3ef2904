"""`slipway verify` against the contract server and the real distribution server behind it: seconds, and memory by size.

python benchmarks/verify.py --sizes 36MiB,1GiB

The read-only part, then the round trip with layers of each size. Both sides share this machine's cores; the memory is
that of the verifying process alone, at its peak, in a process of its own for each size.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from pydantic import SecretStr

from slipway.cli.verify import _bytes
from slipway.verify.catalogue import CHECKS
from slipway.verify.check import select
from slipway.verify.scene import Options, Target
from slipway.verify.verify import verify
from tests.harbor.process import HarborServer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="36MiB,1GiB")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(*arguments.one)))
        return
    with tempfile.TemporaryDirectory() as folder, HarborServer(Path(folder)).running() as harbor:
        harbor.registry_answers()
        for latency in ("none", "real"):
            harbor.latency(latency)
            for size in ["read-only", *(arguments.sizes.split(",") if latency == "none" else ["36MiB"])]:
                show(latency, size, measured(harbor.url, size))


def measured(url: str, size: str) -> dict:
    """Verify in a process of its own, so that its peak is its own."""
    command = [sys.executable, __file__, "--one", url, size]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def one(url: str, size: str) -> dict:
    read_only = size == "read-only"
    options = Options() if read_only else Options(blob_size=_bytes(size))
    target = Target(url=url, password=SecretStr("Harbor12345"))
    before, started = peak(), time.perf_counter()
    report = asyncio.run(verify(target, options, select(CHECKS, read_only=read_only)))
    seconds, said = time.perf_counter() - started, {one.check.id: one.says for one in report.outcomes}
    return {
        "seconds": seconds,
        "before": before,
        "peak": peak(),
        "verdict": report.verdict,
        "rate": [said.get(f"round-trip.{name}", "").rpartition(", ")[2] for name in ("upload", "blob")],
    }


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def show(latency: str, size: str, found: dict) -> None:
    rates = "" if size == "read-only" else f"   push {found['rate'][0]}, pull {found['rate'][1]}"
    print(
        f"latency {latency:5} {size:10} {found['verdict']}  {found['seconds']:6.2f} s"
        f"   memory {found['before']:.0f} MB before, {found['peak']:.0f} MB at its peak{rates}",
        flush=True,
    )


if __name__ == "__main__":
    main()
