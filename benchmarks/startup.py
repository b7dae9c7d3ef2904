"""Whole processes, from start to exit: `slipway --help` and `slipway render`, beside an interpreter that does nothing.

python benchmarks/startup.py --runs 20
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

SLIPWAY = str(Path(sys.executable).parent / "slipway")
ROOT = Path(__file__).parents[1]
#: What runs, and how long it may take in seconds on a laptop; None for the yardstick.
CASES: dict[str, tuple[list[str], float | None]] = {
    "python -c pass": ([sys.executable, "-c", "pass"], None),
    "slipway --help": ([SLIPWAY, "--help"], 0.15),
    "slipway render ha": ([SLIPWAY, "render", "ha"], 0.30),
    "slipway schema --check": ([SLIPWAY, "schema", "--check"], None),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    seconds: dict[str, list[float]] = {name: [] for name in CASES}
    # Interleaved, so that a machine that is busy for a while is busy for all.
    for _ in range(runs + 1):
        for name, (command, _) in CASES.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
            seconds[name].append(time.perf_counter() - started)
    for name, (_, target) in CASES.items():
        warm = seconds[name][1:]
        wanted = f", wanted {target:.2f} s" if target else ""
        print(f"{name:24} median {statistics.median(warm):.3f} s, best {min(warm):.3f} s{wanted}")


if __name__ == "__main__":
    main()
