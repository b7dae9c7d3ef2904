"""The stack that the user's own `pulumi` works on, with its prompts and its output as they are."""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra import tables
from infra.errors import Problem, TeardownError
from infra.stack_config import PROJECT, stack_file


@dataclass(frozen=True, kw_only=True)
class PulumiStack:
    """A stack of the project (`slipway.teardown.procedure.Stack`).

    Attributes:
        pulumi: path of the command.
        root: the project's folder.
        environment: the stack's name.
        asks: leave it to Pulumi to show a preview and ask before each step.
    """

    pulumi: str
    root: Path
    environment: str
    asks: bool

    def deployment(self) -> Mapping[str, Any]:
        """Give the state.

        Raises:
            TeardownError: no such stack, no login, or no way to the backend.
        """
        command = [self.pulumi, "stack", "export", "--stack", self.environment, "--non-interactive"]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        if done.returncode:
            raise self._failed("pulumi stack export", done.returncode, done.stderr.strip())
        return json.loads(done.stdout)["deployment"]

    def up(self, *, targets: Sequence[str], settings: Mapping[str, Any]) -> None:
        """Run `pulumi up` with a stack file of its own, so that the team's stays as it is.

        Raises:
            TeardownError: it failed, or was declined.
        """
        document = tables.parse_yaml(stack_file(self.root, self.environment).read_text())
        document["config"] |= {f"{PROJECT}:{key}": value for key, value in settings.items()}
        with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
            path = Path(folder) / f"Pulumi.{self.environment}.yaml"
            path.write_text(yaml.safe_dump(document))
            self._run("up", "--config-file", str(path), *(part for urn in targets for part in ("--target", urn)))

    def destroy(self, *, keep_protected: bool) -> None:
        """Run `pulumi destroy`.

        Raises:
            TeardownError: it failed, or was declined.
        """
        self._run("destroy", *(("--exclude-protected",) if keep_protected else ()))

    def _run(self, operation: str, *arguments: str) -> None:
        answer = () if self.asks else ("--yes", "--non-interactive")
        command = [self.pulumi, operation, "--stack", self.environment, *arguments, *answer]
        with subprocess.Popen(command, cwd=self.root) as process:
            try:
                code = process.wait()
            except KeyboardInterrupt:
                # A terminal's Ctrl-C reaches Pulumi as well: it writes its state and gives its lock back.
                process.wait()
                raise
        if code:
            raise self._failed(f"pulumi {operation}", code, "")

    def _failed(self, what: str, code: int, words: str) -> TeardownError:
        return TeardownError(
            Problem(
                where=what,
                what=f"ended with exit code {code}",
                fix=f"mend it, then run `slipway teardown {self.environment}` again: it goes on from here",
            ),
            detail=words,
        )
