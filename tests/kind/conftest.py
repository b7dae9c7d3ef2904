"""A machine with played programs on PATH (tests/kind/program.py), a home of its own, and Slipway run on it."""

import json
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from slipway.cli import run
from slipway.kind import sources

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("program.py")
PROGRAMS = ("docker", "kind", "kubectl", "helm")


@dataclass
class Machine:
    """What there is, and what was asked."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "state.json"

    @property
    def state(self) -> dict:
        return json.loads(self.path.read_text())

    def change(self, change) -> None:
        state = self.state
        change(state)
        self.path.write_text(json.dumps(state))

    def install(self, *programs: str) -> None:
        for name in programs:
            shim = self.folder / "bin" / name
            shim.parent.mkdir(exist_ok=True)
            shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{PROGRAM}" "{self.path}" {name} "$@"\n')
            shim.chmod(0o755)

    def without(self, program: str) -> None:
        (self.folder / "bin" / program).unlink()

    def answer(
        self, *starts: str, code: int = 1, out: str = "", err: str = "", times: int = 99, after=False, hangs=False
    ) -> None:
        """Let a command say this, `times` times, in place of the usual; with `after`, once its work is done."""
        one = {
            "starts": starts, "code": code, "out": out, "err": err, "times": times, "after": after, "hangs": hangs,
        }  # fmt: skip
        self.change(lambda state: state["answers"].append(one))

    @property
    def asked(self) -> list[list[str]]:
        return [one["command"] for one in self.state["log"]]

    def forget(self) -> None:
        self.change(lambda state: (state["log"].clear(), state["answers"].clear()))

    def changes(self) -> list[list[str]]:
        """Commands that change something."""
        reads = {"info", "version", "get", "ps", "port", "rollout", "port-forward", "export"}
        return [one for one in self.asked if one[1] not in reads or one[:3] == ["kind", "create", "cluster"]]

    def objects(self, name: str = "slipway") -> dict:
        return self.state["clusters"][name]["objects"]

    def secrets(self, name: str = "slipway") -> dict[str, dict[str, str]]:
        return {key: one["stringData"] for key, one in self.objects(name).items() if key.split("/")[1] == "Secret"}

    @property
    def data(self) -> Path:
        return self.folder / "data"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="session")
def rsa_key():
    """One key for all tests: another takes a second."""
    return sources._rsa(4096)


@pytest.fixture
def machine(tmp_path, monkeypatch, rsa_key):
    """A machine with Docker, kind, kubectl and Helm, and nothing made yet."""
    one = Machine(tmp_path)
    one.path.write_text(
        json.dumps(
            {
                "log": [],
                "answers": [],
                "clusters": {},
                "releases": {},
                "architecture": "x86_64",
                "git_port": free_port(),
            }
        )
    )
    one.install(*PROGRAMS)
    only = tmp_path / "git-only"
    only.mkdir()
    for name in ("git", "sh"):  # nothing else of this machine: it may have its own docker
        found = next(Path(part) / name for part in os.environ["PATH"].split(os.pathsep) if (Path(part) / name).exists())
        (only / name).symlink_to(found)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{only}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SLIPWAY_DATA", str(one.data))
    for variable in ("SLIPWAY_GIT_TOKEN", "SLIPWAY_GIT_READ_TOKEN", "KUBECONFIG"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(sources, "_rsa", lambda _bits: rsa_key)
    monkeypatch.chdir(ROOT)
    return one


@pytest.fixture
def slipway(machine, capsys):
    """Run a command line; gives exit code, stdout and stderr."""

    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(["kind", *arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return command


@pytest.fixture
def port():
    return str(free_port())
