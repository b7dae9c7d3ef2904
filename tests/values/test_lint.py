"""What kustomize and Flux get wrong in silence: nothing of it is in what we write, and each is found where it is."""

import copy
import shutil
import subprocess
from itertools import product
from pathlib import Path

import pytest
import yaml

from tests.values.conftest import PROFILES, exposed, facts_of
from values.composition import Composition
from values.lint import built_findings, file_findings, order_findings
from values.options import CLOUD_EXPOSURES, LOCAL_EXPOSURES
from values.render import render
from values.secrets import secrets_for

EVERYTHING = [
    *product(PROFILES[:3], CLOUD_EXPOSURES, ("efs", "s3")),
    *product(("kind",), LOCAL_EXPOSURES, ("volume",)),
]
HOME = "apps/harbor/ha"
FOLDERS = ("infrastructure", "prerequisites", "support", "release")


def kustomize(root: Path, folder: str) -> list[dict]:
    if not shutil.which("kubectl"):
        pytest.skip("no kubectl on PATH: install kubectl 1.30 or newer")
    built = subprocess.run(["kubectl", "kustomize", str(root / folder)], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return list(yaml.safe_load_all(built.stdout))


def written(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def external(facts) -> set[tuple[str, str]]:
    """Secrets that HelmReleases read and that External Secrets makes, or a kind install."""
    names = {secret.name for secret in secrets_for(Composition.of(facts).parts) if secret.is_values}
    return {("Secret", name) for name in {*names, "harbor-revisions", "harbor-db-admin"}}


@pytest.mark.parametrize(("profile", "expose", "storage"), EVERYTHING, ids="-".join)
def test_nothing_of_it_is_in_what_we_write(profile, expose, storage, tmp_path):
    facts = facts_of(profile, storage=storage, **exposed(expose, notify={"provider": "slack"}))
    files = render(facts, {"mine": "core: {replicas: 3}"})
    root = written(tmp_path, files)
    home = f"apps/harbor/{profile}"
    folders = [f"{home}/{name}" for name in FOLDERS if f"{home}/{name}/kustomization.yaml" in files]
    built = {folder: kustomize(root, folder) for folder in folders}
    cluster = f"clusters/{profile}/harbor.yaml"

    found = list(file_findings(files))
    for folder, objects in built.items():
        found += built_findings(objects, path=folder, external=external(facts))
    found += order_findings(list(yaml.safe_load_all(files[cluster])), built, path=cluster)

    assert [str(one) for one in found] == []


def built_with(tmp_path, change: dict[str, tuple[str, str]]) -> list[str]:
    """Build Harbor's own folder with some texts replaced; gives the findings."""
    facts = facts_of("ha")
    files = render(facts)
    for path, (before, after) in change.items():
        text = files[f"{HOME}/release/{path}"]
        assert before in text
        files[f"{HOME}/release/{path}"] = text.replace(before, after)
    root = written(tmp_path, files)
    objects = kustomize(root, f"{HOME}/release")
    found = [*file_findings(files), *built_findings(objects, path=f"{HOME}/release", external=external(facts))]
    return [str(one) for one in found]


def test_a_secret_with_a_generated_configmaps_name_is_rewritten_in_silence(tmp_path):
    (found,) = built_with(
        tmp_path, {"release.yaml": ("kind: Secret, name: harbor-redis", "kind: Secret, name: harbor-values-core")}
    )

    assert "names the Secret harbor-values-core-" in found
    assert "which is a generated ConfigMap's name\n    give the Secret another name" in found


def test_a_generator_without_namespace_rewrites_nothing_in_silence(tmp_path):
    found = built_with(tmp_path, {"kustomization.yaml": ("namespace: harbor\n", "")})

    assert any(
        "kustomization.yaml namespace: is absent, so the names of generated ConfigMaps are not written" in one
        for one in found
    )
    assert any("reads ConfigMap harbor-values-core, which this build does not make" in one for one in found)


def release(**spec) -> dict:
    strategy = {"strategy": {"name": "RetryOnFailure"}}
    whole = {
        "chart": {}, "releaseName": "x", "timeout": "5m", "install": strategy, "upgrade": strategy,
        "waitStrategy": {"name": "poller"}, "postRenderStrategy": "combined",
    }  # fmt: skip
    return {
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "x", "namespace": "harbor"}, "spec": whole | spec,
    }  # fmt: skip


CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "harbor"}}
VOLUME = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "v", "namespace": "harbor"}}


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        ([release(chartRef={})], "HelmRelease/x spec.chart: needs exactly one of chart and chartRef"),
        ([release(valuesFrom=[{"kind": "ConfigMap", "name": "gone"}])], "reads ConfigMap gone, which this build does not make"),
        ([release(install={"remediation": {"retries": 3}})], "spec.install.strategy: lets Flux uninstall or roll back by itself"),
        ([{**release(), "spec": {k: v for k, v in release()["spec"].items() if k != "postRenderStrategy"}}], "spec.postRenderStrategy: is left to a default"),
        ([release(values={"a": "${HOME}"})], "HelmRelease/x: holds ${…}, which Flux may take for a variable"),
        ([CONFIG, CONFIG], "ConfigMap/c: is there 2 times"),
        ([{**CONFIG, "metadata": {"name": "c"}}], "ConfigMap/c: has no namespace"),
        ([{"apiVersion": "v1", "kind": "ConfigMapList", "metadata": {"name": "l"}, "items": [CONFIG]}], "is a list, whose members nobody checks"),
        ([VOLUME], "PersistentVolumeClaim/v: would be deleted with this folder, and data with it"),
    ],
)  # fmt: skip
def test_each_is_found(objects, said):
    (found,) = built_findings(objects, path="folder")

    assert said in str(found)


def test_what_is_right_is_not_found():
    annotated = copy.deepcopy(CONFIG) | {"data": {"a": "${b}"}}
    annotated["metadata"]["annotations"] = {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}
    reads = release(
        valuesFrom=[
            {"kind": "ConfigMap", "name": "c"},
            {"kind": "Secret", "name": "s"},
            {"kind": "Secret", "name": "o", "optional": True},
        ]
    )

    assert list(built_findings([annotated, reads], path="x", external={("Secret", "s")})) == []


def test_files_with_a_key_twice_one_that_is_absent_and_one_that_nobody_lists():
    files = {
        "a/kustomization.yaml": "resources: [there.yaml, absent.yaml]\n",
        "a/there.yaml": "spec:\n  one: 1\n  one: 2\n",
        "a/forgotten.yaml": "kind: ConfigMap\n",
        "a/chart/templates/x.yaml": "{{ not: yaml }}",
    }

    assert [str(one) for one in file_findings(files)] == [
        "a/kustomization.yaml resources: names absent.yaml, which is not there",
        "a/kustomization.yaml resources: leaves out forgotten.yaml\n    list it, or do not write it",
        "a/there.yaml spec.one: stands 2 times\n    keep one of them",
    ]


def kustomization(name: str, **spec) -> dict:
    whole = {"path": "./a", "timeout": "10m", "deletionPolicy": "Orphan"}
    return {"kind": "Kustomization", "metadata": {"name": name}, "spec": whole | spec}


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        ([kustomization("x", path="./b")], "x spec.path: b is not there"),
        (
            [kustomization("x", dependsOn=[{"name": "y"}]), kustomization("y")],
            "x spec.dependsOn: y does not come before it",
        ),
        (
            [kustomization("x", deletionPolicy="MirrorPrune")],
            "renaming or deleting it would delete all that it applied",
        ),
        ([kustomization("x", timeout="5m")], "x spec.timeout: 5m is over before x's 5m"),
    ],
)
def test_an_order_that_cannot_work(cluster, said):
    (found,) = order_findings(cluster, {"a": [release()]}, path="clusters/x/harbor.yaml")

    assert said in str(found)
