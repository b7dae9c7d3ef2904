"""The differences between two sets of files, and their summary for a commit message."""

import json
import random

import pytest

from tests.values.conftest import facts_of
from values.changes import HIDDEN, WIDTH, Change, changes, component_of, hidden, summary
from values.render import render

HOME = "apps/harbor/ha"


def core(text: str) -> dict[str, str]:
    return {f"{HOME}/release/values/core.yaml": text}


def told(before: dict[str, str], after: dict[str, str]) -> list[tuple]:
    return [(one.component, one.key, one.before, one.after) for one in changes(before, after)]


def test_a_changed_a_new_and_a_removed_value():
    before, after = core("core: {replicas: 2, gone: null, same: 1}"), core("core: {replicas: 3, new: [a], same: 1}")

    assert told(before, after) == [
        ("core", "core.replicas", "2", "3"),
        ("core", "core.gone", "null", None),
        ("core", "core.new", None, '["a"]'),
    ]


def test_comments_and_order_are_no_change():
    assert changes(core("# one\na: 1\nb: 2\n"), core("b: 2\na: 1\n")) == ()


def test_a_value_that_moves_to_another_document_is_no_change():
    metrics = {f"{HOME}/release/values/metrics.yaml": "metrics: {enabled: true}\n"}
    before = {f"{HOME}/release/values/common.yaml": "metrics: {enabled: true}\nproxy: {}\n"}
    after = {f"{HOME}/release/values/common.yaml": "proxy: {}\n", **metrics}

    assert changes(before, after) == ()
    assert told(before, {**after, **core("metrics: {enabled: false}")}) == [
        ("core", "metrics.enabled", None, "false"),
    ]


def test_objects_are_told_apart_by_kind_and_name():
    path = f"{HOME}/prerequisites/volumes.yaml"
    text = "kind: PersistentVolume\nmetadata: {name: one}\nspec: {size: 1}\n---\nkind: StorageClass\nmetadata: {name: gp3}\n"

    assert told({path: text}, {path: text.replace("size: 1", "size: 2")}) == [
        ("prerequisites", "PersistentVolume/one spec.size", "1", "2")
    ]


@pytest.mark.parametrize(
    ("path", "component"),
    [
        ("clusters/ha/harbor.yaml", "flux"),
        ("teams/registry/clusters/ha/harbor.yaml", "flux"),
        (f"{HOME}/facts.json", "facts"),
        (f"{HOME}/.slipway.lock.json", ""),
        (f"{HOME}/release/release.yaml", "flux"),
        (f"{HOME}/release/values/override-mail.yaml", "override-mail"),
        (f"teams/{HOME}/release/values/trivy.yaml", "trivy"),
        (f"{HOME}/support/chart/templates/policies.yaml", "support"),
        (f"{HOME}/infrastructure/controllers/one.yaml", "infrastructure"),
        (f"{HOME}/manifests/core.yaml", "core"),
    ],
)
def test_the_component_of_a_file(path, component):
    assert component_of(path) == component


def test_a_template_of_a_chart_is_one_value():
    path = f"{HOME}/support/chart/templates/a.yaml"
    (change,) = changes({path: "a: {{ .x }}\n"}, {path: "a: {{ .y }}\n"})

    assert change.key == "support/chart/templates/a.yaml"
    assert change.before != change.after


def test_a_real_change_of_settings():
    found = changes(render(facts_of("ha")), render(facts_of("ha", storage="s3")))

    assert Change(
        component="common", key="persistence.imageChartStorage.type", before='"filesystem"', after='"s3"'
    ) in found  # fmt: skip
    assert {one.component for one in found} == {"common", "facts", "prerequisites", "support"}
    assert changes(render(facts_of("ha")), render(facts_of("ha"))) == ()


def test_the_summary_is_grouped_and_plain():
    before = core("core: {replicas: 2}") | {f"{HOME}/release/values/trivy.yaml": "trivy: {enabled: true}"}
    after = core("core: {replicas: 3}") | {f"{HOME}/release/values/trivy.yaml": "trivy: {replicas: 2}"}

    assert summary(changes(before, after)) == (
        "core\n    core.replicas: 2 → 3\ntrivy\n  - trivy.enabled: true\n  + trivy.replicas: 2"
    )
    assert summary(()) == ""


@pytest.mark.parametrize("count", [1, 37, 38, 39, 40, 41, 500])
def test_the_summary_is_short_whatever_changes(count):
    after = core("".join(f"key{number}: {'x' * 300}\n" for number in range(count)))
    lines = summary(changes({}, after)).splitlines()

    assert len(lines) <= 40
    assert max(map(len, lines)) <= WIDTH
    shown = sum(line.startswith("  ") for line in lines)
    assert shown == count if count <= 39 else lines[-1] == f"and {count - shown} more"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("harborAdminPassword", '"Harbor12345"'),
        ("database.external.password", '"abc"'),
        ("core.secret", '"not-a-secure-key"'),
        ("registry.credentials.htpasswdString", '"u:x"'),
        ("core.extraEnvVars", '[{"name": "X", "value": "rediss://harbor:pw@host"}]'),
        ("common.tls", json.dumps("-----BEGIN RSA PRIVATE KEY-----\n")),
        ("any", '"AKIAIOSFODNN7EXAMPLE"'),
        ("any", '"wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"'),
        ("any", '"harbor:$2b$12$abcdefghij"'),
    ],
)
def test_what_looks_like_a_secret_is_hidden(key, text):
    change = Change(component="core", key=key, before=None, after=text)

    assert hidden(key, text) == HIDDEN
    assert text not in summary([change])


def test_everything_of_an_environment_can_be_read():
    """Names of Secrets, addresses and policies are no secrets: a review needs them."""
    for storage in ("efs", "s3"):
        new = changes({}, render(facts_of("ha", storage=storage)))

        assert [one.key for one in new if hidden(one.key, one.after) == HIDDEN] == []


@pytest.mark.parametrize("seed", range(200))
def test_a_change_if_and_only_if_the_values_differ(seed):
    draw = random.Random(seed)

    def value(depth: int) -> object:
        kind = draw.choice(["map", "map", "list", "leaf"]) if depth else "leaf"
        if kind == "map":
            return {draw.choice("abc"): value(depth - 1) for _ in range(draw.randrange(3))}
        if kind == "list":
            return [value(depth - 1) for _ in range(draw.randrange(3))]
        return draw.choice([None, True, 0, 1, "", "text"])

    before, after = ({draw.choice("abc"): value(2) for _ in range(2)} for _ in range(2))
    found = changes(core(json.dumps(before)), core(json.dumps(after)))

    assert (found == ()) == (json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True))
    assert len(found) == len({one.key for one in found})
