"""`slipway harbor migrate` and its neighbours, with the plan in a folder of the test's.

trip = Trip(harbor, tmp_path)
done = trip("plan", "--from-ecr")
"""

import contextlib
import io
import json
import os
import subprocess
from unittest import mock

from slipway.cli import run
from tests.harbor_as_code.command import start


class Trip:
    """The commands of one migration; `more` are variables of all of them."""

    def __init__(self, target, folder, **more):
        self.target, self.folder, self.more = target, folder / "harbor", more

    def __call__(self, name, *arguments):
        return self._run(*self._words(name, arguments))

    def apply(self, *arguments):
        return self._run("apply", "test", "-f", str(self.folder), "--yes", *arguments)

    def start(self, name, *arguments):
        """Begin it as a process of its own."""
        return start(self.target, *self._words(name, arguments), **self.more)

    def _run(self, *words):
        """Run it in this process: a hundred starts of Python take minutes."""
        out, error = io.StringIO(), io.StringIO()
        variables = {"SLIPWAY_HARBOR_PASSWORD": self.target.password, **self.more}
        with mock.patch.dict(os.environ, variables), contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            code = run(["harbor", *words, "--url", self.target.url])
        return subprocess.CompletedProcess(words, code, out.getvalue(), error.getvalue())

    def _words(self, name, arguments):
        place = ("--out", str(self.folder)) if name == "plan" else ("--plan", str(self.folder / "migration.json"))
        return ("migrate", name, "test", *place, *arguments)

    @property
    def plan(self):
        return json.loads((self.folder / "migration.json").read_text())

    def text(self, name):
        return (self.folder / name).read_text()

    def json(self, name, *arguments):
        done = self(name, "--output", "json", *arguments)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)


def good(done, code=0):
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done
