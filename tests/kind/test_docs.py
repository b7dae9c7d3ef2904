"""docs/kind.md says what the command does: its command lists are those of --dry-run, and those are what is run."""

import re
import shlex

import pytest

from slipway.cli.console import Output
from slipway.cli.kind import _tell
from slipway.kind.authority import trust
from slipway.kind.place import Place
from tests.kind.conftest import ROOT

GUIDE = (ROOT / "docs" / "kind.md").read_text()
#: A fence whose first line says which command line it is the output of.
SHOWN = re.findall(r"^```sh\n# (slipway kind [^\n]*--dry-run[^\n]*)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
TYPED = sorted(set(re.findall(r"^\$ (slipway [^#|\n]*?)\s*(?:#.*)?$", GUIDE, re.MULTILINE)))


@pytest.fixture
def home(machine, monkeypatch):
    """Where Slipway keeps its data on Linux, whatever this machine is."""
    monkeypatch.setenv("SLIPWAY_DATA", str(machine.folder / ".local/share/slipway"))
    return machine


def test_each_way_is_there():
    assert {line for line, _ in SHOWN} == {
        "slipway kind up --dry-run",
        "slipway kind up --direct --dry-run",
        "slipway kind up --expose ingress --dry-run",
        "slipway kind down --dry-run",
    }


@pytest.mark.parametrize(("line", "commands"), SHOWN, ids=[line for line, _ in SHOWN])
def test_the_guides_commands_are_exactly_those_of_a_dry_run(home, slipway, line, commands):
    code, out, err = slipway(*shlex.split(line)[2:])

    assert code == 0, err
    assert commands == out
    assert home.asked == []


WAYS = {"flux": (), "direct": ("--direct",), "own remote": ("--remote", "https://git.example.com/gitops.git")}


@pytest.mark.parametrize("way", WAYS)
def test_a_dry_run_shows_what_a_first_run_does(machine, slipway, port, monkeypatch, way):
    monkeypatch.setattr("infra.delivery.publish.publish", lambda *_, **__: None)
    monkeypatch.setenv("SLIPWAY_GIT_READ_TOKEN", "read-only")
    options = ("--no-wait", "--host-port", port, *WAYS[way])
    _, out, _ = slipway("up", *options, "--dry-run")
    assert machine.asked == []

    code, _, err = slipway("up", *options)

    assert code == 0, err
    lines = [re.sub(r"  # .*|&$", "", line) for line in out.splitlines() if not line.startswith(("#", "export "))]
    home = str(machine.folder)
    assert [[part.replace("~", home) for part in shlex.split(line)] for line in lines] == machine.asked


def test_a_dry_run_of_down_shows_what_it_does(machine, slipway, port):
    slipway("up", "--no-wait", "--host-port", port)
    machine.forget()
    _, out, _ = slipway("down", "--dry-run")

    slipway("down", "--yes")

    assert [shlex.split(line) for line in out.splitlines()[1:]] == machine.asked


def test_a_dry_run_as_json_is_the_same_list(slipway):
    import json

    assert (
        json.loads(slipway("up", "--dry-run", "--output", "json")[1])["commands"]
        == slipway("up", "--dry-run")[1].splitlines()
    )


@pytest.mark.parametrize("line", TYPED)
def test_every_command_line_of_the_guide_is_one(slipway, line):
    from slipway.cli import run

    words = [word for word in shlex.split(line)[1:] if word not in {"--yes"}]
    code = (
        slipway(*words[1:], "--dry-run")[0]
        if words[:2] in (["kind", "up"], ["kind", "down"])
        else run([*words, "--help"])
    )

    assert code == 0


def test_how_to_log_in_and_whom_to_trust_is_said_as_after_a_run(home, capsys):
    _tell(Place(name="slipway"), Output.text)
    said = [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    authority = home.data.parent / ".local/share/slipway/kind-authority/ca.crt"
    said += re.findall(r"sudo install [^\n(]*?(?= +\()|curl --cacert [^\n]*", trust(authority, "registry.localhost"))

    assert len(said) == 4
    shown = [one.replace(str(home.folder), "~") for one in said]
    assert [one for one in shown if one not in GUIDE] == []
