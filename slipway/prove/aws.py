"""A proof in an AWS account: a Pulumi stack of its own, made by the user's own `pulumi` and torn down again."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra import tables
from infra.naming import Names
from infra.settings import Settings
from infra.stack_config import stack_file
from slipway.prove import account, stack
from slipway.prove.commands import Command
from slipway.prove.part import Part, pulumi_says, status_says, upgrade_says, verify_says
from slipway.prove.record import Record

_ASKED_SECONDS = 60
_STACK, _UP, _REACH = "make a stack of its own", "up", "reach the cluster"


@dataclass(frozen=True, kw_only=True)
class AwsStage:
    """A proof on AWS (`slipway.prove.part.Stage`).

    Attributes:
        root: the project.
        settings: of the environment that is proved.
        record: of the proof.
        skip: steps that the user left out.
    """

    root: Path
    settings: Settings
    record: Record
    skip: frozenset[str] = frozenset()

    @property
    def kubeconfig(self) -> Path:
        """The cluster's, and no other: the user's own is never touched."""
        return self.record.folder / "kubeconfig"

    def parts(self) -> list[Part]:
        """Give the steps."""
        name, reached = self.record.name, ("--kubeconfig", str(self.kubeconfig))
        verify = self._command("slipway", "verify", name, *reached, "--output", "json")
        upgrade = (name, "--to", self.record.charts[1], "--apply", "--yes", *reached, "--output", "json")
        status = ("status", name, "--wait", "--timeout", "60m", *reached, "--output", "json")
        left_out = dict.fromkeys(self.skip, "left out by --skip")
        return [
            Part(name=_STACK, command=self._init(), before=self._refuse_taken, after=self._write),
            Part(name=_UP, command=self._pulumi("up"), says=pulumi_says, pays=True),
            Part(name=_REACH, command=self._reach()),
            Part(name="status", command=self._command("slipway", *status), says=status_says),
            Part(name="verify", command=verify, says=verify_says, essential=False, left_out=left_out.get("verify", "")),
            Part(
                name="upgrade",
                command=self._command("slipway", "upgrade", *upgrade),
                says=upgrade_says,
                left_out=left_out.get("upgrade", ""),
            ),
            Part(
                name="verify again",
                command=verify,
                says=verify_says,
                essential=False,
                left_out=left_out.get("verify") or left_out.get("upgrade", ""),
            ),
        ]

    def ending(self) -> list[Part]:
        """Give the steps of the end; Pulumi destroys whatever the orderly teardown could not."""
        if not (self.record.passed(_STACK) or self._is_made):
            return []
        name = self.record.name
        is_reached = self.record.passed(_REACH)
        cluster = ("--kubeconfig", str(self.kubeconfig)) if is_reached else ("--skip-cluster",)
        orderly = ("teardown", name, "--delete-data", "--confirm", name, *cluster, "--output", "json")
        destroy = Part(name="destroy", command=self._pulumi("destroy", "--continue-on-error"), says=pulumi_says)
        return [
            Part(name="teardown", command=self._command("slipway", *orderly), otherwise=destroy),
            Part(
                name="remove the stack",
                command=self._command("pulumi", "stack", "rm", name, "--yes", "--non-interactive"),
                after=lambda: stack.remove(self.root, name),
            ),
        ]

    def remains(self) -> list[str]:
        """Ask Pulumi's state, and AWS by the tags that everything carries."""
        left = [*self._in_state(), *account.remains(self.record.name, self.settings.region)]
        if self._is_made:
            left.append(f"the stack {self.record.name}: {self._path}")
        return left

    def facts(self) -> Mapping[str, Any]:
        """Say what is proved."""
        return stack.facts_of(self.settings)

    def programs(self) -> Mapping[str, tuple[str, ...]]:
        """Give the programs that take part."""
        return {"pulumi": ("pulumi", "version"), "aws": ("aws", "--version"), "git": ("git", "--version")}

    # --- the commands

    def _init(self) -> Command:
        if self._is_made:  # by a run that was killed before it could say so
            return self._command("pulumi", "stack", "--stack", self.record.name, "--show-name")
        of_the_environment = tables.parse_yaml(stack_file(self.root, self.record.environment).read_text())
        provider = of_the_environment.get("secretsprovider")
        encrypted = ("--secrets-provider", provider) if provider else ()
        copied = ("--copy-config-from", self.record.environment)
        words = ("stack", "init", self.record.name, *copied, *encrypted, "--no-select", "--non-interactive")
        return self._command("pulumi", *words)

    def _pulumi(self, operation: str, *more: str) -> Command:
        asked = ("--stack", self.record.name, "--yes", "--non-interactive", "--color", "never")
        return self._command("pulumi", operation, *asked, *more)

    def _reach(self) -> Command:
        cluster = Names(self.record.name).physical()
        where = ("--region", self.settings.region, "--kubeconfig", str(self.kubeconfig))
        return self._command("aws", "eks", "update-kubeconfig", "--name", cluster, *where)

    def _command(self, *words: str) -> Command:
        return Command(words=words, cwd=self.root)

    # --- the stack

    @property
    def _path(self) -> Path:
        return stack_file(self.root, self.record.name)

    @property
    def _is_made(self) -> bool:
        return self._path.exists() and self.record.begun_with(_STACK)

    def _refuse_taken(self) -> None:
        if not self.record.begun_with(_STACK):
            stack.refuse_taken(self.root, self.record.name)

    def _write(self) -> None:
        changes = stack.derived(self.settings, self.record.name, self.record.charts)
        stack.write(self.root, self.record.environment, self.record.name, changes)

    def _in_state(self) -> list[str]:
        if not self._is_made:
            return []
        command = ["pulumi", "stack", "export", "--stack", self.record.name, "--non-interactive"]
        try:
            done = subprocess.run(
                command, cwd=self.root, capture_output=True, text=True, check=True, timeout=_ASKED_SECONDS
            )
            resources = json.loads(done.stdout)["deployment"].get("resources") or []
        except (OSError, subprocess.SubprocessError, ValueError, LookupError):
            return [f"what the state of {self.record.name} holds: it could not be read"]
        return [
            f"{one['type']} {one['urn'].rpartition('::')[2]}"
            for one in resources
            if one.get("custom") and one["type"].startswith("aws:")
        ]
