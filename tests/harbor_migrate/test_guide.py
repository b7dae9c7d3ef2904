"""docs/migration.md: what it shows can be done as it stands."""

import json
import re
from pathlib import Path

from slipway.cli import run
from slipway.harbor.migrate.fragment import KEY, PASSWORD, SECRET, USERNAME

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "migration.md").read_text()


def test_the_policy_document_is_one_with_what_reading_and_copying_need():
    (block,) = re.findall(r"```json\n(.*?)```", TEXT, re.S)
    images, token = json.loads(block)["Statement"]
    # Harbor's adapter lists tags and pulls by docker's protocol, this command describes.
    assert {"ecr:DescribeRepositories", "ecr:DescribeImages", "ecr:ListImages", "ecr:BatchGetImage"} < set(
        images["Action"]
    )
    assert token == {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}


def test_every_option_and_variable_in_it_is_known(capsys):
    known = ""
    for words in (["plan"], ["run"], ["check"]):
        assert run(["harbor", "migrate", *words, "--help"]) == 0
        known += capsys.readouterr().out
    options = set(re.findall(r"--[a-z][a-z-]+", TEXT))
    assert options
    assert not {each for each in options if each not in known}
    for name in (USERNAME, PASSWORD, KEY, SECRET):
        assert name in TEXT
