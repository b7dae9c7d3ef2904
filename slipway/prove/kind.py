"""A proof on this machine: a kind cluster of its own, made, upgraded and deleted by `slipway kind`."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.errors import Problem, ProofError
from slipway.kind.cluster import State, look
from slipway.kind.commands import Commands
from slipway.kind.place import Place
from slipway.kind.secrets import value_of
from slipway.prove.commands import Command
from slipway.prove.part import Part, status_says, verify_says
from slipway.prove.record import Record

_UP = "up"
#: Where kind's own registry is not.
_PORTS = range(30102, 30200)
_PASSWORD = "SLIPWAY_HARBOR_PASSWORD"  # noqa: S105  # a name


@dataclass(frozen=True, kw_only=True)
class KindStage:
    """A proof on kind (`slipway.prove.part.Stage`).

    Attributes:
        root: the project.
        record: of the proof.
        skip: steps that the user left out.
    """

    root: Path
    record: Record
    skip: frozenset[str] = frozenset()

    @cached_property
    def place(self) -> Place:
        """The cluster."""
        return Place(name=self.record.name, host_port=self.record.port, chart_version=self.record.charts[0])

    def parts(self) -> list[Part]:
        """Give the steps."""
        status = Part(name="status", command=self._status(), says=status_says)
        without = dict.fromkeys(self.skip, "left out by --skip")
        verify = Part(
            name="verify",
            command=self._verify(),
            more=self._password,
            says=verify_says,
            essential=False,
            left_out=without.get("verify", ""),
        )
        return [
            Part(name=_UP, command=self._up(self.record.charts[0]), before=self._refuse_taken, pays=True),
            status,
            verify,
            Part(name="upgrade", command=self._up(self.record.charts[1]), left_out=without.get("upgrade", "")),
            Part(
                name="verify again",
                command=self._verify(),
                more=self._password,
                says=verify_says,
                essential=False,
                left_out=without.get("verify") or without.get("upgrade", ""),
            ),
        ]

    def ending(self) -> list[Part]:
        """Give the steps of the end."""
        if not self.record.begun_with(_UP):
            return []
        down = ("kind", "down", "--name", self.record.name, "--yes")
        return [Part(name="teardown", command=self._command("slipway", *down))]

    def remains(self) -> list[str]:
        """Ask kind."""
        if not self.record.begun_with(_UP):
            return []
        clusters = self._commands.attempt("kind", "get", "clusters")
        if clusters.code:
            return [f"maybe the kind cluster {self.record.name}: `kind get clusters` failed"]
        there = self.record.name in clusters.out.split()
        return [f"the kind cluster {self.record.name}"] if there else []

    def facts(self) -> Mapping[str, Any]:
        """Say what is proved."""
        return {"profile": "kind", "exposure": self.place.expose}

    def programs(self) -> Mapping[str, tuple[str, ...]]:
        """Give the programs that take part."""
        return {
            "docker": ("docker", "version", "--format", "{{.Server.Version}}"),
            "kind": ("kind", "version"),
            "kubectl": ("kubectl", "version", "--client"),
            "git": ("git", "--version"),
        }

    # --- the commands

    @property
    def _commands(self) -> Commands:
        return Commands(self.place.kubeconfig)

    def _up(self, chart: str) -> Command:
        where = ("--name", self.record.name, "--host-port", str(self.record.port))
        return self._command("slipway", "kind", "up", *where, "--chart-version", chart, "--output", "json")

    def _status(self) -> Command:
        return self._command("slipway", "kind", "status", "--name", self.record.name, "--output", "json")

    def _verify(self) -> Command:
        words = ("verify", self.place.url, "--kubeconfig", str(self.place.kubeconfig), "--output", "json")
        return self._command("slipway", *words)

    def _password(self) -> Mapping[str, str]:
        return {_PASSWORD: value_of(self._commands, "harbor", "harbor-admin", "HARBOR_ADMIN_PASSWORD")}

    def _command(self, *words: str) -> Command:
        return Command(words=words, cwd=self.root)

    def _refuse_taken(self) -> None:
        """Refuse a cluster of that name that this proof did not make, also one of the user's `slipway kind up`."""
        if self.record.begun_with(_UP) or look(self._commands, self.place) is State.absent:
            return
        what = f"there is a kind cluster {self.record.name} that no proof made"
        fix = f"it is left alone; if it may go: kind delete cluster --name {self.record.name}"
        raise ProofError(Problem(where=f"kind cluster {self.record.name}", what=what, fix=fix))


def free_port() -> int:
    """Give a port of this machine that nobody listens at.

    Raises:
        ProofError: there is none.
    """
    for port in _PORTS:
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    where = f"127.0.0.1:{_PORTS.start}-{_PORTS.stop - 1}"
    raise ProofError(Problem(where=where, what="every port is taken", fix="stop what listens there"))
