"""The stack file's edit: one line of a review, whatever the team has written around it."""

import difflib
from pathlib import Path

import pytest
import yaml

from infra.errors import UpgradeError
from infra.stack_config import from_stack_file
from slipway.upgrade.stack_file import KEY, edited, write_version

ROOT = Path(__file__).parents[2]

WRITTEN = """\
# yaml-language-server: $schema=schema.json
encryptionsalt: v1:abc=:v1:def:ghi==
config:
    slipway:domain:   registry.example.com   # ours
    'slipway:region': eu-central-1

    # until the audit is over
    slipway:chartVersion: {value}  # asked for by security
    slipway:gitToken: {{secure: "AAAB xyz=="}}
    slipway:zones: [a,   b,
                    c]
    slipway:tags: {{ Team: 'platform', "é": ü }}
"""


def config(text: str) -> dict:
    return yaml.safe_load(text)["config"]


@pytest.mark.parametrize("value", ["1.18.3", '"1.18.3"', "'1.18.3'"])
def test_only_the_versions_characters_change(value):
    text = WRITTEN.format(value=value)

    assert edited(text, "1.19.1") == text.replace("1.18.3", "1.19.1")


def test_the_same_version_changes_nothing():
    text = WRITTEN.format(value="1.19.1")

    assert edited(text, "1.19.1") is text


@pytest.mark.parametrize("environment", ["dev", "ha", "large"])
def test_a_file_without_the_key_gets_one_line(environment):
    text = (ROOT / "stacks" / f"Pulumi.{environment}.yaml").read_text()

    new = edited(text, "1.19.1")

    changed = [line for line in difflib.ndiff(text.splitlines(), new.splitlines()) if line[0] in "+-?"]
    assert changed == ["+   slipway:chartVersion: 1.19.1"]
    assert config(new) == {**config(text), KEY: "1.19.1"}


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "  # ours\r\n"])
def test_ends_of_lines_stay_as_they_are(end):
    text = f"config:\r\n  slipway:region: eu-central-1\r\n  slipway:domain: registry.example.com{end}"
    newline = "\r\n" if "\r" in end else "\n"

    assert edited(text, "1.19.1") == f"{text}{'' if end else newline}  slipway:chartVersion: 1.19.1{newline}"


@pytest.mark.parametrize(
    "text",
    [
        "config: {slipway:domain: registry.example.com, slipway:region: eu-central-1}\n",
        # the anchor's value would change with it
        "config:\n  slipway:domain: registry.example.com\n  slipway:tags: {chart: &v 1.18.3}\n  slipway:chartVersion: *v\n",
        "config:\n  slipway:domain: registry.example.com\n  slipway:chartVersion: >-\n    1.18.3\n",
        "config:\n  slipway:domain: registry.example.com\n  slipway:chartVersion: {secure: abc}\n",
    ],
    ids=["flow", "alias", "folded", "encrypted"],
)
def test_what_only_a_person_should_edit_is_left_alone(text, tmp_path):
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text(text)

    with pytest.raises(UpgradeError, match=r"set it to 1\.19\.1 by hand") as refused:
        write_version(path, "1.19.1")

    assert str(path) in str(refused.value)
    assert path.read_text() == text


def test_the_file_keeps_its_rights_and_a_link_stays_a_link(tmp_path):
    target, link = tmp_path / "shared.yaml", tmp_path / "Pulumi.prod.yaml"
    target.write_text(WRITTEN.format(value="1.18.3"))
    target.chmod(0o640)
    link.symlink_to(target)

    assert write_version(link, "1.19.1")
    assert not write_version(link, "1.19.1")

    assert link.is_symlink()
    assert config(target.read_text())[KEY] == "1.19.1"
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Pulumi.prod.yaml", "shared.yaml"]


def test_a_full_disk_leaves_the_file_and_nothing_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text(WRITTEN.format(value="1.18.3"))
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))

    with pytest.raises(OSError, match="No space left"):
        write_version(path, "1.19.1")

    assert path.read_text() == WRITTEN.format(value="1.18.3")
    assert [one.name for one in tmp_path.iterdir()] == ["Pulumi.prod.yaml"]


def test_what_was_written_is_what_the_settings_read(tmp_path):
    (tmp_path / "stacks").mkdir()
    path = tmp_path / "stacks" / "Pulumi.ha.yaml"
    path.write_bytes((ROOT / "stacks" / "Pulumi.ha.yaml").read_bytes())

    write_version(path, "1.19.2")

    assert from_stack_file(path).chart_version == "1.19.2"
