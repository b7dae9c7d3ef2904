"""A project of its own, with played programs (tests/prove/program.py) in the place of the cloud."""

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from slipway.cli import run
from slipway.prove import account, commands
from slipway.prove.money import money_of

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("program.py")


@dataclass
class Account:
    """What there is, and what was asked."""

    root: Path
    path: Path

    @property
    def state(self) -> dict:
        return json.loads(self.path.read_text())

    def change(self, change) -> None:
        state = self.state
        change(state)
        self.path.write_text(json.dumps(state))

    def answer(self, *starts: str, code=1, out="", err="", times=99, also=False, sleeps=0.0, deaf=False) -> None:
        """Let a command say this, in place of the usual or once its work is done; with `sleeps` it takes so long."""
        one = {
            "starts": starts,
            "code": code,
            "out": out,
            "err": err,
            "times": times,
            "also": also,
            "sleeps": sleeps,
            "deaf": deaf,
        }
        self.change(lambda state: state["answers"].append(one))

    def forget(self) -> None:
        self.change(lambda state: (state["log"].clear(), state["answers"].clear()))

    @property
    def asked(self) -> list[list[str]]:
        """The commands that were run, without questions for versions and what is left."""
        ignored = (["pulumi", "version"], ["aws", "--version"])
        questions = ("export",)
        return [
            one["command"]
            for one in self.state["log"]
            if one["command"] not in ignored and not set(questions) & set(one["command"])
        ]

    @property
    def verbs(self) -> list[str]:
        return [" ".join(one[:2]) for one in self.asked]

    @property
    def works(self) -> Path:
        """Is there once a command that sleeps has begun."""
        return Path(f"{self.path}.works")

    @property
    def folder(self) -> Path:
        (folder,) = (path for path in (self.root / ".slipway" / "prove").iterdir() if path.is_dir())
        return folder

    @property
    def report(self) -> dict:
        return json.loads((self.folder / "report.json").read_text())

    @property
    def record(self) -> dict:
        return json.loads((self.folder / "record.json").read_text())


@pytest.fixture(scope="session")
def money():
    """What a proof of dev costs; to record the program takes seconds, so it is done once."""
    return money_of(ROOT, "dev", {"keepData": False})


@pytest.fixture
def played(tmp_path, monkeypatch, money):
    """A project, and programs that play an account in which nothing is yet."""
    root = tmp_path / "project"
    root.mkdir()
    shutil.copyfile(ROOT / "Pulumi.yaml", root / "Pulumi.yaml")
    shutil.copytree(ROOT / "stacks", root / "stacks")
    one = Account(root, tmp_path / "state.json")
    one.path.write_text(json.dumps({"log": [], "answers": [], "stacks": {}, "clusters": []}))
    for name in ("pulumi", "aws"):
        shim = tmp_path / "bin" / name
        shim.parent.mkdir(exist_ok=True)
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{PROGRAM}" "{one.path}" {name} "$@"\n')
        shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(commands, "SLIPWAY", (sys.executable, str(PROGRAM), str(one.path), "slipway"))
    monkeypatch.setattr("slipway.prove.prove.money_of", lambda *_: money)
    monkeypatch.setattr(account, "remains", lambda *_: [])  # tests/prove/test_account.py asks a server
    monkeypatch.chdir(root)
    return one


@pytest.fixture
def prove(played, capsys):
    """Run the command; gives exit code, stdout and stderr."""

    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(["prove", *arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return command
