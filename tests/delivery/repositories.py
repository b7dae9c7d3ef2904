"""Real repositories, real git: bare ones on disk, and the token that opens one behind smart HTTP."""

import os
import subprocess
from pathlib import Path

from infra.delivery.inputs import Inputs
from tests.values.conftest import facts_of

IDENTITY = {f"GIT_{role}_{key}": "Tester" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
TOKEN = "s3cr3t-t0ken"
READER = "r3ad-0nly"


class Repository:
    """A bare repository and what tests ask of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)
        self.git("config", "uploadpack.allowFilter", "true")

    def git(self, *arguments: str, **options) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments], capture_output=True, text=True, check=False, **options
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def head(self, branch: str = "main") -> str:
        return self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")

    def files(self) -> list[str]:
        return self.git("ls-tree", "-r", "--name-only", "main").splitlines()

    def read(self, path: str) -> str:
        return subprocess.run(
            ["git", "-C", str(self.path), "show", f"main:{path}"], capture_output=True, text=True, check=True
        ).stdout

    def write(self, path: str, text: str | None, branch: str = "main") -> None:
        """Commit one file as somebody else would; None removes it."""
        env = {**os.environ, **IDENTITY, "GIT_INDEX_FILE": str(self.path / "other-index")}
        parent = self.head(branch)
        if parent:
            self.git("read-tree", parent, env=env)
        if text is None:
            self.git("update-index", "--index-info", env=env, input=f"0 {'0' * 40}\t{path}\n")
        else:
            blob = self.git("hash-object", "-w", "--stdin", input=text)
            self.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", env=env)
        tree = self.git("write-tree", env=env)
        commit = self.git("commit-tree", tree, *(["-p", parent] if parent else []), "-m", "by hand", env=env)
        self.git("update-ref", f"refs/heads/{branch}", commit)

    def hook(self, name: str, script: str) -> None:
        path = self.path / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


def inputs(profile: str = "ha", overrides: dict | None = None, **settings) -> Inputs:
    """What a commit is made from."""
    return Inputs(facts_of(profile, **settings).to_json(), overrides or {})


def fleet(count: int, *, first: int = 0, overrides: dict | None = None) -> list[Inputs]:
    """What environments env0, env1… are made from, each with a host of its own."""
    facts = facts_of("dev")
    names = [f"env{number}" for number in range(first, first + count)]
    changed = (facts.model_copy(update={"environment": name, "host": f"{name}.example.com"}) for name in names)
    return [Inputs(one.to_json(), overrides or {}) for one in changed]
