"""What kustomize builds from the files: hashed names written into the release, and nothing lost in silence."""

import re
import shutil
import subprocess

import pytest
import yaml

from tests.values.conftest import PROFILES, facts_of
from values.render import render

#: Objects that valuesFrom may name although the build does not make them.
EXTERNAL = {("Secret", name) for name in ("harbor-redis", "harbor-db-internal", "harbor-revisions")}


@pytest.fixture
def build(tmp_path):
    """Build a folder of the rendered files."""
    if not shutil.which("kubectl"):
        pytest.skip("no kubectl on PATH: install kubectl 1.30 or newer")

    def run(profile: str, folder: str, overrides: dict | None = None) -> list[dict]:
        for path, text in render(facts_of(profile), overrides or {}).items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        target = tmp_path / "apps" / "harbor" / profile / folder
        built = subprocess.run(["kubectl", "kustomize", str(target)], capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stderr
        return list(yaml.safe_load_all(built.stdout))

    return run


def one(objects: list[dict], kind: str) -> dict:
    (found,) = (item for item in objects if item["kind"] == kind)
    return found


@pytest.mark.parametrize("profile", PROFILES)
def test_every_document_that_the_release_reads_is_there_under_its_hashed_name(build, profile):
    objects = build(profile, "release", {"mine": "core: {replicas: 3}"})
    made = {(item["kind"], item["metadata"]["name"]) for item in objects if item["kind"] in {"ConfigMap", "Secret"}}
    read = [(entry["kind"], entry["name"]) for entry in one(objects, "HelmRelease")["spec"]["valuesFrom"]]

    assert set(read) <= made | EXTERNAL
    assert made <= set(read)
    assert all(re.fullmatch(r"harbor-values-[a-z-]+-[a-z0-9]{10}", name) for kind, name in read if kind == "ConfigMap")
    assert read[-1][1].startswith("harbor-values-override-mine-")


def test_a_changed_value_is_a_new_name_and_only_one(build):
    def names(objects):
        return {item["metadata"]["name"] for item in objects if item["kind"] == "ConfigMap"}

    before, after = (
        names(build("ha", "release", {"a": "core: {}"})),
        names(build("ha", "release", {"a": "core: {replicas: 3}"})),
    )

    assert len(before - after) == len(after - before) == 1


def test_generated_documents_are_kept_from_substitution(build):
    for item in build("ha", "release"):
        if item["kind"] == "ConfigMap":
            assert item["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/substitute"] == "disabled"
            assert item["metadata"]["namespace"] == "harbor"


@pytest.mark.parametrize("profile", PROFILES)
def test_prerequisites_build_and_keep_what_holds_data(build, profile):
    objects = build(profile, "prerequisites")

    for kind in ("Namespace", "PersistentVolume", "PersistentVolumeClaim"):
        for item in (item for item in objects if item["kind"] == kind):
            assert item["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/prune"] == "disabled"
    secrets = {item["metadata"]["name"] for item in objects if item["kind"] == "ExternalSecret"}
    assert ("harbor-secretkey" in secrets) == (profile != "kind")


def test_the_release_never_rolls_back(build):
    spec = one(build("ha", "release"), "HelmRelease")["spec"]

    assert spec["install"]["strategy"]["name"] == spec["upgrade"]["strategy"]["name"] == "RetryOnFailure"
    assert "rollback" not in str(spec)
    assert "remediation" not in str(spec)


def test_flux_waits_longer_for_the_release_than_the_release_for_itself():
    cluster = list(yaml.safe_load_all(render(facts_of("ha"))["clusters/ha/harbor.yaml"]))
    release = yaml.safe_load(render(facts_of("ha"))["apps/harbor/ha/release/release.yaml"])
    harbor = next(item for item in cluster if item["metadata"]["name"] == "harbor")

    assert int(harbor["spec"]["timeout"][:-1]) > int(release["spec"]["timeout"][:-1])
    assert harbor["spec"]["dependsOn"] == [{"name": "harbor-prerequisites"}]
    assert {item["spec"]["deletionPolicy"] for item in cluster} == {"Orphan"}
