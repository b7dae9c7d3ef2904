"""What Flux would hand to Helm, from the files alone."""

from copy import deepcopy

import pytest

from tests.values.conftest import facts_of
from values.merge import harbor_values, merged
from values.releases import PLACEHOLDER, applied, releases
from values.render import render

HELM_RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: one, namespace: there}
spec:
  chart: {spec: {chart: small, version: "1.2.3", sourceRef: {kind: HelmRepository, name: charts}}}
  valuesFrom:
    - {kind: ConfigMap, name: later}
    - {kind: ConfigMap, name: earlier, valuesKey: other.yaml}
    - {kind: Secret, name: password}
    - {kind: Secret, name: unknown}
    - {kind: ConfigMap, name: plain, valuesKey: word, targetPath: core.pod\\.name}
  values: {last: inline}
  postRenderers:
    - kustomize: {patches: [{target: {kind: Deployment}, patch: "[]"}], images: [{name: a, newTag: b}]}
"""
FILES = {
    "apps/harbor/x/release/release.yaml": HELM_RELEASE,
    "apps/harbor/x/release/source.yaml": "kind: HelmRepository\nmetadata: {name: charts}\nspec: {url: 'https://charts.example.com'}\n",
    "apps/harbor/x/release/kustomization.yaml": (
        "kind: Kustomization\nconfigMapGenerator:\n  - {name: later, files: [values.yaml=values/z.yaml]}\n"
        "  - {name: earlier, files: [values/other.yaml]}\n"
    ),
    "apps/harbor/x/release/values/z.yaml": "a: {b: 1, c: 1}\nlast: file\n",
    "apps/harbor/x/release/values/other.yaml": "a: {b: 2}\n",
    "apps/harbor/x/release/plain.yaml": "kind: ConfigMap\nmetadata: {name: plain}\ndata: {word: text}\n",
    "apps/harbor/x/prerequisites/secrets.yaml": (
        "kind: ExternalSecret\nmetadata: {name: password}\n"
        "spec: {target: {template: {data: {values.yaml: 'redis: {password: \"{{ .password }}\"}'}}}}\n"
    ),
}


def test_the_values_are_merged_as_helm_controller_does():
    (release,) = releases(FILES)

    assert release.values == {
        "a": {"b": 2, "c": 1},
        "redis": {"password": PLACEHOLDER},
        "core": {"pod.name": "text"},
        "last": "inline",
    }
    assert (release.name, release.namespace) == ("one", "there")
    assert (release.chart, release.version, release.repository) == ("small", "1.2.3", "https://charts.example.com")
    assert release.documents == ("later", "earlier", "password", "unknown", "plain")
    assert release.placeholders == ("password", "unknown")
    assert release.patches == ({"target": {"kind": "Deployment"}, "patch": "[]"},)
    assert release.images == ({"name": "a", "newTag": "b"},)


@pytest.mark.parametrize("profile", ["dev", "ha", "large", "kind"])
def test_harbors_release_of_each_profile(profile):
    files = render(facts_of(profile), {"mine": "core: {replicas: 7}"})
    release = next(one for one in releases(files) if one.chart == "harbor")
    secret = {"redis": {"external": {"username": PLACEHOLDER, "password": PLACEHOLDER}}} if profile != "kind" else {}

    values = deepcopy(release.values)
    digests = {
        name: part.pop("podAnnotations")
        for name, part in values.items()
        if isinstance(part, dict) and "podAnnotations" in part
    }
    assert values == merged(harbor_values(files), secret)
    assert digests.keys() == (set() if profile == "kind" else {"core", "registry", "jobservice", "exporter"})
    assert release.values["core"]["replicas"] == 7
    assert release.version == "1.19.1"
    assert release.repository == "https://helm.goharbor.io"
    # As read from Git, where files come in the order of their names.
    assert releases(dict(sorted(files.items()))) == releases(files)


def test_what_flux_applies_as_it_is_holds_no_values_and_no_chart():
    files = render(facts_of("ha")) | {"apps/harbor/ha/support/chart/templates/a.yaml": "kind: {{ .x }}"}
    kinds = {item["kind"] for items in applied(files).values() for item in items}

    assert {"HelmRelease", "HelmRepository", "ExternalSecret", "Namespace", "PersistentVolume"} <= kinds
    assert not any("/values/" in path or "/chart/" in path for path in applied(files))
