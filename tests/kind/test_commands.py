"""The runner of other people's programs: what they read, what they say, and that somebody is told while they run."""

import time

import pytest

from infra.errors import KindError
from slipway.kind import commands as module
from slipway.kind.commands import Commands, shown


def test_a_long_command_is_told_of_and_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_TELL_SECONDS", 0.1)
    told = []
    text = "x" * 200_000  # more than a pipe holds

    answer = Commands(tmp_path / "kubeconfig", told.append).attempt(
        "sh", "-c", "sleep 0.4; cat; echo b >&2; exit 3", stdin=text
    )

    assert (answer.code, answer.out, answer.err) == (3, text, "b\n")
    assert len(told) >= 2
    assert told[0].startswith("sh -c sleep 0.4")


def test_a_command_that_does_not_read_is_no_error(tmp_path):
    assert Commands(tmp_path / "kubeconfig").attempt("true", stdin="x" * 200_000).code == 0


def test_what_runs_beside_ends_with_the_block_and_may_talk_on(tmp_path):
    lines = "echo first; i=0; while [ $i -lt 20000 ]; do echo talk; i=$((i+1)); done; touch done; exec sleep 60"
    with Commands(tmp_path / "kubeconfig").background("sh", "-c", f"cd {tmp_path}; {lines}") as said:
        assert said == "first\n"
        for _ in range(200):
            if (tmp_path / "done").exists():
                break
            time.sleep(0.05)
        assert (tmp_path / "done").exists()


def test_what_ends_before_it_says_anything_failed(tmp_path):
    with pytest.raises(KindError, match="ended with 4"), Commands(tmp_path).background("sh", "-c", "exit 4"):
        pass


def test_shown_as_a_person_would_type_it(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")

    assert shown(("kubectl", "--filename", "/home/me/a b/c.yaml", "{.x}")) == "kubectl --filename ~'/a b/c.yaml' '{.x}'"
