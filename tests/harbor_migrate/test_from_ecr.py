"""From Amazon ECR: what moto's server says of it, and what Harbor would copy from it (a second registry stands in)."""

import json

import pytest
import yaml
from botocore.stub import Stubber

from infra.errors import MigrationError
from slipway.cli import run
from slipway.harbor.migrate.sources.ecr import EcrSource, address, repository_of
from slipway.harbor.spec import load
from tests.harbor.test_server_registry import Pusher
from tests.harbor_migrate.commands import Trip, good
from tests.harbor_migrate.conftest import ACCOUNT, ECR_URL, REGION, Ecr, project

MIB = 1 << 20
INDEX = "application/vnd.oci.image.index.v1+json"
HERE = ("--from-ecr", "--region", REGION)


def quiet(*_):
    pass


def everything(names):
    return names


@pytest.fixture
def trip(api, tmp_path, aws):
    return Trip(api, tmp_path, MIGRATION_AWS_ACCESS_KEY_ID="AKIA", MIGRATION_AWS_SECRET_ACCESS_KEY="hush")


def test_a_plan_of_ecr_is_what_slipway_harbor_plan_takes(trip, ecr, api):
    for name, mebibytes in (("team/app", 300), ("team/sub/web", 200), ("nginx", 50)):
        ecr.repository(name)
        ecr.image(name, "v1", size=mebibytes * MIB)
    ecr.image("team/app", "v2", size=100 * MIB, content=b"other")

    planned = good(trip("plan", *HERE, "--default-project", "base", "--wave-size", "1", "--bandwidth", "10MiB/s"))

    assert f"from ECR of account {ACCOUNT} in {REGION}" in planned.stdout
    table = [line.split() for line in planned.stdout.splitlines()[2:6]]
    assert table == [
        ["1", "1", "1", "50.0", "MiB", "<", "1", "min", "base"],
        ["2", "1", "1", "200.0", "MiB", "<", "1", "min", "team"],
        ["3", "1", "2", "400.0", "MiB", "<", "1", "min", "team"],
        ["all", "3", "4", "650.0", "MiB", "1", "min"],
    ]
    assert "so sizes and times are upper bounds" in planned.stdout
    rules = yaml.safe_load(trip.text("migration.yaml"))
    assert rules["registries"][0]["url"] == ECR_URL
    assert [(each["filters"][0]["value"], each.get("dest_namespace")) for each in rules["replication_policies"]] == [
        ("nginx", "base"),
        ("team/sub/web", None),
        ("team/app", None),
    ]
    assert {each["trigger"]["type"] for each in rules["replication_policies"]} == {"manual"}
    assert load([trip.folder / "migration-projects.yaml"]).all_projects["team"].storage_quota == 1 << 30
    good(trip.apply())
    registry = api.api("GET", "/registries").json[0]
    assert (registry["type"], registry["credential"]["access_key"]) == ("aws-ecr", "AKIA")
    assert "hush" not in planned.stdout + trip.text("migration.yaml") + trip.text("migration.json")


def test_rules_of_many_repositories_are_taken(trip, ecr, api):
    for number in range(60):
        name = f"team/a-repository-with-a-rather-long-name-{number:02}"
        ecr.repository(name)
        ecr.image(name, "v1")
    good(trip("plan", *HERE))
    good(trip.apply())
    rules = api.api("GET", "/replication/policies").json
    assert [len(each["filters"][0]["value"]) > 255 for each in rules] == [True] * 3


def test_the_role_of_harbors_pods_needs_no_keys(trip, ecr, api):
    ecr.repository("team/app")
    ecr.image("team/app", "v1")
    good(trip("plan", *HERE, "--credentials", "role"))
    good(trip.apply())
    assert not api.api("GET", "/registries").json[0]["credential"].get("access_key")
    good(trip("plan", *HERE, "--credentials", "awsSecretsManager:harbor/ecr", "--force"))
    credential = yaml.safe_load(trip.text("migration.yaml"))["registries"][0]["credential"]
    assert credential["access_secret"] == {"secretRef": {"awsSecretsManager": "harbor/ecr", "key": "access_secret"}}


def test_all_the_way_with_a_registry_that_stands_in_for_ecr(trip, old, harbor, aws):
    for space in ("team", "library"):
        if space != "library":
            project(old, space)
    ecr = Ecr(old)
    for name in ("team/app", "team/api", "library/web"):
        ecr.repository(name)
        ecr.image(name, "v1", content=name.encode())
    digest = ecr.image("team/app", "v2", content=b"two")
    signature = f"sha256-{digest[7:]}.sig"
    ecr.image("team/app", signature, content=b"signature")
    harbor.switch(stand_in={ECR_URL: old.url})
    trip.more |= {"MIGRATION_AWS_ACCESS_KEY_ID": "admin", "MIGRATION_AWS_SECRET_ACCESS_KEY": old.password}

    good(trip("plan", *HERE, "--rename", "library=base"))
    good(trip.apply())
    good(trip("run", "--wave", "1", "--pause", "0.05"))

    assert "5 the same" in good(trip("check")).stdout
    assert Pusher(harbor, "base/web").pull("v1").status == 200
    ecr.image("team/api", "v2", content=b"pushed since")
    ecr.client.batch_delete_image(repositoryName="team/app", imageIds=[{"imageTag": "v1"}])
    states = {(row["target"], row["reference"]): row["state"] for row in trip.json("check")["differences"]}
    assert states == {("team/api", "v2"): "newer", ("team/app", "v1"): "extra"}


def test_a_repository_that_vanished_stops_its_rule_and_says_which(trip, old, harbor, aws):
    project(old, "team")
    ecr = Ecr(old)
    for name in ("team/app", "team/api"):
        ecr.repository(name)
        ecr.image(name, "v1")
    harbor.switch(stand_in={ECR_URL: old.url})
    trip.more |= {"MIGRATION_AWS_ACCESS_KEY_ID": "admin", "MIGRATION_AWS_SECRET_ACCESS_KEY": old.password}
    good(trip("plan", *HERE))
    good(trip.apply())
    old.api("DELETE", "/projects/team/repositories/api")

    done = good(trip("run", "--wave", "1", "--pause", "0.05"), 1)

    assert "failed to list artifacts of repository team/api" in done.stdout


# --- what ECR says, and what it leaves out


def image(tags, megabytes, kind="", artifact=""):
    digest = f"sha256:{'-'.join(tags) or kind or artifact}{megabytes}"
    said = {"imageDigest": digest, "imageSizeInBytes": megabytes, "imageManifestMediaType": kind}
    return said | ({"imageTags": tags} if tags else {}) | ({"artifactMediaType": artifact} if artifact else {})


def test_sizes_are_never_too_small():
    plain = repository_of("a", [image(["v1", "latest"], 10), image([], 7)])
    assert (plain.bytes, plain.untagged, plain.artifacts, len(plain.references)) == (10, 1, 1, 2)
    # Of an index ECR says its largest platform only; the platforms are among what has no tag.
    assert repository_of("a", [image(["v1"], 10, INDEX), image([], 10), image([], 9)]).bytes == 29


def test_what_is_attached_and_not_seen_is_told(trip, ecr):
    attached = image([], 1, artifact="application/vnd.cncf.notary.signature")
    assert repository_of("a", [image(["v1"], 10), attached]).attached == 1

    ecr.repository("team/app", imageTagMutability="IMMUTABLE")
    ecr.image("team/app", "v1")
    ecr.image("team/app", None, content=b"untagged")
    ecr.repository("team/empty")
    planned = good(trip("plan", *HERE)).stdout

    assert "images without a tag: 1." in planned
    assert "tags cannot move in team/app" in planned
    assert "repositories with nothing that Harbor copies, left out: 1" in planned
    assert [each["source"] for each in trip.plan["waves"][0]["moves"]] == ["team/app"]


def test_all_pages_are_read(aws):
    source = EcrSource(region=REGION)
    rows = [{"repositoryName": f"team/r{number}", "registryId": ACCOUNT} for number in range(3)]
    most = {"maxResults": 1000}
    with Stubber(source._client) as stub:
        stub.add_response("describe_repositories", {"repositories": rows[:2], "nextToken": "more"}, most)
        stub.add_response("describe_repositories", {"repositories": rows[2:]}, most | {"nextToken": "more"})
        asked = most | {"repositoryName": "team/r2"}
        stub.add_response("describe_images", {"imageDetails": [image(["a"], 1)], "nextToken": "on"}, asked)
        stub.add_response("describe_images", {"imageDetails": [image(["b"], 2)]}, asked | {"nextToken": "on"})
        found = source.read(quiet, wanted=lambda names: [name for name in names if name == "team/r2"])
        stub.assert_no_pending_responses()
    (repository,) = found.repositories
    assert (set(repository.references), repository.bytes) == ({"a", "b"}, 3)


def test_addresses():
    assert address("1" * 12, "cn-north-1").endswith(".dkr.ecr.cn-north-1.amazonaws.com.cn")


# --- bad input


def test_no_credentials(trip, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    done = good(trip("plan", *HERE), 1)
    assert "AWS: there are no usable credentials" in done.stderr
    assert "AWS_PROFILE" in done.stderr
    assert not trip.folder.exists()


def test_no_region_and_one_that_is_none(trip):
    assert "--region: which region is ECR in?" in good(trip("plan", "--from-ecr"), 1).stderr
    done = good(trip("plan", "--from-ecr", "--region", "Frankfurt", "--registry-id", "12"), 1)
    assert "--region: 'Frankfurt' is no region" in done.stderr
    assert "--registry-id: '12' is no registry's id" in done.stderr


def test_a_region_that_does_not_answer(trip, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://api.ecr.eu-centrall-1.localhost:9")
    done = good(trip("plan", "--from-ecr", "--region", "eu-centrall-1"), 1)
    assert "ECR: does not answer" in done.stderr
    assert "there may be no region eu-centrall-1; did you mean 'eu-central-1'?" in done.stderr


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("AccessDeniedException", "ecr:DescribeRepositories and ecr:DescribeImages"),
        ("ExpiredTokenException", "log in again"),
        ("InvalidParameterException", "check --region and --registry-id"),
    ],
)
def test_what_ecr_refuses(aws, code, fix):
    source = EcrSource(region=REGION)
    with Stubber(source._client) as stub:
        stub.add_client_error("describe_repositories", code, "no")
        with pytest.raises(MigrationError) as caught:
            source.read(quiet, wanted=everything)
    assert code in str(caught.value)
    assert fix in str(caught.value)


def test_a_repository_that_goes_while_it_is_read(aws):
    source = EcrSource(region=REGION)
    with Stubber(source._client) as stub:
        stub.add_response(
            "describe_repositories", {"repositories": [{"repositoryName": "a/b", "registryId": ACCOUNT}]}, None
        )
        stub.add_client_error("describe_images", "RepositoryNotFoundException", "gone")
        assert source.read(quiet, wanted=everything).repositories == []


def test_an_empty_ecr_and_an_account_that_has_none(trip, ecr):
    assert f"ECR in {REGION}: there is no repository" in good(trip("plan", *HERE), 1).stderr
    ecr.repository("team/app")
    done = good(trip("plan", *HERE, "--registry-id", "9" * 12), 1)
    assert f"ECR in {REGION}, registry {'9' * 12}: there is no repository" in done.stderr
    done = good(trip("plan", *HERE), 1)
    assert "there is nothing to copy" in done.stderr


def test_names_without_a_project(trip, ecr):
    for name in ("nginx", "redis", "team/app"):
        ecr.repository(name)
        ecr.image(name, "v1")
    done = good(trip("plan", *HERE), 1)
    assert "nginx, redis: has no project in its name" in done.stderr
    assert "--default-project base" in done.stderr
    assert "--include: no repository is named like 'tem/*'" in good(trip("plan", *HERE, "--include", "tem/*"), 1).stderr


def test_the_plan_as_json(trip, ecr):
    ecr.repository("team/app")
    digest = ecr.image("team/app", "v1", size=7)
    data = trip.json("plan", *HERE)
    assert data["source"] == {"kind": "aws-ecr", "url": ECR_URL, "region": REGION, "account": ACCOUNT, "ca_file": ""}
    assert data["waves"][0]["moves"][0]["references"] == {"v1": digest}
    assert [path.rpartition("/")[2] for path in data["files"]] == [
        "migration-projects.yaml",
        "migration.yaml",
        "migration.json",
    ]
    assert json.loads(trip.text("migration.json"))["waves"] == data["waves"]


def test_the_places_of_an_environment_are_the_defaults(api, ecr, tmp_path, monkeypatch, capsys):
    (tmp_path / "Pulumi.yaml").write_text("name: slipway\n")
    (tmp_path / "stacks" / "test").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLIPWAY_HARBOR_PASSWORD", api.password)
    for name in ("MIGRATION_AWS_ACCESS_KEY_ID", "MIGRATION_AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    ecr.repository("team/app")
    ecr.image("team/app", "v1")
    at = ("--url", api.url)

    assert run(["harbor", "migrate", "plan", "test", *HERE, *at]) == 0
    assert "then: slipway harbor migrate run test --wave 1\n" in capsys.readouterr().err
    assert run(["harbor", "apply", "test", "--yes", *at]) == 0
    # Of no registry of AWS does this server copy anything, and a success that brought nothing is none.
    assert run(["harbor", "migrate", "run", "test", "--wave", "1", *at]) == 1
    assert "Harbor found nothing to copy" in capsys.readouterr().out
    assert run(["harbor", "migrate", "check", "test", *at]) == 2
    assert "missing team/app:v1" in capsys.readouterr().out
    there = {path.name for path in (tmp_path / "stacks" / "test" / "harbor").iterdir() if not path.name.startswith(".")}
    assert there == {"harbor.ledger.json", "migration-projects.yaml", "migration.json", "migration.yaml"}
    assert run(["harbor", "migrate", "check", "other"]) == 1
