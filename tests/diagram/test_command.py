"""`slipway diagram` as a user meets it, and the picture that the README shows."""

import json
from pathlib import Path

import pytest

from slipway.cli import run

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _project(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_the_picture_in_the_repository_is_that_of_ha(tmp_path, capsys):
    assert run(["diagram", "ha", "--out", str(tmp_path / "ha.svg")]) == 0

    out, err = capsys.readouterr()
    assert out == ""
    assert "ha.svg" in err
    kept = (ROOT / "docs" / "images" / "ha.svg").read_bytes()
    assert (tmp_path / "ha.svg").read_bytes() == kept, "out of date; draw it again: make pictures"


def test_without_a_file_it_goes_to_stdout(capsys):
    assert run(["diagram", "dev"]) == 0

    out, err = capsys.readouterr()
    assert out.startswith("<?xml")
    assert out.endswith("</svg>\n")
    assert err == ""


def test_json_is_what_the_picture_shows(capsys):
    assert run(["diagram", "dev", "--output", "json"]) == 0

    shown = json.loads(capsys.readouterr().out)
    assert shown["zones"] == ["eu-central-1a", "eu-central-1b"]
    assert [tier["id"] for tier in shown["tiers"]] == ["public", "private", "control-plane", "data"]
    assert {"source": "nodes", "target": "cache", "kind": "request", "label": "TCP 6379"} in shown["flows"]


def test_an_unknown_environment_is_told_at_once(capsys):
    assert run(["diagram", "nowhere"]) == 2

    assert "no such stack file" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_a_message(tmp_path, capsys):
    assert run(["diagram", "dev", "-o", str(tmp_path / "none" / "dev.svg")]) == 1

    assert "No such file or directory" in capsys.readouterr().err
