"""docs/harbor-as-code.md's pipelines: their hosts' schemas take them, shellcheck reads them, and each command exists."""

import re
import shlex
import subprocess
import sys

import pytest
import yaml

from tests.graph.graphs import ROOT
from tests.harbor_as_code.command import environ
from tests.login_kit.test_snippets import checked, shellcheck

PAGE = (ROOT / "docs" / "harbor-as-code.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(# \S+\n.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FILES = {block.split("\n")[0].removeprefix("# "): block for block in BLOCKS}
GITHUB, GITLAB = ".github/workflows/harbor.yml", ".gitlab-ci.yml"
SCHEMAS = {GITHUB: "github-workflows", GITLAB: "gitlab-ci"}


def scripts():
    workflow, pipeline = yaml.safe_load(FILES[GITHUB]), yaml.safe_load(FILES[GITLAB])
    for job in workflow["jobs"].values():
        # What GitHub puts in before the shell reads it.
        yield from (re.sub(r"\$\{\{.*?\}\}", "7", step["run"]) for step in job["steps"] if "run" in step)
    for job in pipeline.values():
        yield "\n".join([*job.get("before_script", []), *job.get("script", [])])


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_host_takes_it(name, tmp_path):
    done = checked(SCHEMAS[name], [FILES[name]], tmp_path)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "right", "wrong"), [(GITHUB, "runs-on:", "run-on:"), (GITLAB, "needs: [", "needs: [7, ")]
)
def test_the_schemas_find_what_is_wrong(name, right, wrong, tmp_path):
    assert right in FILES[name]
    assert checked(SCHEMAS[name], [FILES[name].replace(right, wrong)], tmp_path).returncode != 0


@pytest.mark.parametrize("text", list(scripts()))
def test_shellcheck_finds_nothing(text):
    done = shellcheck(text)

    assert done.returncode == 0, done.stdout


def commands():
    text = "\n".join(scripts())
    return sorted(set(re.findall(r"python -m (slipway [^|>\n]+)", text)))


@pytest.mark.parametrize("line", commands())
def test_every_command_in_them_is_one(line):
    words = shlex.split(line)
    done = subprocess.run(
        [sys.executable, "-m", *words[:3], "--help"], env=environ_of(), capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert [word for word in words if word.startswith("--") and word not in done.stdout] == []


def environ_of():
    class Nobody:
        password = ""

    return environ(Nobody)


def test_two_never_apply_at_once_and_no_password_is_stored():
    workflow, pipeline = yaml.safe_load(FILES[GITHUB]), yaml.safe_load(FILES[GITLAB])

    assert workflow["concurrency"] == {"group": "harbor-prod", "cancel-in-progress": False}
    assert workflow["permissions"]["id-token"] == "write"
    assert {pipeline[name]["resource_group"] for name in ("harbor-apply", "harbor-drift")} == {"harbor-prod"}
    assert "secrets." not in FILES[GITHUB]
    assert "PASSWORD" not in FILES[GITHUB] + FILES[GITLAB]


def test_the_settings_on_the_page_are_taken():
    from infra.settings import Settings

    (text,) = (block for name, block in FILES.items() if name.endswith("Pulumi.prod.yaml"))
    options = yaml.safe_load(text)["slipway:harbor"]
    values = {
        "domain": "harbor.example.com",
        "region": "eu-central-1",
        "gitops": {"repository": "https://git.example.com/g.git"},
        "harbor": options,
    }

    assert Settings.parse("prod", values).harbor.layer3.rotate == "23 4 * * *"
