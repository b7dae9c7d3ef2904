"""Environments rendered a second in one process, each with facts of its own, with and without the contract check.

python benchmarks/render.py --environments 500
"""

import argparse
import time
from pathlib import Path

from infra.assemble import example
from infra.stack_config import from_stack_file
from values.facts import Facts
from values.render import render

ROOT = Path(__file__).parents[1]


def environments(count: int) -> list[Facts]:
    """Give facts that differ in every address, as real environments do."""
    made = []
    bases = [example(from_stack_file(ROOT / "stacks" / f"Pulumi.{name}.yaml")) for name in ("dev", "ha", "large")]
    for number in range(count):
        base = bases[number % len(bases)]
        database = base.database and base.database.model_copy(
            update={"host": f"db-{number}.example.com", "max_connections": 400 + number}
        )
        changed = {"environment": f"team-{number}", "host": f"harbor-{number}.example.com", "database": database}
        made.append(base.model_copy(update=changed))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environments", type=int, default=500)
    count = parser.parse_args().environments
    render(environments(1)[0])  # templates are compiled once
    for check in (True, False):
        facts = environments(count)
        started = time.perf_counter()
        files = sum(len(render(one, check=check)) for one in facts)
        seconds = time.perf_counter() - started
        kind = "with the contract check" if check else "without it"
        print(f"{count / seconds:6.0f} environments a second {kind}: {files} files in {seconds:.2f} s")
    print("wanted: 100 environments a second with the contract check")


if __name__ == "__main__":
    main()
