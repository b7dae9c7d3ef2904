"""`slipway init`: a stack file from flags or questions, whole or not at all."""

from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from infra.stack_config import from_stack_file
from slipway.cli import run
from slipway.cli.questions import ask

FLAGS = [
    *("--domain", "harbor.example.com"),
    *("--region", "eu-west-1"),
    *("--repository", "https://git.example.com/platform/gitops.git"),
]
ENTER, DOWN, CLEAR_LINE = "\r", "\x1b[B", "\x15"


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "Pulumi.yaml").write_text("name: slipway\n")
    (tmp_path / "stacks").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_flags_alone_make_a_stack_file_that_the_reader_accepts(project, capsys):
    assert (
        run(
            [
                "init",
                "prod",
                *FLAGS,
                "--profile",
                "large",
                "--zone",
                "eu-west-1a",
                "--zone",
                "eu-west-1b",
                "--zone",
                "eu-west-1c",
                "--delegate-from",
                "example.com",
                "--admin-role",
                "arn:aws:iam::111122223333:role/platform",
                "--public-cidr",
                "203.0.113.0/24",
            ]
        )
        == 0
    )

    path = project / "stacks" / "Pulumi.prod.yaml"
    settings = from_stack_file(path)
    assert (settings.profile, settings.zone_names[2], settings.dns.delegate_from) == (
        "large",
        "eu-west-1c",
        "example.com",
    )
    assert settings.cluster.public_access_cidrs == ("203.0.113.0/24",)
    assert path.read_text().startswith("# yaml-language-server: $schema=schema.json\n")
    assert "pulumi:disable-default-providers" in path.read_text()
    assert "Next: slipway rehearse prod" in capsys.readouterr().err


def test_the_file_is_found_from_a_folder_below_the_project(project, monkeypatch):
    (project / "docs").mkdir()
    monkeypatch.chdir(project / "docs")

    assert run(["init", "prod", *FLAGS]) == 0
    assert (project / "stacks" / "Pulumi.prod.yaml").exists()


def test_missing_and_bad_flags_are_reported_together_and_nothing_is_written(project, capsys):
    assert run(["init", "prod", "--domain", "no domain", "--profile", "huge", "--zone", "x"]) == 2

    error = capsys.readouterr().err
    assert '--domain: "no domain" is not a domain name' in error
    assert "--region: region is missing" in error
    assert "--repository: repository is missing" in error
    assert "--profile: input should be 'dev', 'ha' or 'large', got \"huge\"" in error
    assert list((project / "stacks").iterdir()) == []


@pytest.mark.usefixtures("project")
def test_without_a_name_it_says_so(capsys):
    assert run(["init", *FLAGS]) == 2
    assert "ENV: " in capsys.readouterr().err


def test_an_existing_stack_file_is_kept_unless_forced(project, capsys):
    path = project / "stacks" / "Pulumi.prod.yaml"
    path.write_text("# mine\n")

    assert run(["init", "prod", *FLAGS]) == 2
    assert "exists already" in capsys.readouterr().err
    assert path.read_text() == "# mine\n"
    assert run(["init", "prod", *FLAGS, "--force"]) == 0
    assert from_stack_file(path).region == "eu-west-1"


def test_outside_a_project_it_says_where_to_go(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert run(["init", "prod", *FLAGS]) == 2
    assert "no Pulumi.yaml of the project slipway here or above" in capsys.readouterr().err


def test_a_folder_that_is_not_there(tmp_path, capsys):
    assert run(["-C", str(tmp_path / "nowhere"), "schema"]) == 2
    assert "No such file or directory" in capsys.readouterr().err


def test_questions_cover_what_the_flags_leave_open(project):
    keys = (
        f"prod{ENTER}"
        f"harbor.example.com{ENTER}"
        f"{CLEAR_LINE}eu-west-1{ENTER}"
        f"{DOWN}{ENTER}"  # from ha to large
        f"{ENTER}"  # efs
        f"https://git.example.com/gitops.git{ENTER}"
        f"nobody{ENTER}{CLEAR_LINE}arn:aws:iam::111122223333:role/platform{ENTER}"
        f"{ENTER}"  # inside the VPC
        f"{ENTER}"  # delegate from a zone of this account
        f"{ENTER}"  # its name, as proposed
    )

    answers = answer(keys, {}, project)

    assert answers == {
        "environment": "prod",
        "domain": "harbor.example.com",
        "region": "eu-west-1",
        "profile": "large",
        "storage": "efs",
        "gitops.repository": "https://git.example.com/gitops.git",
        "cluster.adminRoleArns": ["arn:aws:iam::111122223333:role/platform"],
        "cluster.publicAccessCidrs": [],
        "dns.delegateFrom": "example.com",
    }


def test_a_bad_answer_is_not_taken(project):
    given = {
        "environment": "prod",
        "region": "eu-west-1",
        "profile": "ha",
        "storage": "efs",
        "cluster.adminRoleArns": [],
        "cluster.publicAccessCidrs": [],
        "dns.delegateFrom": "example.com",
    }
    keys = f"nodomain{ENTER}{CLEAR_LINE}harbor.example.com{ENTER}https://git.example.com/gitops.git{ENTER}"

    assert answer(keys, given, project)["domain"] == "harbor.example.com"


def test_leaving_the_questions_writes_nothing(project):
    with pytest.raises(KeyboardInterrupt):
        answer("prod\r\x03", {}, project)


def answer(keys: str, given: dict, root: Path) -> dict:
    """Play `keys` on a terminal that is not there."""
    with create_pipe_input() as terminal, create_app_session(input=terminal, output=DummyOutput()):
        terminal.send_text(keys)
        return ask(given, root)
