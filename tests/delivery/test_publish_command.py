"""`slipway publish` of several environments: facts from a folder, one commit for each repository, one report."""

import json
import os

import pytest

from infra.assemble import renewed
from infra.stack_config import from_stack_file
from slipway.cli import run
from tests.delivery.github_host import TOKEN, serving
from tests.delivery.repositories import Repository
from tests.values.conftest import facts_of
from values.facts import Facts

STACK = """config:
  slipway:domain: {name}.example.com
  slipway:region: eu-central-1
  slipway:profile: dev
  slipway:gitops:
    repository: {repository}
{more}"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of three environments in one repository and one in another."""
    (tmp_path / "Pulumi.yaml").write_text("name: slipway\n")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "facts").mkdir()
    (tmp_path / "acme").mkdir()
    for repository in ("gitops", "other"):
        Repository(tmp_path / "acme" / f"{repository}.git")
    for name, repository in (("a1", "gitops"), ("b2", "gitops"), ("c3", "gitops"), ("d4", "other")):
        stack(tmp_path, name, repository)
        facts = facts_of("dev").model_copy(update={"environment": name, "host": f"{name}.example.com"})
        (tmp_path / "facts" / f"{name}.json").write_text(facts.to_json())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stack(folder, name: str, repository: str, more: str = "") -> None:
    url = (folder / "acme" / f"{repository}.git").as_uri()
    path = folder / "stacks" / f"Pulumi.{name}.yaml"
    path.write_text(STACK.format(name=name, repository=url, more=more))


def count(project, name: str) -> int:
    repository = Repository(project / "acme" / f"{name}.git")
    return int(repository.git("rev-list", "--count", "--all"))


def test_all_make_one_commit_in_each_repository(project, capsys):
    assert run(["publish", "--all", "--facts", "facts", "--output", "json"]) == 0

    out, err = capsys.readouterr()
    first, second = json.loads(out)["commits"]
    assert (first["environments"], second["environments"]) == (["a1", "b2", "c3"], ["d4"])
    assert first["repository"].endswith("/acme/gitops.git")
    assert first["created"]
    assert first["pullRequest"] == ""
    assert (count(project, "gitops"), count(project, "other")) == (1, 1)
    assert err.count(": committed") == 2


def test_a_dry_run_of_several_repositories_says_what_each_would_get(project, capsys):
    stack(project, "d4", "other", more="    mode: files\n    folder: out\n")

    assert run(["publish", "--all", "--facts", "facts", "--dry-run"]) == 0

    notes = [line for line in capsys.readouterr().err.splitlines() if line.endswith("would change")]
    assert [line.partition(": ")[0].rpartition("/")[2] for line in notes] == ["gitops.git main", "out"]
    assert not any(": 0 files" in line for line in notes)


def test_again_there_is_nothing_to_do(project, capsys):
    run(["publish", "--all", "--facts", "facts"])
    capsys.readouterr()

    assert run(["publish", "--all", "--facts", "facts"]) == 0
    assert capsys.readouterr().out.count("nothing to change") == 2


def test_settings_that_the_facts_do_not_carry_yet_are_told(project, capsys):
    path = project / "facts" / "a1.json"
    now = from_stack_file(project / "stacks" / "Pulumi.a1.yaml")
    path.write_text(renewed(now, Facts.from_json(path.read_text())).to_json())
    assert run(["publish", "a1", "--facts", "facts"]) == 0
    assert "newer" not in capsys.readouterr().err

    stack(project, "a1", "gitops", more="  slipway:harbor: {replicas: {portal: 3}}\n")
    assert run(["publish", "a1", "--facts", "facts"]) == 0
    out, err = capsys.readouterr()
    assert "nothing to change" in out
    assert "settings of a1 are newer than these facts: `pulumi up` brings them, this does not" in err


def test_some_by_name(project, capsys):
    assert run(["publish", "a1", "c3", "--facts", "facts"]) == 0

    out = capsys.readouterr().out
    assert "files of 2 environments" in out
    files = Repository(project / "acme" / "gitops.git").files()
    assert {path.split("/")[1] for path in files if path.startswith("clusters/")} == {"a1", "c3"}


def test_problems_of_all_are_told_at_once_and_nothing_is_pushed(project, capsys):
    (project / "facts" / "b2.json").write_text("{}")
    (project / "facts" / "c3.json").unlink()

    assert run(["publish", "--all", "--facts", "facts"]) == 2

    err = capsys.readouterr().err
    assert "facts/b2.json environment: Field required" in err
    assert "facts/c3.json: cannot be read" in err
    assert (count(project, "gitops"), count(project, "other")) == (0, 0)


def test_stack_files_are_read_before_facts(project, capsys):
    for name in ("a1", "d4"):
        stack(project, name, "gitops", more="  slipway:regoin: x\n")

    assert run(["publish", "--all", "--facts", "facts"]) == 2

    err = capsys.readouterr().err
    assert "stacks/Pulumi.a1.yaml" in err
    assert "stacks/Pulumi.d4.yaml" in err


def test_facts_of_one_are_no_facts_of_many(project, capsys):
    assert run(["publish", "--all", "--facts", "facts/a1.json"]) == 2
    assert "is one environment's facts, and 4 are published" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["a1", "--all"]])
def test_either_names_or_all(project, capsys, arguments):
    assert run(["publish", *arguments]) == 2
    assert "name environments, or give --all" in capsys.readouterr().err


def test_without_a_stack_file(project, capsys):
    for path in (project / "stacks").iterdir():
        path.unlink()

    assert run(["publish", "--all"]) == 2
    assert "there is no stack file" in capsys.readouterr().err


def test_facts_come_from_each_stack(project, capsys, monkeypatch):
    (project / "bin").mkdir()
    pulumi = project / "bin" / "pulumi"
    pulumi.write_text(
        f'#!/bin/sh\nfor last; do :; done\n[ "$last" = c3 ] && exit 255\ncat {project}/facts/$last.json\n'
    )
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{project / 'bin'}{os.pathsep}{os.environ['PATH']}")

    assert run(["publish", "a1", "b2"]) == 0
    assert run(["publish", "--all"]) == 2
    assert "--stack c3: gives no facts" in capsys.readouterr().err


def test_one_branch_in_two_ways_is_refused(project, capsys):
    stack(project, "b2", "gitops", more="    signingKey: ~/.ssh/id\n")

    assert run(["publish", "--all", "--facts", "facts"]) == 2
    assert "b2 and a1 go to one branch" in capsys.readouterr().err


def test_files_only(project, capsys):
    stack(project, "d4", "other", more="    mode: files\n    folder: build/gitops\n")

    assert run(["publish", "d4", "--facts", "facts/d4.json"]) == 0
    assert "written below" in capsys.readouterr().out
    assert (project / "build/gitops/clusters/d4/harbor.yaml").exists()
    assert run(["publish", "d4", "--facts", "facts/d4.json"]) == 0
    assert "is current" in capsys.readouterr().out
    assert count(project, "other") == 0


def test_a_pull_request_is_named(project, capsys, monkeypatch):
    repository = Repository(project / "acme" / "gitops.git")
    repository.write("README.md", "ours\n")
    monkeypatch.setenv("SLIPWAY_GIT_TOKEN", TOKEN)
    with serving() as host:
        stack(project, "a1", "gitops", more=f"    mode: pull-request\n    api: {host.url}\n")

        assert run(["publish", "a1", "--facts", "facts/a1.json"]) == 0
        assert f"the change waits in {host.pulls[0]['html_url']}" in capsys.readouterr().out
        assert run(["publish", "a1", "--facts", "facts/a1.json"]) == 0
        assert "still waits in" in capsys.readouterr().out
