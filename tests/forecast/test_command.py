"""`slipway forecast` as a user meets it."""

import json
import shutil
from pathlib import Path

import pytest

from slipway.cli import run

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    shutil.copyfile(ROOT / "Pulumi.yaml", tmp_path / "Pulumi.yaml")
    shutil.copytree(ROOT / "stacks", tmp_path / "stacks")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_text_says_how_much_how_long_and_what_is_assumed(capsys):
    assert run(["forecast", "dev"]) == 0

    out = capsys.readouterr().out
    assert out.startswith("dev: $")
    assert "minutes to a serving registry" in out
    assert "50 GB stored, 50 GB pushed, 100 GB pulled a month" in out
    assert "us-east-1 × 1.1 for eu-central-1; within about 15 %" in out


def test_json_holds_every_line_and_they_sum_up(capsys):
    assert run(["forecast", "dev", "--output", "json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["monthly"] == pytest.approx(sum(line["monthly"] for line in found["lines"]), abs=0.2)
    assert set(found) == {
        "environment", "profile", "region", "regionFactor", "pricesOf", "monthly", "lines", "unpriced", "usage", "minutes",
        "violated",
    }  # fmt: skip


def test_a_comparison_shows_what_differs(capsys):
    assert run(["forecast", "dev", "--with", "sizes.nodeType=t3a.xlarge", "--output", "json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert [(one["service"], one["what"]) for one in found["differences"]] == [("EC2", "nodes")]
    assert found["after"]["monthly"] - found["before"]["monthly"] == pytest.approx(found["differences"][0]["monthly"])

    assert run(["forecast", "dev", "--compare", "ha"]) == 0
    assert capsys.readouterr().out.startswith("dev → ha: $")


def test_markdown_is_a_table_for_a_pull_request(capsys):
    assert run(["forecast", "dev", "--output", "markdown"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("### `dev`: $")
    assert lines[2:4] == ["| service | | a month |", "|---|---|---:|"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--stored-tb", "-1"], "--stored-gb: -1000 GB is not between 0"),
        (["--pulled-gb", "nan"], "is not between 0"),
        (["--pushed-gb", "1e12"], "is not between 0"),
        (["--with", "network.nt=single"], "did you mean 'nat'?"),
        (["--with", "network.nat=two"], "network.nat"),
        (["--with", "nonsense"], "is no KEY=VALUE"),
        (["--with", "storage=s3", "--compare", "ha"], "got --compare and --with"),
        (["--compare", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_forecast_is_refused(capsys, arguments, told):
    assert run(["forecast", "dev", *arguments]) == 2
    assert told in capsys.readouterr().err
