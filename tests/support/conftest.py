"""Our chart rendered by Helm's own engine, from the files that an environment would have in Git."""

import functools
import tempfile
from pathlib import Path

import pytest
import yaml
from helm_python import chart as helm

from tests.values.conftest import CHARTS, facts_of
from values.composition import Composition
from values.facts import Facts
from values.helm import objects
from values.support import chart_files, support_files

#: What RDS calls the secret of a master user.
ADMIN_SECRET = (
    "arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds!db-01234567-89ab-cdef-0123-456789abcdef-AbCdEf"
)
#: Where a team's people read docs/monitoring.md.
RUNBOOKS = "https://git.example.com/platform/registry/blob/main/docs/monitoring.md"
#: What lives inside Harbor, as far as the jobs in the cluster must know it.
INSIDE = {"harbor.yaml": "policy: {ledger: {type: configmap}}\nlabels: [{name: approved}]\n"}
#: Everything on that has no rival.
EVERYTHING = {
    "monitoring": {
        "rules": True,
        "dashboard": True,
        "serviceMonitors": True,
        "labels": {"release": "prometheus"},
        "runbooks": RUNBOOKS,
    },
    "pullSecrets": {"enabled": True, "robots": ["default", "builders"]},
    "layer3": {"enabled": True, "image": "registry.example.com/slipway:1.0.0", "rotate": "23 4 * * *", "notify": True},
    "autoscaling": {"enabled": True},
    "logging": {"auditForward": "syslog.example.com:514"},
    "trace": {"endpoint": "collector.tracing.svc:4318"},
    "proxy": {"https": "http://proxy.example.com:3128"},
    "scannerAdapter": {"name": "other", "url": "http://adapter.scanning:8080"},
    "infrastructure": {"registries": {"public.ecr.aws": "registry.example.com/aws"}},
}


def environment(profile: str, **settings) -> Facts:
    """Give facts as the program would assemble them, with the master user's secret where there is a database."""
    facts = facts_of(profile, **settings)
    if not facts.database:
        return facts
    return facts.model_copy(update={"database": facts.database.model_copy(update={"admin_secret_name": ADMIN_SECRET})})


def values_of(facts: Facts) -> dict:
    """Give what Flux hands to Helm: the committed values, and the digest that External Secrets makes."""
    values = yaml.safe_load(support_files(facts, Composition.of(facts), INSIDE)["support/values.yaml"])
    if values["database"]:
        values["database"]["revision"] = "0" * 64
    return values


@functools.cache
def folder() -> Path:
    """Give the chart as it is delivered, on disk."""
    place = Path(tempfile.mkdtemp(prefix="harbor-support-")) / "harbor-support"
    for path, text in chart_files().items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(text)
    return place


def rendered(values: dict) -> dict[str, str]:
    """Give template → text, for Kubernetes."""
    with helm.Chart.load(folder()) as loaded:
        texts = loaded.render(values=values, name="harbor-support", namespace="harbor")
    return {name: text for name, text in sorted(texts.items()) if text.strip()}


def objects_of(values: dict) -> list[dict]:
    return [item for text in rendered(values).values() for item in objects(text)]


def one(items: list[dict], kind: str, name: str = "") -> dict:
    (found,) = (item for item in items if item["kind"] == kind and name in ("", item["metadata"]["name"]))
    return found


@pytest.fixture(scope="session")
def official():
    """Give the path of an official chart of a version; skips where it is not in the chart cache."""

    def of(version: str) -> Path:
        path = CHARTS / f"harbor-{version}.tgz"
        if not path.exists():
            pytest.skip(f"no {path}: helm pull harbor --repo https://helm.goharbor.io --version {version} -d {CHARTS}")
        return path

    return of
