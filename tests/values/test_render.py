"""The renderer: goldens, purity, and which files there are."""

import os
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from tests.values.conftest import PROFILES, exposed, facts_of
from values import pools
from values.errors import ValuesError
from values.facts import SUPPORTED_CHART_VERSIONS
from values.options import CLOUD_EXPOSURES
from values.render import render

GOLDENS = Path(__file__).parent / "goldens"
#: Every profile × exposure × storage but each profile's first, which has a golden of its own.
CHOICES = [
    choice for choice in product(PROFILES[:3], CLOUD_EXPOSURES, ("efs", "s3")) if choice[1:] != ("alb", "efs")
] + [("kind", "ingress", "volume")]


def written(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def rewrite(folder: Path, files: dict[str, str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def reviewed(profile: str, **choices) -> dict[str, str]:
    """Give the files without those of the support chart, which stand in charts/support as they are."""
    return {path: text for path, text in render(facts_of(profile, **choices)).items() if "/support/chart/" not in path}


@pytest.mark.parametrize("profile", PROFILES)
def test_the_golden_is_the_review(profile, request):
    """The goldens are the files as they would be committed; `make goldens` rewrites them."""
    files, folder = reviewed(profile), GOLDENS / profile
    if request.config.option.update_snapshots:
        rewrite(folder, files)

    assert files == written(folder)


@pytest.mark.parametrize(("profile", "expose", "storage"), CHOICES, ids="-".join)
def test_a_choice_changes_these_files_and_no_other(profile, expose, storage, request):
    """Beside each profile's own golden, what another exposure and storage make of it: only what differs."""
    base, files = reviewed(profile), reviewed(profile, storage=storage, **exposed(expose))
    different = {path: text for path, text in files.items() if base.get(path) != text}
    if gone := sorted(base.keys() - files.keys()):
        different["absent.txt"] = "\n".join(gone) + "\n"
    folder = GOLDENS / "-".join((profile, expose, storage))
    if request.config.option.update_snapshots:
        rewrite(folder, different)

    assert different == written(folder)


def test_two_runs_are_byte_identical_whatever_the_hash_seed():
    program = (
        "import hashlib; from tests.values.conftest import facts_of; from values.render import render\n"
        "print(hashlib.sha256(repr(list(render(facts_of('ha'), {'b': 'core: {}', 'a': 'portal: {}'}).items())).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }

    assert len(digests) == 1


def test_which_files_there_are_does_not_depend_on_addresses():
    facts = facts_of("ha")
    assert facts.database
    assert facts.aws
    elsewhere = facts.model_copy(
        update={
            "host": "other.example.org",
            "database": facts.database.model_copy(update={"host": "elsewhere", "max_connections": 50}),
            "aws": facts.aws.model_copy(update={"certificate_arn": "arn:aws:acm:x"}),
        }
    )

    assert list(render(facts)) == list(render(elsewhere))


def test_everything_is_below_the_gitops_path():
    facts = facts_of("ha", gitops={"repository": "https://git.example.com/x.git", "path": "a/b"})

    files = render(facts)

    assert all(path.startswith("a/b/") for path in files)
    assert 'path: "./a/b/apps/harbor/ha/release"' in files["a/b/clusters/ha/harbor.yaml"]


@pytest.mark.parametrize("version", SUPPORTED_CHART_VERSIONS)
@pytest.mark.parametrize("storage", ["efs", "s3"])
def test_every_supported_chart_takes_the_values(version, storage):
    files = render(facts_of("large", chartVersion=version, storage=storage))

    assert f'version: "{version}"' in files["apps/harbor/large/release/release.yaml"]


def test_what_is_not_there_is_nowhere():
    files = "\n".join(text for path, text in render(facts_of("kind")).items() if "/support/chart/" not in path)

    for absent in ("ExternalSecret", "SecretStore", "efs.csi", "alb", "harbor-db\n", "harbor-redis", "amazonaws"):
        assert absent not in files


def test_s3_brings_its_secret_and_takes_the_volume_away():
    efs, s3 = ("\n".join(render(facts_of("ha", storage=kind)).values()) for kind in ("efs", "s3"))

    assert "harbor-s3" in s3
    assert "harbor-s3" not in efs
    assert "PersistentVolumeClaim\n" in efs
    assert "kind: PersistentVolumeClaim" not in s3


def test_without_any_volume_the_section_is_left_to_the_chart():
    """An empty section is null, and Helm would delete the chart's own, which its templates need."""
    files = render(facts_of("ha", storage="s3", harbor={"trivy": {"enabled": False}}))

    assert "persistentVolumeClaim" not in files["apps/harbor/ha/release/values/common.yaml"]


def test_overrides_come_last_in_the_order_of_their_names():
    files = render(facts_of("ha"), {"20-more": "portal: {replicas: 7}", "10-first": "portal: {replicas: 3}\n"})
    release = files["apps/harbor/ha/release/release.yaml"]

    assert release.index("override-10-first") < release.index("override-20-more")
    assert release.index("harbor-redis") < release.index("override-10-first")
    assert files["apps/harbor/ha/release/values/override-20-more.yaml"] == "portal: {replicas: 7}\n"


def test_everything_wrong_in_the_overrides_is_reported_at_once_with_its_own_file():
    with pytest.raises(ValuesError) as caught:
        render(facts_of("ha"), {"a": "core: {replcas: 2, replicas: two}", "B_d": "registy: {}", "c": "- a list"})

    assert str(caught.value).splitlines() == [
        "stacks/ha/values/a.yaml core.replcas: the chart 1.19.1 has no such key; did you mean 'replicas'?",
        "    see charts/harbor",
        'stacks/ha/values/a.yaml core.replicas: must be integer, got "two"',
        "stacks/ha/values/B_d.yaml: has a name that Kubernetes does not take",
        "    its name becomes a ConfigMap's: lower-case letters, digits and dashes",
        "stacks/ha/values/B_d.yaml registy: the chart 1.19.1 has no such key; did you mean 'registry'?",
        "    see charts/harbor",
        'stacks/ha/values/c.yaml: must be a mapping of values, got ["a list"]',
    ]


def test_the_check_can_be_left_out():
    assert render(facts_of("ha"), {"a": "core: {replcas: 2}"}, check=False)


@pytest.mark.parametrize("profile", PROFILES)
def test_no_file_holds_a_secret_value(profile):
    text = "\n".join(render(facts_of(profile)).values())

    for marker in ("PRIVATE KEY", "AKIA", "$2a$", "password: "):
        assert marker not in text.replace("REGISTRY_HTPASSWD", "").replace('password: \\"{{', "").replace(
            'password: "{{', ""
        )


@pytest.mark.parametrize("profile", ["dev", "ha", "large"])
def test_all_pods_fit_into_the_database_even_while_they_roll(profile):
    facts = facts_of(profile)
    common = render(facts)[f"apps/harbor/{profile}/release/values/common.yaml"]
    size = int(common.partition("maxOpenConns: ")[2].split()[0])
    replicas = {"dev": 3, "ha": 5, "large": 8}[profile]

    assert facts.database
    assert size * (replicas + 3) <= 0.8 * facts.database.max_connections
    assert size >= 20


def test_a_pool_is_never_larger_than_the_charts_and_counts_what_an_update_adds():
    assert pools.max_open_connections(1_000_000, {"core": 1, "jobservice": 1, "exporter": 1}) == 900
    assert pools.max_open_connections(811, {"core": 5, "jobservice": 2}) == int(0.8 * 811) // (5 + 2 + 2 + 1)


def test_a_database_that_is_too_small_for_its_pods_is_refused():
    facts = facts_of("dev", harbor={"autoscaling": {"enabled": True, "core": 50}, "replicas": {"jobservice": 20}})
    assert facts.database
    small = facts.model_copy(update={"database": facts.database.model_copy(update={"max_connections": 100})})

    with pytest.raises(ValuesError) as caught:
        render(small)

    assert str(caught.value).splitlines() == [
        "stacks/Pulumi.dev.yaml sizes.databaseClass: accepts 100 connections, which is 0 for each of up to 90 pods; 4 at least",
        "    take a larger database class, fewer replicas, or a lower harbor.autoscaling.core",
    ]
