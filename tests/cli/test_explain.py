"""slipway explain: which layer set a setting or a value, every layer in order, and what a value follows."""

import json

import pytest

from slipway.cli import run
from slipway.explain.chart import value_keys
from slipway.explain.follows import SETTINGS
from slipway.explain.settings import origins, setting_keys
from tests.values.conftest import facts_of

STACK = """config:
  slipway:domain: registry.ha.example.com
  slipway:region: eu-central-1
  slipway:group: emea
  slipway:profile: ha
  slipway:network:
    cidr: 10.1.0.0/16
    nat: regional
  slipway:gitToken: {secure: v1:abc}
"""
SHARED = "gitops: {repository: https://git.example.com/gitops.git}\nnetwork: {nat: single}\ntags: {team: registry}\n"
GROUP = "network:\n  nat: per-zone\ntags: {region: emea}\nharbor: {replicas: {core: 3}}\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose environment ha has every layer."""
    (tmp_path / "Pulumi.yaml").write_text("name: slipway\n")
    (tmp_path / "stacks" / "groups").mkdir(parents=True)
    (tmp_path / "stacks" / "ha" / "values").mkdir(parents=True)
    (tmp_path / "stacks" / "Pulumi.ha.yaml").write_text(STACK)
    (tmp_path / "stacks" / "defaults.yaml").write_text(SHARED)
    (tmp_path / "stacks" / "groups" / "emea.yaml").write_text(GROUP)
    (tmp_path / "stacks" / "ha" / "values" / "mine.yaml").write_text(
        "# The launch is on Monday.\nportal: {replicas: 4}\ncore:\n  podLabels: {team: registry}\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(capsys, *arguments: str) -> str:
    assert run(["explain", "ha", *arguments]) == 0
    return capsys.readouterr().out


def answers(capsys, *arguments: str) -> list[dict]:
    return json.loads(told(capsys, *arguments, "--output", "json"))


def test_every_layer_of_a_setting_in_order_with_the_one_that_counts(project, capsys):
    assert told(capsys, "network.nat") == (
        "network.nat = regional\n"
        "  NAT: `single` (cheap, one zone's loss cuts egress), `per-zone`, `regional`, or `none`. Default by profile.\n"
        "  profile ha               per-zone\n"
        "  stacks/defaults.yaml     single    stacks/defaults.yaml:2\n"
        "  stacks/groups/emea.yaml  per-zone  stacks/groups/emea.yaml:2\n"
        "→ stacks/Pulumi.ha.yaml    regional  stacks/Pulumi.ha.yaml:8\n"
    )


def test_the_same_as_json(project, capsys):
    (answer,) = answers(capsys, "network.nat")

    assert [(one["layer"], one["value"], one["place"], one["effective"]) for one in answer["layers"]] == [
        ("profile ha", "per-zone", "", False),
        ("stacks/defaults.yaml", "single", "stacks/defaults.yaml:2", False),
        ("stacks/groups/emea.yaml", "per-zone", "stacks/groups/emea.yaml:2", False),
        ("stacks/Pulumi.ha.yaml", "regional", "stacks/Pulumi.ha.yaml:8", True),
    ]
    assert answer["why"].startswith("NAT: ")
    assert (answer["kind"], answer["value"]) == ("setting", "regional")


def test_a_mapping_is_put_together_and_each_file_that_gives_to_it_counts(project, capsys):
    (answer,) = answers(capsys, "tags")

    assert answer["value"] == {"team": "registry", "region": "emea"}
    assert [one["layer"] for one in answer["layers"] if one["effective"]] == [
        "stacks/defaults.yaml",
        "stacks/groups/emea.yaml",
    ]


def test_a_null_gives_the_profile_back(project, capsys):
    path = project / "stacks" / "Pulumi.ha.yaml"
    path.write_text(path.read_text().replace("nat: regional", "nat: null"))
    (project / "stacks" / "groups" / "emea.yaml").write_text("{}\n")
    (project / "stacks" / "defaults.yaml").write_text(SHARED.replace("network: {nat: single}\n", ""))
    (answer,) = answers(capsys, "network.nat")

    assert answer["value"] == "per-zone"
    assert [one["layer"] for one in answer["layers"] if one["effective"]] == ["profile ha"]


def test_without_a_key_what_differs_from_the_defaults(project, capsys):
    found = {one["key"]: one["value"] for one in answers(capsys)}

    assert found == {
        "domain": "registry.ha.example.com",
        "region": "eu-central-1",
        "gitops.repository": "https://git.example.com/gitops.git",
        "group": "emea",
        "tags": {"team": "registry", "region": "emea"},
        "network.cidr": "10.1.0.0/16",
        "network.nat": "regional",
        "harbor.replicas.core": 3,
        "gitToken": "(encrypted)",
    }
    assert "v1:abc" not in told(capsys)


def test_a_section_lists_its_settings_and_their_origin(project, capsys):
    lines = told(capsys, "harbor.replicas").splitlines()

    assert lines[0].split() == ["harbor.replicas.core", "3", "stacks/groups/emea.yaml:4"]
    assert lines[1].split() == ["harbor.replicas.portal", "2", "profile", "ha"]


def test_a_generated_value_and_the_settings_that_it_follows(project, capsys):
    (answer,) = answers(capsys, "core.replicas")

    (layer,) = answer["layers"]
    assert layer["layer"] == "generated core.yaml"
    assert layer["place"].startswith("apps/harbor/ha/release/values/core.yaml:")
    # The profile's count is not asked, since the group names one.
    assert answer["follows"] == [{"key": "harbor.replicas.core", "value": 3, "from": "stacks/groups/emea.yaml:4"}]


def test_what_a_value_is_computed_from_is_found_by_trying(project, capsys):
    (answer,) = answers(capsys, "database.maxOpenConns")

    assert {one["key"] for one in answer["follows"]} >= {"profile", "sizes.databaseClass", "harbor.replicas.core"}
    assert "harbor.replicas.portal" not in {one["key"] for one in answer["follows"]}
    assert "→ generated common.yaml" in told(capsys, "database.maxOpenConns")


def test_the_comment_beside_a_value_is_its_reason(project, capsys):
    (answer,) = answers(capsys, "core.secretName")

    assert answer["why"] == "Signs tokens; RSA, and the same on all replicas."


def test_an_override_counts_over_what_is_generated(project, capsys):
    (answer,) = answers(capsys, "portal.replicas")

    assert [(one["layer"], one["value"], one["effective"]) for one in answer["layers"]] == [
        ("generated portal.yaml", 2, False),
        ("override mine.yaml", 4, True),
    ]
    assert answer["layers"][1]["place"] == "stacks/ha/values/mine.yaml:2"
    assert answer["why"] == "The launch is on Monday."


def test_a_value_that_a_secret_brings_is_named_and_not_shown(project, capsys):
    (answer,) = answers(capsys, "redis.external.password")

    assert (answer["value"], answer["layers"][0]["layer"]) == ("(secret)", "Secret harbor-redis")


def test_a_key_inside_a_mapping_of_the_users_own(project, capsys):
    (answer,) = answers(capsys, "expose.ingress.annotations.alb.ingress.kubernetes.io/scheme")

    assert answer["value"] == "internet-facing"
    assert [one["key"] for one in answer["follows"]] == ["harbor.expose.internal"]


def test_a_value_that_nobody_sets(project, capsys):
    assert "nobody sets it" in told(capsys, "core.revisionHistoryLimit")


def test_a_name_that_is_a_section_of_both_shows_both(project, capsys):
    kinds = {one["key"]: one["kind"] for one in answers(capsys, "database")}

    assert kinds["database.postgresVersion"] == "setting"
    assert kinds["database.type"] == "value"


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("network.natt", "did you mean 'network.nat'?"),
        ("core.replcas", "did you mean 'core.replicas'?"),
        ("nat", "did you mean 'network.nat'?"),
    ],
)
def test_an_unknown_key_says_which_is_near(project, capsys, key, hint):
    assert run(["explain", "ha", key]) == 2
    assert f"there is no setting and no value of the chart called '{key}'; {hint}" in capsys.readouterr().err


def test_real_facts(project, capsys):
    (project / "facts.json").write_text(facts_of("ha").to_json())

    (answer,) = answers(capsys, "redis.external.addr", "--facts", "facts.json")

    assert answer["value"] == "master.harbor-cache.abc123.euc1.cache.amazonaws.com:6379"
    assert {"key": "fact cache.host", "value": None, "from": "pulumi up"} in answer["follows"]


def test_a_bad_stack_file_is_reported(project, capsys):
    (project / "stacks" / "defaults.yaml").write_text(f"{SHARED}colour: red\n")

    assert run(["explain", "ha"]) == 2
    assert "stacks/defaults.yaml:4 colour: unknown setting 'colour'" in capsys.readouterr().err


def test_no_name_means_two_things():
    settings, values = set(setting_keys()), set(value_keys("1.19.1"))

    assert settings & values == set()
    assert set(SETTINGS.values()) <= settings | {"storage"}


@pytest.mark.parametrize("profile", ["dev", "ha", "large"])
def test_the_profiles_layer_says_what_the_settings_use(project, profile):
    """The explanation is written beside the settings' own properties; here they are held together."""
    from values.composition import Composition

    path = project / "stacks" / "Pulumi.ha.yaml"
    path.write_text(
        f"config:\n  slipway:domain: a.example.com\n  slipway:region: eu-central-1\n  slipway:profile: {profile}\n"
    )
    (project / "stacks" / "defaults.yaml").write_text("gitops: {repository: https://git.example.com/gitops.git}\n")
    found = origins(path)
    settings, layer = found.settings, found.layers[1].values
    composition = Composition.of(facts_of(profile))

    assert layer["zones"] == list(settings.zone_names)
    assert layer["network"]["nat"] == settings.nat
    assert layer["dns"]["healthCheck"] == settings.health_check
    assert layer["database"]["backupRetentionDays"] == settings.database_retention_days
    assert layer["backup"]["copyRegion"] == settings.copy_region
    assert layer["alarms"]["monthlyBudgetUsd"] == settings.monthly_budget_usd
    assert layer["sizes"] == settings.sized.model_dump(by_alias=True)
    assert layer["harbor"]["monitoring"]["metrics"] == composition.metrics
    assert {name: layer["harbor"]["replicas"][name] for name in composition.replicas} == composition.replicas
    assert found.layers[0].values["harbor"]["expose"]["type"] == composition.expose
