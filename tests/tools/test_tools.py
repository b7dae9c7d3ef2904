"""Finding the field's programs: too old, broken, absent, built once, damaged since."""

import shutil
import stat

import pytest

from infra import tables
from infra.errors import ToolError
from slipway.cli import run
from slipway.tools.find import find as find_tool
from slipway.tools.table import MODULES, cache_folder, tools


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


def find(name: str = "pulumi"):
    told: list[str] = []
    return find_tool(name, progress=told.append, announce=told.append), told


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
        f'printf "#!/bin/sh\\necho {tools()["pulumi"].pinned}\\n" > "$2"; /bin/chmod +x "$2"',
    )

    found, told = find()
    again, told_again = find()

    assert found == again
    assert found.path.parent.parent == cache_folder() / "tools"
    assert told[0].startswith(f"building pulumi {tools()['pulumi'].pinned} once, a few minutes")
    assert told_again == []


def test_a_build_that_fails_shows_gos_words_and_leaves_nothing(path):
    path("go", "echo 'undefined: something' >&2; exit 1")

    with pytest.raises(ToolError, match="did not build") as caught:
        find()

    assert "undefined: something" in str(caught.value)
    assert not tools()["pulumi"].built.exists()
    assert [path.name for path in tools()["pulumi"].built.parent.iterdir() if path.name != ".lock"] == []


def test_a_too_old_one_on_path_does_not_hide_the_built_one(path):
    path("pulumi", "echo v3.1.0")
    built = tools()["pulumi"].built
    built.parent.mkdir(parents=True)
    built.write_text(f"#!/bin/sh\necho {tools()['pulumi'].pinned}\n")
    built.chmod(0o755)

    assert find()[0].path == built


GO = 'while [ "$1" != -o ]; do shift; done; printf "#!/bin/sh\\necho v9.9.9\\n" > "$2"; /bin/chmod +x "$2"'


def test_a_program_that_cannot_be_asked_is_never_taken_from_path(path):
    path("helm-controller", "echo v99.0.0")

    with pytest.raises(
        ToolError,
        match="no helm-controller on PATH, and no go to build it with\n    install Go and run this again: it builds",
    ):
        find("helm-controller")


def test_every_program_has_a_module_with_sums_that_pins_it():
    for tool in tools().values():
        assert tool.pinned.startswith("v")
        assert (
            f"tool {tool.package}\n" in (tool.folder / "go.mod").read_text()
            or f"\t{tool.package}\n" in (tool.folder / "go.mod").read_text()
        )
        assert tool.requires in (tool.folder / "go.sum").read_text()
    assert {folder.name for folder in MODULES.iterdir()} == {row["module"] for row in tables.read("tools").values()}


def test_the_list_says_where_each_comes_from(path, capsys):
    path("etcd", "echo etcd Version: 3.6.1")
    path("kubectl", "echo Client Version: v1.20.0")

    assert run(["tools", "list"]) == 0

    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert " on PATH " in lines["etcd"]
    assert "3.6.1" in lines["etcd"]
    assert " to build " in lines["kubectl"]
    assert set(lines) == set(tools())


def test_a_damaged_program_is_found_removed_and_built_again(path, capsys):
    path("go", GO)
    assert run(["tools", "build", "etcd", "kubectl"]) == 0
    assert run(["tools", "verify", "etcd", "kubectl"]) == 0

    tools()["etcd"].built.write_text("half of it")

    assert run(["tools", "verify", "etcd", "kubectl"]) == 1
    assert "damaged" in capsys.readouterr().out
    assert run(["tools", "verify", "--remove"]) == 0
    assert not tools()["etcd"].built.exists()
    assert tools()["kubectl"].built.exists()
    assert run(["tools", "build", "etcd"]) == 0
    assert run(["tools", "verify", "etcd"]) == 0


def test_what_a_program_needs_beside_it_outlives_its_module(path, tmp_path, capsys):
    definitions = tmp_path / "module" / "config" / "crd" / "bases"
    definitions.mkdir(parents=True)
    path("go", f'[ "$1" = list ] && echo {tmp_path}/module && exit; {GO}')

    assert run(["tools", "build", "helm-controller"]) == 1
    assert "has no config/crd/bases/*.yaml" in capsys.readouterr().err
    assert not tools()["helm-controller"].built.exists()

    (definitions / "a.yaml").write_text("a")
    assert run(["tools", "build", "helm-controller"]) == 0
    assert [file.name for file in tools()["helm-controller"].files_folder.iterdir()] == ["a.yaml"]

    shutil.rmtree(tools()["helm-controller"].files_folder)
    assert not tools()["helm-controller"].is_built


def test_an_unknown_program_names_the_known(capsys):
    assert run(["tools", "build", "flux"]) == 2
    assert "Known: pulumi, etcd," in capsys.readouterr().err


def test_the_linker_stamps_what_programs_are_asked_for(path, tmp_path):
    path("go", f'echo "$@" > {tmp_path}/arguments; {GO}')

    find("kubectl")

    arguments = (tmp_path / "arguments").read_text()
    assert "-X k8s.io/component-base/version.gitVersion=v1.35.0" in arguments
    assert "-trimpath" in arguments
