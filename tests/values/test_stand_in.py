"""The stand-in chart has the official chart's surface, so that a rehearsal without the official one means the same."""

import pytest

from slipway.rehearse.cluster.charts import write_repository
from tests.values.conftest import PROFILES
from tests.values.test_chart import manifests, objects, one, values_of
from values.merge import merged

#: What the cluster and the status look at.
SURFACE = {"Deployment", "StatefulSet", "Service", "Ingress", "PersistentVolumeClaim"}


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """The chart as a Helm repository would serve it."""
    monkeypatch.setenv("SLIPWAY_CHART_CACHE", str(tmp_path / "none"))
    assert not write_repository(tmp_path, "1.19.1").official
    return tmp_path / "harbor-1.19.1.tgz"


def names(text: str) -> set[tuple[str, str]]:
    return {(item["kind"], item["metadata"]["name"]) for item in objects(text) if item["kind"] in SURFACE}


@pytest.mark.parametrize("profile", PROFILES)
def test_two_renders_give_identical_bytes(stand_in, profile):
    assert manifests(stand_in, values_of(profile)) == manifests(stand_in, values_of(profile))


@pytest.mark.parametrize("profile", [profile for profile in PROFILES if profile != "kind"])
def test_its_objects_have_the_official_names(stand_in, chart, profile):
    assert names(manifests(stand_in, values_of(profile))) == names(manifests(chart, values_of(profile)))


def test_a_value_of_one_component_rolls_that_component_alone(stand_in):
    before = objects(manifests(stand_in, values_of("ha")))
    after = objects(manifests(stand_in, merged(values_of("ha"), {"jobservice": {"maxJobWorkers": 77}})))

    def templates(items):
        return {
            item["metadata"]["name"]: item["spec"]["template"] for item in items if "template" in item.get("spec", {})
        }

    changed = {name for name, template in templates(after).items() if templates(before)[name] != template}
    assert changed == {"harbor-jobservice"}


def test_redis_password_reaches_the_configuration_as_in_the_official_chart(stand_in):
    config = one(objects(manifests(stand_in, values_of("ha"))), "ConfigMap", "harbor-core")

    assert "://harbor:made-up@" in config["data"]["REDIS_URL"]


@pytest.mark.parametrize(
    ("values", "message"),
    [({"externalURL": ""}, "externalURL must not be empty"), ({"expose": {"type": "pigeon"}}, "pigeon")],
)
def test_a_wrong_value_fails_the_rendering(stand_in, values, message):
    with pytest.raises(Exception, match=message):
        manifests(stand_in, merged(values_of("dev"), values))
