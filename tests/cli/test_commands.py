"""The commands around rendering and publishing, as a user meets them: streams, exit codes, messages."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from slipway.cli import run
from tests.delivery.repositories import Repository
from tests.values.conftest import facts_of

ROOT = Path(__file__).parents[2]
STACK = """config:
  slipway:domain: registry.ha.example.com
  slipway:region: eu-central-1
  slipway:gitops:
    repository: {repository}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose environment ha publishes to a bare repository."""
    (tmp_path / "Pulumi.yaml").write_text("name: slipway\n")
    (tmp_path / "stacks").mkdir()
    repository = Repository(tmp_path / "gitops.git")
    (tmp_path / "stacks" / "Pulumi.ha.yaml").write_text(STACK.format(repository=repository.path.as_uri()))
    (tmp_path / "facts.json").write_text(facts_of("ha").to_json())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_render_shows_every_file_under_its_path(project, capsys):
    assert run(["render", "ha"]) == 0

    out, err = capsys.readouterr()
    assert "# Source: apps/harbor/ha/release/values/core.yaml\n" in out
    assert out.count("# Source: ") == 37
    assert '"example": true' in out
    assert err == ""


def test_render_with_real_facts_from_a_file_or_stdin(project, capsys, monkeypatch):
    assert run(["render", "ha", "--facts", "facts.json", "--output", "json"]) == 0
    from_file = json.loads(capsys.readouterr().out)
    monkeypatch.setattr("sys.stdin", io.StringIO((project / "facts.json").read_text()))
    assert run(["render", "ha", "--facts", "-", "--output", "json"]) == 0

    assert json.loads(capsys.readouterr().out) == from_file
    assert json.loads(from_file["apps/harbor/ha/facts.json"])["example"] is False


def test_render_writes_files_below_a_folder(project, capsys):
    assert run(["render", "ha", "--out", "build"]) == 0

    assert (project / "build/clusters/ha/harbor.yaml").exists()
    assert capsys.readouterr().out == ""


def test_a_folder_that_cannot_be_written_to(project, capsys):
    (project / "file").write_text("")

    assert run(["render", "ha", "--out", "file"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_teams_overrides_are_rendered_and_checked(project, capsys):
    folder = project / "stacks" / "ha" / "values"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text("core: {replcas: 3}\n")

    assert run(["render", "ha"]) == 1
    assert (
        "error: stacks/ha/values/mine.yaml core.replcas: the chart 1.19.1 has no such key; did you mean 'replicas'?"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", "facts.json environment: Field required"),
        ("not json", "facts.json: Invalid JSON"),
        (facts_of("dev").to_json(), "these are the facts of dev, not of ha"),
    ],
)
def test_bad_facts(project, capsys, text, expected):
    (project / "facts.json").write_text(text)

    assert run(["render", "ha", "--facts", "facts.json"]) == 2
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            {"gitopsPath": "../../other"},
            "facts.json gitopsPath: Value error, is not a plain folder inside the repository",
        ),
        ({"host": "registry example"}, "facts.json host: String should match pattern"),
    ],
)
def test_facts_of_a_wrong_form(project, capsys, changed, expected):
    (project / "facts.json").write_text(json.dumps(json.loads(facts_of("ha").to_json()) | changed))

    assert run(["render", "ha", "--facts", "facts.json"]) == 2
    assert expected in capsys.readouterr().err


def test_facts_that_are_no_text(project, capsys):
    (project / "facts.json").write_bytes(b"\xff\xfe{")

    assert run(["render", "ha", "--facts", "facts.json"]) == 2
    assert "error: facts.json: is not UTF-8 text" in capsys.readouterr().err


def test_facts_that_are_not_there(project, capsys):
    assert run(["render", "ha", "--facts", "nowhere.json"]) == 2
    assert "nowhere.json: cannot be read: No such file or directory" in capsys.readouterr().err


def test_an_unknown_environment_names_the_known_ones(project, capsys):
    assert run(["render", "prod"]) == 2
    assert "environments here: ha" in capsys.readouterr().err


def test_publish_commits_once_and_then_nothing(project, capsys):
    assert run(["publish", "ha", "--facts", "facts.json"]) == 0
    assert re.search(r"committed [0-9a-f]{40}: 37 files", capsys.readouterr().out)

    assert run(["publish", "ha", "--facts", "facts.json", "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["created"] is False
    assert run(["publish", "ha", "--facts", "facts.json"]) == 0
    assert "nothing to change" in capsys.readouterr().out


def test_a_dry_run_pushes_nothing(project, capsys):
    assert run(["publish", "ha", "--facts", "facts.json", "--dry-run"]) == 0

    assert "37 files would change" in capsys.readouterr().out
    assert Repository(project / "gitops.git").head() == ""


def test_publish_without_facts_asks_pulumi(project, capsys, monkeypatch):
    folder = project / "bin"
    folder.mkdir()
    pulumi = folder / "pulumi"
    pulumi.write_text(f'#!/bin/sh\n[ "$*" = "stack output facts --stack ha" ] && cat {project}/facts.json\n')
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    assert run(["publish", "ha"]) == 0
    assert "committed" in capsys.readouterr().out

    pulumi.write_text("#!/bin/sh\necho 'error: no stack named ha' >&2; exit 255\n")
    assert run(["publish", "ha"]) == 2
    err = capsys.readouterr().err
    assert "run `pulumi up` first, or give --facts FILE" in err
    assert "no stack named ha" in err


def test_a_hand_edit_stops_publish_until_it_is_taken_over(project, capsys):
    run(["publish", "ha", "--facts", "facts.json"])
    repository = Repository(project / "gitops.git")
    repository.write("apps/harbor/ha/release/values/core.yaml", "edited: true\n")
    capsys.readouterr()

    assert run(["publish", "ha", "--facts", "facts.json"]) == 1
    assert "slipway publish ha --take-over" in capsys.readouterr().err
    assert run(["publish", "ha", "--facts", "facts.json", "--take-over"]) == 0


def test_example_facts_cannot_be_published(project, capsys):
    run(["render", "ha", "--output", "json"])
    (project / "facts.json").write_text(json.loads(capsys.readouterr().out)["apps/harbor/ha/facts.json"])

    assert run(["publish", "ha", "--facts", "facts.json"]) == 1
    assert "these are example facts" in capsys.readouterr().err


def test_the_schema_command_writes_checks_and_shows(project, capsys):
    assert run(["schema", "--check"]) == 1
    assert run(["schema"]) == 0
    assert run(["schema", "--check"]) == 0
    capsys.readouterr()
    assert run(["schema", "--stdout"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((project / "stacks/schema.json").read_text())


def test_a_file_that_cannot_be_written_is_said_without_a_traceback(project, capsys):
    (project / "stacks" / "schema.json").mkdir()

    assert run(["schema"]) == 1
    assert "schema.json: Is a directory" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["init", "schema", "render", "publish", "rehearse"])
def test_every_command_has_help_with_examples(command, capsys):
    assert run([command, "--help"]) == 0
    assert "Examples:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "No such command"),
        (["render"], "name environments, or give --all"),
        (["render", "ha", "--output", "xml"], "Invalid value"),
    ],
)
def test_bad_usage_ends_with_two(arguments, message, capsys):
    assert run(arguments) == 2
    assert message in capsys.readouterr().err


def slipway(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess:
    """Run the command as a process of its own, its streams in pipes."""
    return subprocess.run(
        [sys.executable, "-c", "from slipway.cli import main; main()", *arguments],
        cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT), **env}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_no_colour_into_a_pipe(project):
    done = slipway("render", "nowhere", cwd=project)

    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "\x1b" not in done.stderr + done.stdout


def test_a_reader_that_leaves_early_is_no_error(project):
    process = subprocess.Popen(
        [sys.executable, "-c", "from slipway.cli import main; main()", "render", "ha"],
        cwd=project, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    process.stdout.close()

    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_behind_the_output_is_no_traceback(project):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from slipway.cli import main; main()", "render", "ha"],
            cwd=project, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr.startswith("error: the output: No space left on device")
    assert "Traceback" not in done.stderr


def test_a_publish_that_is_told_to_end_takes_git_with_it(project):
    repository = Repository(project / "gitops.git")
    repository.hook("pre-receive", "touch ../pushing; sleep 2; exit 0")
    scratch = project / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", "from slipway.cli import main; main()", "publish", "ha", "--facts", "facts.json"],
        cwd=project, env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(scratch)}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (project / "pushing").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "Traceback" not in said
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["harbor", "plan", "prod", "--nothing"], 1),
        (["harbor", "migrate", "check"], 1),
        (["diff", "prod", "--nothing"], 1),
        (["render", "prod", "--nothing"], 2),
    ],
)
def test_wrong_usage_is_never_taken_for_differences(arguments, code, capsys):
    assert run(arguments) == code
    assert "Error: " in capsys.readouterr().err
