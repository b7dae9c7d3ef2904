"""Rendered manifests in Git: Harbor's objects in place of its release, by the same publisher."""

import json

import pytest
import yaml

from infra.charts import cached
from infra.delivery.publish import publish
from infra.errors import WouldUninstall
from tests.delivery.repositories import inputs
from tests.values.conftest import CHARTS
from values.errors import ValuesError

MANIFESTS = {"gitops": {"repository": "https://git.example.com/gitops.git", "content": "manifests"}}


@pytest.fixture(autouse=True)
def _official_chart(monkeypatch):
    monkeypatch.setenv("SLIPWAY_CHART_CACHE", str(CHARTS))
    if not cached("1.19.1").exists():
        pytest.skip(f"no {cached('1.19.1')}: helm pull harbor --repo https://helm.goharbor.io --version 1.19.1")


def test_objects_are_published_and_the_same_ones_are_no_commit(repository, remote):
    published = publish(remote, inputs(**MANIFESTS))

    core = list(yaml.safe_load_all(repository.read("apps/harbor/ha/manifests/core.yaml")))
    assert {"Deployment", "Service", "ConfigMap", "Secret"} <= {item["kind"] for item in core}
    assert not [path for path in repository.files() if "/release/" in path]
    assert 'path: "./apps/harbor/ha/manifests"' in repository.read("clusters/ha/harbor.yaml")
    assert json.loads(repository.read("apps/harbor/ha/facts.json"))["content"] == "manifests"
    assert publish(remote, inputs(**MANIFESTS)).commit == published.commit


@pytest.mark.parametrize(("before", "after"), [({}, MANIFESTS), (MANIFESTS, {})])
def test_the_other_content_would_uninstall_harbor_and_is_refused(repository, remote, before, after):
    publish(remote, inputs(**before))
    head = repository.head()

    with pytest.raises(WouldUninstall, match=r"Flux takes away what is no longer in Git, which is Harbor"):
        publish(remote, inputs(**after), take_over=True)
    assert repository.head() == head


def test_what_is_not_pinned_is_refused_with_its_reason(repository, remote):
    with pytest.raises(ValuesError):
        publish(remote, inputs("ha", {"mine": "core: {existingXsrfSecret: null}"}, **MANIFESTS))

    assert repository.git("branch", "--list") == ""
