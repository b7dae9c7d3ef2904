"""A proof with no cloud: a rehearsal of its own, and somebody else's Harbor to verify, since a rehearsed one is played.

The engine, Git, the API server and Flux are real; AWS, the nodes and the pods on them are played.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra import tables
from infra.errors import Problem, ProofError
from infra.layers import SECRETS
from infra.settings import Settings
from infra.stack_config import PROJECT, STACKS, stack_file
from slipway.prove import stack
from slipway.prove.commands import Command
from slipway.prove.part import Part, rehearse_says, status_says, upgrade_says, verify_says
from slipway.prove.record import Record
from slipway.rehearse.cluster.processes import Processes
from slipway.rehearse.folders import cluster_folder, rehearsal_folder
from slipway.upgrade.stack_file import write_version

_UP = "up"


@dataclass(frozen=True, kw_only=True)
class RehearsalStage:
    """A proof on the rehearsal (`slipway.prove.part.Stage`).

    Attributes:
        root: the project.
        settings: of the environment that is proved.
        record: of the proof.
        registry: address of the Harbor to verify; empty for none.
        skip: steps that the user left out.
    """

    root: Path
    settings: Settings
    record: Record
    registry: str = ""
    skip: frozenset[str] = frozenset()

    @property
    def folder(self) -> Path:
        """Of the rehearsal."""
        return rehearsal_folder(self.root, self.record.name)

    def parts(self) -> list[Part]:
        """Give the steps."""
        without = dict.fromkeys(self.skip, "left out by --skip")
        name, verify = self.record.name, ("slipway", "verify", self.registry, "--output", "json")
        status = ("slipway", "status", name, "--rehearsal", "--wait", "--timeout", "5m", "--output", "json")
        return [
            Part(name=_UP, command=self._rehearse("--keep"), before=self._begin, says=rehearse_says),
            Part(name="status", command=self._command(*status), says=status_says),
            Part(
                name="verify",
                command=self._command(*verify),
                says=verify_says,
                essential=False,
                left_out=without.get("verify", ""),
            ),
            Part(
                name="upgrade",
                command=self._upgrade(),
                more=self._to_its_git,
                says=upgrade_says,
                after=self._keep_version,
                before=self._copy_project,
                left_out=without.get("upgrade", ""),
            ),
            Part(
                name="verify again",
                command=self._command(*verify),
                says=verify_says,
                essential=False,
                left_out=without.get("verify") or without.get("upgrade", ""),
            ),
        ]

    def ending(self) -> list[Part]:
        """Give the steps of the end; without a whole stack there is nothing to play a teardown with."""
        if not self.record.begun_with(_UP):
            return []
        played = Part(
            name="teardown",
            command=self._rehearse("--teardown", "delete-data"),
            says=rehearse_says,
            essential=False,
            left_out="" if self.record.passed(_UP) else "there is no whole stack to tear down",
        )
        return [played, Part(name="clear away", after=self._clear)]

    def remains(self) -> list[str]:
        """Look for processes and files."""
        if not self.record.begun_with(_UP):
            return []
        left = [f"the process {name}" for name in Processes(cluster_folder(self.folder)).names()]
        return [*left, *(str(path) for path in (self.folder, stack_file(self.root, self.record.name)) if path.exists())]

    def facts(self) -> Mapping[str, Any]:
        """Say what is proved."""
        return {**stack.facts_of(self.settings), "registry": "given by --registry" if self.registry else "none"}

    def programs(self) -> Mapping[str, tuple[str, ...]]:
        """Give the programs that take part, beside those that the rehearsal builds."""
        return {"git": ("git", "--version")}

    # --- the commands

    def _rehearse(self, *more: str) -> Command:
        return self._command("slipway", "rehearse", "run", self.record.name, "--speed", "0", *more, "--output", "json")

    def _upgrade(self) -> Command:
        """Upgrade in a copy of the project, whose settings lead to the rehearsal's Git."""
        project = ("-C", str(self._project))
        options = ("--to", self.record.charts[1], "--apply", "--yes", "--rehearsal", "--output", "json")
        return self._command("slipway", *project, "upgrade", self.record.name, *options)

    def _to_its_git(self) -> Mapping[str, str]:
        from slipway.rehearse.cluster.played.internet import proxy_variables  # noqa: PLC0415
        from slipway.rehearse.cluster.played.plan import Plan  # noqa: PLC0415

        plan = Plan.read(cluster_folder(self.folder))
        return {
            "SLIPWAY_REHEARSALS": str(self.folder.parent),
            "SLIPWAY_GIT_TOKEN": plan.writer,
            **proxy_variables(plan.port),
        }

    def _command(self, *words: str) -> Command:
        return Command(words=words, cwd=self.root)

    # --- the files

    def _begin(self) -> None:
        if not self.record.begun_with(_UP):
            stack.refuse_taken(self.root, self.record.name)
            if self.folder.exists():
                fix = "it is left alone; if it may go, remove the folder"
                raise ProofError(Problem(where=str(self.folder), what="is there, and no proof made it", fix=fix))
        changes = stack.derived(self.settings, self.record.name, self.record.charts)
        stack_file(self.root, self.record.name).unlink(missing_ok=True)
        stack.write(self.root, self.record.environment, self.record.name, changes)

    @property
    def _project(self) -> Path:
        return self.record.folder / "project"

    def _copy_project(self) -> None:
        """Copy what the upgrade reads and edits: the rehearsal's settings without its passwords, the team's values."""
        name, target = self.record.name, stack_file(self._project, self.record.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.root / "Pulumi.yaml", self._project / "Pulumi.yaml")
        document = tables.parse_yaml(stack_file(self.folder / "project", name).read_text())
        secret = {f"{PROJECT}:{key}" for key in SECRETS}
        config = {key: value for key, value in document["config"].items() if key not in secret}
        target.write_text(yaml.safe_dump({"config": config}))
        if (values := self.root / STACKS / name).is_dir():
            shutil.copytree(values, self._project / STACKS / name, dirs_exist_ok=True)

    def _keep_version(self) -> None:
        """Bring the new version into the project's stack file, as the upgrade of a real stack does."""
        write_version(stack_file(self.root, self.record.name), self.record.charts[1])

    def _clear(self) -> None:
        Processes(cluster_folder(self.folder)).stop()
        for folder in (self.folder, self._project):
            shutil.rmtree(folder, ignore_errors=True)
        stack.remove(self.root, self.record.name)
