"""slipway render for many environments: a summary or a folder of files, and everything that is wrong at once."""

import json

import pytest

from slipway.cli import run
from tests.values.conftest import facts_of


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of three environments that share all but their domain."""
    (tmp_path / "Pulumi.yaml").write_text("name: slipway\n")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "defaults.yaml").write_text(
        "region: eu-central-1\ngitops: {repository: https://git.example.com/gitops.git}\n"
    )
    for name in ("dev", "ha", "large"):
        (tmp_path / "stacks" / f"Pulumi.{name}.yaml").write_text(
            f"config:\n  slipway:domain: {name}.example.com\n  slipway:profile: {name}\n"
        )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def override(project, environment: str, text: str) -> None:
    folder = project / "stacks" / environment / "values"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.yaml").write_text(text)


def test_all_without_a_folder_is_a_table(project, capsys):
    override(project, "ha", "portal: {replicas: 3}\n")

    assert run(["render", "--all"]) == 0

    out, err = capsys.readouterr()
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["environment", "profile", "chart", "host", "files", "overrides"]
    assert [(row[0], row[3], row[5]) for row in rows[1:]] == [
        ("dev", "dev.example.com", "-"),
        ("ha", "ha.example.com", "mine"),
        ("large", "large.example.com", "-"),
    ]
    assert "3 environments" in err


def test_the_summary_as_json(project, capsys):
    assert run(["render", "dev", "ha", "--output", "json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert [(one["environment"], one["example"]) for one in found] == [("dev", True), ("ha", True)]
    assert all(one["files"] > 10 and one["bytes"] > 1000 for one in found)


def test_files_of_all_with_facts_of_each(project, capsys):
    (project / "facts").mkdir()
    for name in ("dev", "ha", "large"):
        (project / "facts" / f"{name}.json").write_text(facts_of(name).to_json())

    assert run(["render", "--all", "--facts", "facts", "--out", "build"]) == 0

    assert "3 environments written below build" in capsys.readouterr().err
    for name in ("dev", "ha", "large"):
        written = json.loads((project / f"build/apps/harbor/{name}/facts.json").read_text())
        assert (written["environment"], written["example"]) == (name, False)


def test_check_tells_only_what_is_wrong(project, capsys):
    assert run(["render", "--all", "--check"]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", "3 environments are right\n")

    override(project, "ha", "core: {replcas: 3}\n")
    override(project, "large", "fullnameOverride: other\n")
    assert run(["render", "--all", "--check"]) == 1
    err = capsys.readouterr().err
    assert "stacks/ha/values/mine.yaml core.replcas: the chart 1.19.1 has no such key" in err
    assert 'stacks/large/values/mine.yaml fullnameOverride: must stay "harbor", got "other"' in err


def test_what_is_wrong_anywhere_is_told_at_once_and_nothing_is_written(project, capsys):
    override(project, "large", "core: {replcas: 3}\n")
    stack = project / "stacks" / "Pulumi.ha.yaml"
    stack.write_text(f"{stack.read_text()}  slipway:zones: 3\n")

    assert run(["render", "--all", "--out", "build"]) == 2

    err = capsys.readouterr().err
    assert "Pulumi.ha.yaml:4 slipway:zones: must be a list, got 3" in err
    assert "stacks/large/values/mine.yaml core.replcas" in err
    assert not (project / "build").exists()


def test_what_is_wrong_in_a_shared_file_is_told_once(project, capsys):
    shared = project / "stacks" / "defaults.yaml"
    shared.write_text(f"{shared.read_text()}storage: nfs\n")

    assert run(["render", "--all", "--check"]) == 2
    assert capsys.readouterr().err.count("defaults.yaml:3 storage") == 1


def test_an_environment_without_facts_in_the_folder(project, capsys):
    (project / "facts").mkdir()
    (project / "facts" / "ha.json").write_text(facts_of("ha").to_json())

    assert run(["render", "ha", "--facts", "facts", "--check"]) == 0
    assert run(["render", "--all", "--facts", "facts", "--check"]) == 2
    err = capsys.readouterr().err
    assert "facts/dev.json: cannot be read: No such file or directory" in err
    assert "facts/large.json: cannot be read" in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--all", "ha"], 2, "name environments, or give --all"),
        (["--all", "--check", "--out", "x"], 2, "writes nothing, --out does"),
        (["dev", "ha", "--facts", "-"], 2, "--facts -: is one environment's facts, and 2 are rendered"),
        (["dev", "dve"], 2, "dve.yaml: no such stack file\n      environments here: dev, ha, large"),
    ],
)
def test_bad_usage(project, capsys, arguments, code, message):
    assert run(["render", *arguments]) == code
    assert message in capsys.readouterr().err


def test_all_of_nothing(tmp_path, monkeypatch, capsys):
    (tmp_path / "Pulumi.yaml").write_text("name: slipway\n")
    monkeypatch.chdir(tmp_path)

    assert run(["render", "--all"]) == 2
    assert "stacks: there is no stack file\n      `slipway init` makes the first one" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"schemaVersion": 2, "database": {"endpoint": "x"}},
            "facts.json schemaVersion: these are facts of version 2, and this Slipway reads version 1\n      run `pulumi "
            "up` with this Slipway, then take its facts again",
        ),
        ({"database": None}, "facts of ha database: is missing: profile ha runs on it"),
        (
            {"cache": {"host": "clustercfg.a.b.euc1.cache.amazonaws.com", "port": 6379, "username": "harbor"}},
            "facts of ha cache.host: is a cluster-mode endpoint",
        ),
        ({"chartVersion": "1.20.0"}, "facts of ha chartVersion: there is no contract of the chart 1.20.0"),
    ],
)
def test_facts_that_cannot_be_used(project, capsys, change, message):
    (project / "facts.json").write_text(json.dumps({**json.loads(facts_of("ha").to_json()), **change}))

    assert run(["render", "ha", "--facts", "facts.json"]) in {1, 2}
    err = capsys.readouterr().err
    assert message in err
    assert err.count("error: ") == 1


def test_progress_is_told_where_it_takes_long(project, capsys, monkeypatch):
    monkeypatch.setattr("slipway.fleet._PATIENCE", -1.0)

    assert run(["render", "--all", "--check"]) == 0
    assert "2 of 3 environments rendered" in capsys.readouterr().err
