"""Run every benchmark of this folder, one after the other; docs/performance.md says what they mean."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main() -> None:
    for path in sorted(FOLDER.glob("*.py")):
        if path.name != Path(__file__).name:
            print(f"\n# {path.name}", flush=True)
            subprocess.run([sys.executable, str(path)], check=True, cwd=FOLDER.parent)


if __name__ == "__main__":
    main()
