"""Finding `pulumi`: too old, broken, absent, built once."""

import stat

import pytest

from infra.errors import ToolError
from slipway.rehearse import tools


@pytest.fixture
def path(tmp_path, monkeypatch):
    """An empty PATH and an empty cache; gives a function that puts programs there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SLIPWAY_PULUMI", raising=False)

    def put(name: str, script: str):
        program = folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return program

    return put


def find():
    told: list[str] = []
    return tools.find_pulumi(told.append, told.append), told


def test_a_pulumi_on_path_that_is_new_enough_is_taken(path):
    program = path("pulumi", "echo v3.300.1")

    found, told = find()

    assert (found.path, found.version, told) == (program, "3.300.1", [])


def test_one_that_is_too_old_is_said_where_none_can_be_built(path):
    path("pulumi", "echo v3.100.0")

    with pytest.raises(
        ToolError,
        match=r"is pulumi 3\.100\.0, which is older than 3\.250\.0\n    install pulumi 3\.250\.0 or newer, or Go",
    ):
        find()


@pytest.mark.usefixtures("path")
def test_no_pulumi_and_no_go():
    with pytest.raises(ToolError, match="there is no pulumi on PATH, and no go to build it with"):
        find()


@pytest.mark.parametrize(
    ("script", "reason"), [("echo hello", "does not tell its version"), ("exit 3", "does not run")]
)
def test_a_named_one_that_is_no_pulumi_is_refused(path, monkeypatch, script, reason):
    monkeypatch.setenv("SLIPWAY_PULUMI", str(path("mine", script)))

    with pytest.raises(ToolError, match=f"SLIPWAY_PULUMI: .*{reason}"):
        find()


def test_it_is_built_once_with_progress_and_found_again(path):
    # A go that takes its time to say something and then makes the program that -o names.
    path(
        "go",
        'while [ "$1" != -o ]; do shift; done; echo first/package >&2\n'
        f'printf "#!/bin/sh\\necho v{tools.built_version()}\\n" > "$2"; /bin/chmod +x "$2"',
    )

    found, told = find()
    again, told_again = find()

    assert found == again
    assert found.path.parent.parent == tools.cache_folder() / "tools"
    assert told[0].startswith(f"building pulumi {tools.built_version()} once, about five minutes")
    assert told_again == []


def test_a_build_that_fails_shows_gos_words_and_leaves_nothing(path):
    path("go", "echo 'undefined: something' >&2; exit 1")

    with pytest.raises(ToolError, match="did not build") as caught:
        find()

    assert "undefined: something" in str(caught.value)
    assert not tools.built_path().exists()
    assert [path.name for path in tools.built_path().parent.iterdir() if path.name != ".lock"] == []


def test_a_too_old_one_on_path_does_not_hide_the_built_one(path):
    path("pulumi", "echo v3.1.0")
    built = tools.built_path()
    built.parent.mkdir(parents=True)
    built.write_text(f"#!/bin/sh\necho v{tools.built_version()}\n")
    built.chmod(0o755)

    assert find()[0].path == built
