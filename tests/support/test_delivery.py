"""How the chart reaches Flux: its files in Git, its version, and the release that reads them."""

import re
import shutil
import subprocess

import pytest
import yaml

from tests.support.conftest import EVERYTHING, environment
from tests.support.test_chart import filled
from values import support
from values.composition import Composition
from values.support import chart_files, chart_version, images, support_files


def files_of(profile: str, **settings) -> dict[str, str]:
    facts = environment(profile, **settings)
    return support_files(facts, Composition.of(facts))


def test_the_chart_is_small_complete_and_read_once():
    dev, large = files_of("dev"), files_of("large", harbor=EVERYTHING)
    chart = {path: text for path, text in dev.items() if path.startswith("support/chart/")}

    assert 4 < len(chart) <= 10
    assert all(large[path] is text for path, text in chart.items())
    assert "support/chart/README.md" not in chart


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of the chart that a test may change."""
    shutil.copytree(support.CHART, tmp_path / "chart")
    monkeypatch.setattr(support, "CHART", tmp_path / "chart")
    chart_files.cache_clear()
    yield tmp_path / "chart"
    chart_files.cache_clear()


@pytest.mark.parametrize("name", sorted(chart_files()))
def test_every_change_of_the_chart_is_a_new_version(copied, name):
    before = chart_version()
    chart_files.cache_clear()
    (copied / name).write_text((copied / name).read_text() + "# changed\n")

    assert re.fullmatch(r"1\.0\.0\+[0-9a-f]{8}", before)
    assert re.fullmatch(r"1\.0\.0\+[0-9a-f]{8}", chart_version())
    assert chart_version() != before


def test_the_release_names_the_version_that_is_beside_it():
    files = files_of("ha", gitops={"repository": "https://git.example.com/g.git", "path": "platform"})
    release = yaml.safe_load(files["support/release.yaml"])["spec"]
    source = release["chart"]["spec"]

    assert yaml.safe_load(files["support/chart/Chart.yaml"])["version"] == source["version"]
    assert source["chart"] == "./platform/apps/harbor/ha/support/chart"
    assert source["sourceRef"] == {"kind": "GitRepository", "name": "flux-system", "namespace": "flux-system"}
    assert source["reconcileStrategy"] == "ChartVersion"
    assert release["driftDetection"] == {"mode": "enabled"}
    for action in ("install", "upgrade"):
        assert release[action]["strategy"]["name"] == "RetryOnFailure"
        assert release[action]["crds"] == "Skip"
        assert "remediation" not in release[action]


def test_nothing_that_kustomize_builds_looks_like_a_variable():
    files = files_of("large", harbor=EVERYTHING)

    assert not [path for path, text in files.items() if "${" in text.replace("${…}", "") and "/chart/" not in path]


@pytest.mark.parametrize("profile", ["dev", "ha", "large", "kind"])
def test_the_release_reads_the_values_by_their_hashed_name(profile, tmp_path):
    if not shutil.which("kubectl"):
        pytest.skip("no kubectl on PATH: install kubectl 1.30 or newer")
    for path, text in files_of(profile).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    built = subprocess.run(
        ["kubectl", "kustomize", str(tmp_path / "support")], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    objects = {(item["kind"], item["metadata"]["name"]): item for item in yaml.safe_load_all(built.stdout)}
    (config_map,) = (name for kind, name in objects if kind == "ConfigMap")
    read = [entry["name"] for entry in objects["HelmRelease", "harbor-support"]["spec"]["valuesFrom"]]

    assert re.fullmatch(r"harbor-support-values-[a-z0-9]{10}", config_map)
    assert read == [config_map, *(["harbor-db-admin"] if profile != "kind" else [])]
    annotations = objects["ConfigMap", config_map]["metadata"]["annotations"]
    assert annotations == {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}


def test_job_and_password_are_of_the_same_moment(tmp_path):
    """One Secret holds both, so the job of a new digest never finds the old password."""
    secret = yaml.safe_load(files_of("ha")["support/database.yaml"])["spec"]
    data = secret["target"]["template"]["data"]
    values = yaml.safe_load(filled(data["values.yaml"], tmp_path, harbor_password="s3cret"))
    sources = {entry["secretKey"]: entry["remoteRef"] for entry in secret["data"]}

    assert values == {"database": {"revision": "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0"}}
    assert sources["harbor_password"] == {"key": "harbor/ha/harbor-db", "property": "password"}
    assert sources["password"]["key"].startswith("arn:aws:secretsmanager:")


def test_without_the_master_users_secret_there_is_no_job_and_nothing_of_it():
    facts = environment("ha")
    facts = facts.model_copy(update={"database": facts.database.model_copy(update={"admin_secret_name": ""})})
    files = support_files(facts, Composition.of(facts))

    assert "support/database.yaml" not in files
    written = "".join(text for path, text in files.items() if "/chart/" not in path)
    assert "database-job" not in written
    assert "harbor-db-admin" not in written


def test_the_images_of_the_jobs_are_told():
    facts = environment("ha", harbor=EVERYTHING)

    assert images(facts) == [
        "registry.example.com/aws/docker/library/postgres:17.6-alpine",
        "registry.example.com/slipway:1.0.0",
    ]
    assert images(environment("kind")) == []
