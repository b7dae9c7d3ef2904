"""A project in a temporary folder, rehearsed by the command as a user runs it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


class RehearsalFailed(Exception):
    """The command ended with this code and these words."""

    def __init__(self, code: int, words: str) -> None:
        self.code = code
        super().__init__(words)


class Project:
    """A clone's worth of settings, and rehearsals of them by the command, as a user runs it."""

    def __init__(self, root: Path) -> None:
        self.root, self.code = root, ROOT
        shutil.copyfile(ROOT / "Pulumi.yaml", root / "Pulumi.yaml")
        shutil.copyfile(ROOT / "__main__.py", root / "__main__.py")
        shutil.copytree(ROOT / "stacks", root / "stacks")
        self.said = ""

    def own_code(self) -> None:
        """Let the code stand in the project, as in a clone: what lies beside a stack file is looked for from there."""
        for name in ("infra", "values", "slipway", "policy", "charts", "tables", "tools", "pyproject.toml"):
            (self.root / name).symlink_to(ROOT / name)
        self.code = self.root

    def rehearse(self, environment: str = "dev", *options: str) -> dict:
        """Rehearse and give the report; what went to stderr is in `said`."""
        with self.start(environment, "--to", "commit", "--speed", "0", "--output", "json", *options) as process:
            out, self.said = process.communicate(timeout=300)
        assert "Traceback" not in self.said
        if process.returncode:
            raise RehearsalFailed(process.returncode, self.said)
        return json.loads(out)

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start the command as a user would, as a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-c", "from slipway.cli import main; main()", "rehearse", *arguments],
            cwd=self.root, env={**os.environ, "PYTHONPATH": str(self.code)}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def interrupt(self, process: subprocess.Popen, when: str, seconds: float = 60) -> tuple[int, str]:
        """Press Ctrl-C once a file of the rehearsal folder holds `when`; gives exit code and stderr."""
        deadline = time.monotonic() + seconds
        folder = self.root / ".slipway" / "rehearse" / "dev"
        while time.monotonic() < deadline and process.poll() is None:
            if any(when in path.read_text() for path in folder.glob("*.events")):
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=seconds)
        return process.returncode, err

    def git(self, *arguments: str, environment: str = "dev") -> str:
        repository = self.root / ".slipway" / "rehearse" / environment / "gitops.git"
        return subprocess.run(
            ["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()
