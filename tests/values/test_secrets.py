"""The secret table, and what follows from it: docs/secrets.md, the ExternalSecrets, the chart's references."""

import os
import re
from pathlib import Path

import pytest
import yaml

from tests.values.conftest import PROFILES, facts_of
from tests.values.test_chart import manifests, objects, values_of
from values.composition import Composition
from values.render import render
from values.secrets import COPIES, SECRETS, secrets_for
from values.sources import Htpasswd, Password, RsaPrivateKey

PAGE = Path(__file__).parents[2] / "docs" / "secrets.md"
MARK, END = "<!-- table -->\n", "<!-- end -->\n"
LAYER3 = {"enabled": True, "image": "registry.example.com/slipway:1", "notify": True}
INSIDE = {"harbor.yaml": "policy: {ledger: {type: configmap}}"}
EVERYTHING = {"internalTls": True, "notify": {"provider": "slack"}, "layer3": LAYER3}


def table() -> str:
    """Give the page's two tables as Markdown."""
    rows = ["| Kubernetes Secret | key: made as | there with | read by | when it changes |", "|---|---|---|---|---|"]
    for secret in SECRETS:
        keys = "<br>".join(f"`{key}`: {source}" for key, source in secret.properties.items())
        name = f"`{secret.name}`" + (" in flux-system" if secret.namespace != "harbor" else "")
        kept = " (copied into the cluster once, immutable)" if secret.once else ""
        form = " as a values document" if secret.is_values else ""
        there = ", ".join(secret.needs) or "always"
        rows.append(
            f"| {name}{form} | {keys} | {there} | {', '.join(secret.readers) or 'Flux'} | {secret.rotation}{kept} |"
        )
    rows += ["", "| the chart writes | what | who may read it |", "|---|---|---|"]
    for copy in COPIES:
        who = "`view` and more" if copy.kind == "ConfigMap" else "administrators"
        rows.append(f"| {copy.kind} `{copy.name}` | {copy.holds} | {who}; not `harbor-viewer` |")
    return "\n".join(rows) + "\n"


def external_secrets(facts) -> dict[str, dict]:
    files = render(facts, inside=INSIDE)
    path = f"apps/harbor/{facts.environment}/prerequisites/external-secrets.yaml"
    return {item["metadata"]["name"]: item for item in yaml.safe_load_all(files[path])}


def test_the_page_is_the_table():
    head, _, rest = PAGE.read_text().partition(MARK)
    written, _, tail = rest.partition(END)
    if os.environ.get("SLIPWAY_WRITE_DOCS"):
        PAGE.write_text(f"{head}{MARK}\n{table()}\n{END}{tail}")
        return

    assert written.strip() == table().strip(), "run `make rules`"


def test_every_secret_of_an_environment_has_its_external_secret_and_none_beside_them():
    facts = facts_of("ha", storage="s3", harbor=EVERYTHING)

    named = {secret.name for secret in secrets_for(Composition.of(facts).parts)}
    late = {secret.name for secret in SECRETS if secret.late}
    assert external_secrets(facts).keys() == named - late | {"harbor-revisions"}
    assert late == {"harbor-layer3", "harbor-layer3-notify"}, "tests/support/test_layer3.py: our chart has these"
    assert named == {secret.name for secret in SECRETS} - {"harbor-db-internal"}


def test_what_must_never_change_is_copied_once_and_cannot_be_written_again():
    secrets = external_secrets(facts_of("ha"))

    for name in ("harbor-secretkey", "harbor-admin"):
        assert secrets[name]["spec"]["refreshPolicy"] == "CreatedOnce"
        assert secrets[name]["spec"]["target"]["immutable"] is True
        assert "refreshInterval" not in secrets[name]["spec"]
    assert "immutable" not in secrets["harbor-db"]["spec"]["target"]


def test_the_program_neither_replaces_nor_deletes_a_secret_value():
    from infra.durable import STATEFUL
    from tests.graph.graphs import recorded

    graph = recorded("ha", preview=False)
    (key,) = (node for node in graph.of_type("random:index/randomPassword:RandomPassword") if "secretkey" in node.name)

    assert key.protect
    assert key.retain_on_delete
    assert {"random:index/randomPassword:RandomPassword", "aws:secretsmanager/secret:Secret"} <= STATEFUL


@pytest.mark.parametrize(
    ("name", "key", "source"),
    [
        ("harbor-secretkey", "secretKey", Password(length=16)),
        ("harbor-core-shared", "secret", Password(length=16)),
        ("harbor-jobservice-shared", "JOBSERVICE_SECRET", Password(length=16)),
        ("harbor-registry-http", "REGISTRY_HTTP_SECRET", Password(length=16)),
        ("harbor-xsrf", "CSRF_KEY", Password(length=32)),
        ("harbor-token-service", "tls.key", RsaPrivateKey(bits=4096)),
    ],
)
def test_formats_are_those_that_harbor_takes(name, key, source):
    (secret,) = (secret for secret in SECRETS if secret.name == name)

    assert secret.properties[key] == source


def test_the_htpasswd_lines_user_is_the_one_that_the_values_name():
    (secret,) = (secret for secret in SECRETS if secret.name == "harbor-registry-creds")
    line = secret.properties["REGISTRY_HTPASSWD"]
    registry = yaml.safe_load(render(facts_of("ha"))["apps/harbor/ha/release/values/registry.yaml"])["registry"]

    assert isinstance(line, Htpasswd)
    assert line.username == registry["credentials"]["username"]


def test_a_rotation_rolls_its_readers_and_nobody_else():
    text = external_secrets(facts_of("ha"))["harbor-revisions"]["spec"]["target"]["template"]["data"]["values.yaml"]
    document = yaml.safe_load(text)
    annotations = {name: part["podAnnotations"]["slipway.dev/secrets"] for name, part in document.items()}

    assert {name for name, digest in annotations.items() if ".harbor_db_password" in digest} == {"core", "exporter"}
    assert {name for name, digest in annotations.items() if ".harbor_registry_http" in digest} == {"registry"}
    assert not [digest for digest in annotations.values() if "secretkey" in digest or "redis" in digest]
    assert all(
        re.fullmatch(r'\{\{ list( \.\w+)+ \| join "" \| sha256sum \}\}', digest) for digest in annotations.values()
    )


@pytest.mark.parametrize("profile", ["ha", "kind"])
def test_who_reads_a_secret_in_the_chart_is_who_the_table_says(chart, profile):
    """The table's readers against the pods of the official chart, name by name."""
    items = objects(manifests(chart, values_of(profile, storage="s3" if profile == "ha" else "")))
    pods = {
        item["metadata"]["labels"]["component"]: str(item["spec"]["template"]["spec"])
        for item in items
        if item["kind"] in {"Deployment", "StatefulSet"}
    }
    for secret in secrets_for(Composition.of(facts_of(profile, storage="s3" if profile == "ha" else "")).parts):
        if not secret.is_values:
            found = {name for name, pod in pods.items() if f"'{secret.name}'" in pod}
            assert found == set(secret.readers) & pods.keys(), secret.name


def test_the_chart_copies_credentials_where_the_table_says(chart):
    items = objects(manifests(chart, values_of("ha")))
    import base64

    def holds(item: dict) -> bool:
        decoded = (
            [base64.b64decode(text).decode() for text in (item.get("data") or {}).values()]
            if item["kind"] == "Secret"
            else []
        )
        return "made-up" in str(item) or any("made-up" in text for text in decoded)

    copied = {(item["kind"], item["metadata"]["name"]) for item in items if holds(item)}

    assert copied == {(copy.kind, copy.name) for copy in COPIES}


@pytest.mark.parametrize("profile", PROFILES)
def test_the_role_for_people_reads_no_config_map(profile):
    files = render(facts_of(profile))
    items = list(yaml.safe_load_all(files[f"apps/harbor/{profile}/prerequisites/namespace.yaml"]))
    (role,) = (item for item in items if item["kind"] == "Role")
    readable = {resource for rule in role["rules"] if "" in rule["apiGroups"] for resource in rule["resources"]}

    assert not readable & {"configmaps", "secrets", "*"}
