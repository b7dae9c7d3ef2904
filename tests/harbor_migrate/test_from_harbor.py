"""From one Harbor to another: plan, apply, run, check, on two contract servers with a real registry behind each."""

import hashlib
import json
import signal
import time

import pytest

from tests.harbor.test_server_registry import MANIFEST, Pusher
from tests.harbor_migrate.commands import Trip, good
from tests.harbor_migrate.conftest import project, push


@pytest.fixture
def trip(harbor, old, tmp_path):
    return Trip(harbor, tmp_path, SLIPWAY_SOURCE_PASSWORD=old.password, SLIPWAY_SOURCE_USERNAME="admin")


@pytest.fixture
def filled(old):
    """Two projects, an index, a signature, something without a tag, a cache, and an empty project."""
    project(old, "team", public="true")
    project(old, "base")
    project(old, "empty")
    digest = push(old, "team/app", "v1", b"one")
    push(old, "team/app", "v2", b"two")
    signature = "application/vnd.dev.cosign.artifact.sig.v1+json"
    subject = {"mediaType": MANIFEST, "digest": digest, "size": 10}
    pusher = Pusher(old, "team/app")
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": pusher.blob(b"{}")[1], "size": 2}
    signed = {"config": config, "layers": [], "artifactType": signature, "subject": subject}
    body = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, **signed}).encode()
    pusher.manifest(f"sha256:{hashlib.sha256(body).hexdigest()}", signed)
    child = push(old, "base/deep/multi", "amd64", b"amd64")
    index = {"mediaType": "application/vnd.oci.image.index.v1+json"}
    index |= {"schemaVersion": 2, "manifests": [{"mediaType": MANIFEST, "digest": child, "size": 300}]}
    kind = index["mediaType"]
    sent = Pusher(old, "base/deep/multi").send("PUT", "manifests/all", json.dumps(index).encode(), Content_Type=kind)
    assert sent.status == 201
    hub = {"name": "hub", "type": "docker-hub", "url": "https://hub.docker.com"}
    old.api("POST", "/projects", {"project_name": "cache", "registry_id": old.api("POST", "/registries", hub).id})
    return old


def artifacts(server, name):
    space, _, repository = name.partition("/")
    path = f"/projects/{space}/repositories/{repository.replace('/', '%252F')}/artifacts"
    rows = server.api("GET", path, page_size=100, with_accessory="true").json
    return {(row["digest"], *sorted(tag["name"] for tag in row["tags"])) for row in rows} | {
        (each["digest"],) for row in rows for each in row["accessories"]
    }


def test_plan_apply_run_check(trip, filled, harbor):
    planned = good(trip("plan", "--from-harbor", filled.url, "--first", "base/*"))

    lines = planned.stdout.splitlines()
    assert "caches of other registries are not copied, declare them as such: cache" in planned.stdout
    assert [line.split()[:3] for line in lines[2:5]] == [["1", "1", "2"], ["2", "1", "3"], ["all", "2", "5"]]
    assert "upper bound" in planned.stdout
    assert "slipway harbor apply test -f" in planned.stderr

    missing = good(trip("check", "--output", "json"), 2)
    assert {row["state"] for row in json.loads(missing.stdout)["differences"]} == {"missing"}
    early = good(trip("run", "--wave", "1"), 1)
    assert "rule migrate-w01-base-deep: is not in Harbor" in early.stderr
    assert "slipway harbor apply test" in early.stderr

    good(trip.apply())
    assert harbor.api("GET", "/projects/team").status == 200
    for wave in ("1", "2"):
        assert "1 of 1 rules" in good(trip("run", "--wave", wave, "--pause", "0.05")).stdout

    for name in ("team/app", "base/deep/multi"):
        assert artifacts(harbor, name) == artifacts(filled, name)
    assert "5 the same" in good(trip("check")).stdout
    # The files declare what is there: nothing is left to do.
    assert "nothing to do" in good(trip.apply()).stdout
    # At the end rules and registry go, and what came over stays.
    (trip.folder / "migration.yaml").write_text("registries: []\nreplication_policies: []\n")
    good(trip.apply())
    assert harbor.api("GET", "/replication/policies").json + harbor.api("GET", "/registries").json == []
    good(trip("check"))


def test_a_wave_that_is_done_is_not_run_again_unless_told(trip, filled, harbor):
    good(trip("plan", "--from-harbor", filled.url, "--include", "team/*"))
    good(trip.apply())
    good(trip("run", "--wave", "1", "--pause", "0.05"))

    again = good(trip("run", "--wave", "1"))
    assert "was done already" in again.stdout
    assert len(harbor.api("GET", "/replication/executions").json) == 1

    digest = push(filled, "team/app", "v3", b"three")
    push(filled, "team/app", "v2", b"another two")
    push(filled, "team/late", "v1")
    found = good(trip("check"), 2).stdout
    assert f"newer team/app:v3  {digest[7:19]} at the source, nothing here" in found
    assert "newer team/app:v2" in found
    assert "new team/late: not in the plan" in found
    assert "slipway harbor migrate run test --wave 1 --again" in found
    good(trip("run", "--wave", "1", "--again", "--pause", "0.05"))
    assert trip.json("check")["differences"] == []


def test_what_is_only_here_and_what_was_changed_here(trip, filled, harbor):
    good(trip("plan", "--from-harbor", filled.url, "--include", "team/*"))
    good(trip.apply())
    good(trip("run", "--wave", "1", "--pause", "0.05"))
    push(harbor, "team/app", "own")
    good(trip("check", "--allow-extra"))
    push(harbor, "team/app", "v1", b"not the one")

    found = trip.json("check", "--wave", "1")

    assert {(row["reference"], row["state"]) for row in found["differences"]} == {("own", "extra"), ("v1", "different")}
    filled.api("DELETE", "/projects/team/repositories/app")
    push(filled, "team/other", "v1")
    assert [row["state"] for row in trip.json("check", "--wave", "1")["differences"]] == ["gone"]


def test_an_interrupt_leaves_the_copying_and_the_next_call_follows_it(trip, filled, harbor):
    good(trip("plan", "--from-harbor", filled.url))
    good(trip.apply())
    harbor.switch(copy_seconds=0.7)
    process = trip.start("run", "--wave", "1", "--pause", "0.1")
    until = time.monotonic() + 20
    while not harbor.api("GET", "/replication/executions").json and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Harbor goes on copying" in error
    harbor.switch(copy_seconds=0.0)

    good(trip("run", "--wave", "1", "--pause", "0.05"))

    assert len(harbor.api("GET", "/replication/executions").json) == len(trip.plan["waves"][0]["rules"])
    good(trip("check"))


def test_tasks_that_fail_are_told_with_their_logs_and_the_next_run_does_what_is_left(trip, filled, harbor):
    good(trip("plan", "--from-harbor", filled.url, "--include", "team/*"))
    good(trip.apply())
    filled.fault("status", status=500, path="/v2/team/app/manifests/v2", message="disk")

    done = good(trip("run", "--wave", "1", "--pause", "0.05"), 1)

    assert "1 of 1 repositories failed" in done.stdout
    assert f"{harbor.url}/api/v2.0/replication/executions/1/tasks/1/log" in done.stdout
    assert "[ERROR] GET /v2/team/app/manifests/v2" in done.stdout
    good(trip("run", "--wave", "1", "--pause", "0.05"))
    good(trip("check"))


def test_a_success_that_brought_nothing_is_none(trip, filled, harbor):
    good(trip("plan", "--from-harbor", filled.url, "--include", "team/*"))
    good(trip.apply())
    robot = {"name": "blind", "level": "system", "duration": 1}
    robot["permissions"] = [
        {"kind": "project", "namespace": "base", "access": [{"resource": "repository", "action": "pull"}]}
    ]
    made = filled.api("POST", "/robots", robot).json
    given = {"access_key": made["name"], "access_secret": made["secret"]}
    registry = harbor.api("GET", "/registries").json[0]["id"]
    harbor.api("PUT", f"/registries/{registry}", given)
    filled.api("PUT", "/projects/team", {"metadata": {"public": "false"}})

    done = good(trip("run", "--wave", "1", "--pause", "0.05"), 1)

    assert "Harbor found nothing to copy" in done.stdout


def test_a_robot_with_the_rights_of_the_guide_is_enough(trip, filled, harbor):
    rights = {"project": "read", "repository": "list pull", "artifact": "read list", "tag": "list", "accessory": "list"}
    access = [{"resource": kind, "action": action} for kind, actions in rights.items() for action in actions.split()]
    robot = {"name": "migration", "level": "system", "duration": 7}
    robot["permissions"] = [{"kind": "project", "namespace": "*", "access": access}]
    made = filled.api("POST", "/robots", robot).json
    trip.more |= {"SLIPWAY_SOURCE_USERNAME": made["name"], "SLIPWAY_SOURCE_PASSWORD": made["secret"]}

    good(trip("plan", "--from-harbor", filled.url))
    good(trip.apply())
    for wave in trip.plan["waves"]:
        good(trip("run", "--wave", str(wave["number"]), "--pause", "0.05"))

    assert "5 the same" in good(trip("check")).stdout


def test_a_lost_answer_starts_no_second_run(trip, filled, harbor):
    good(trip("plan", "--from-harbor", filled.url, "--include", "team/*"))
    good(trip.apply())
    harbor.fault("lost", operation="start_replication")
    good(trip("run", "--wave", "1", "--pause", "0.05"))
    assert len(harbor.api("GET", "/replication/executions").json) == 1


def test_a_rule_that_is_another_one_by_now(trip, filled, harbor):
    good(trip("plan", "--from-harbor", filled.url, "--include", "team/*"))
    good(trip.apply())
    push(filled, "team/late", "v1")
    good(trip("plan", "--from-harbor", filled.url, "--include", "team/*", "--force"))
    done = good(trip("run", "--wave", "1"), 1)
    assert "is another one in Harbor than in the plan" in done.stderr


def test_a_source_that_does_not_know_us_is_no_empty_source(trip, filled):
    trip.more["SLIPWAY_SOURCE_PASSWORD"] = "Wrong12345"
    done = good(trip("plan", "--from-harbor", filled.url), 1)
    assert "admin" in done.stderr
    assert not trip.folder.exists()
    del trip.more["SLIPWAY_SOURCE_PASSWORD"]
    assert "set SLIPWAY_SOURCE_PASSWORD" in good(trip("plan", "--from-harbor", filled.url), 1).stderr


def test_a_source_that_shows_only_a_part_writes_nothing(trip, filled):
    filled.fault("status", status=403, operation="list_artifacts", after=1)
    done = good(trip("plan", "--from-harbor", filled.url), 1)
    assert "list the artifacts of" in done.stderr
    assert not trip.folder.exists()


def test_an_empty_source(trip, old):
    done = good(trip("plan", "--from-harbor", old.url), 1)
    assert "admin sees no repository" in done.stderr


# --- the target


def test_projects_that_are_there_keep_a_quota_that_is_enough(trip, filled, harbor):
    project(harbor, "base")
    for name, limit in (("team", 5), ("cache", -1)):
        harbor.api("POST", "/projects", {"project_name": name, "storage_limit": limit})

    planned = good(trip("plan", "--from-harbor", filled.url))

    assert "project team is there with a quota of 5 B, and may need 1.0 GiB" in planned.stdout
    assert trip.text("migration-projects.yaml").splitlines()[1:] == [
        "projects:",
        "  base: {}",
        "  team:",
        "    storage_quota: 1Gi",
    ]
    assert "project team" in good(trip.apply(), 1).stderr
    good(trip.apply("--adopt"))


def test_a_cache_takes_no_copies(trip, filled, harbor):
    hub = harbor.api("POST", "/registries", {"name": "hub", "type": "docker-hub", "url": "https://hub.docker.com"}).id
    harbor.api("POST", "/projects", {"project_name": "team", "registry_id": hub})
    done = good(trip("plan", "--from-harbor", filled.url), 1)
    assert "project team: is a cache of another registry here" in done.stderr
    assert not trip.folder.exists()
    good(trip("plan", "--from-harbor", filled.url, "--rename", "team=squad"))
    good(trip.apply())
    for wave in trip.plan["waves"]:
        good(trip("run", "--wave", str(wave["number"]), "--pause", "0.05"))
    good(trip("check"))
    assert harbor.api("GET", "/projects/squad/repositories/app/artifacts/v1").status == 200


def test_a_target_that_cannot_be_asked_yet_is_told(trip, filled, harbor):
    trip.more["SLIPWAY_HARBOR_PASSWORD"] = "Wrong12345"
    planned = good(trip("plan", "--from-harbor", filled.url))
    assert f"{harbor.url} was not looked at" in planned.stdout


# --- files


def test_nothing_is_written_over_and_other_files_are_respected(trip, filled):
    trip.folder.mkdir()
    (trip.folder / "teams.yaml").write_text("projects: {team: {storage_quota: 10Mi}}\n")
    planned = good(trip("plan", "--from-harbor", filled.url))
    assert "project team is declared with a quota of 10.0 MiB, and may need 1.0 GiB: raise it" in planned.stdout
    assert "team" not in trip.text("migration-projects.yaml")
    before = trip.text("migration.json")

    done = good(trip("plan", "--from-harbor", filled.url), 1)
    assert [f"{name}: is there already" in done.stderr for name in ("projects.yaml", "n.yaml", "n.json")] == [True] * 3
    assert trip.text("migration.json") == before
    good(trip("plan", "--from-harbor", filled.url, "--force"))
    good(trip.apply())


def test_a_single_file_would_no_longer_count(trip, filled):
    single = trip.folder.with_suffix(".yaml")
    single.write_text("labels: []\n")
    done = good(trip("plan", "--from-harbor", filled.url), 1)
    assert "would no longer count" in done.stderr
    assert f"mv {single} {trip.folder}/" in done.stderr
    assert not trip.folder.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read: No such file"),
        ("{", "is no plan of a migration"),
        ('{"version": 9}', "is of version 9"),
        ('{"version": 1}', "is no plan of a migration"),
    ],
)
def test_a_plan_that_is_none(harbor, tmp_path, text, said):
    trip = Trip(harbor, tmp_path)
    if text is not None:
        trip.folder.mkdir()
        (trip.folder / "migration.json").write_text(text)
    for name in (("run", "--wave", "1"), ("check",)):
        assert said in good(trip(*name), 1).stderr


def test_a_wave_that_is_none(trip, filled):
    good(trip("plan", "--from-harbor", filled.url))
    for name in ("run", "check"):
        assert "--wave: there is no wave 7" in good(trip(name, "--wave", "7"), 1).stderr


def test_all_wrong_options_at_once(trip, old):
    done = trip(
        "plan",
        "--from-harbor",
        old.url,
        "--bandwidth",
        "fast",
        "--wave-size",
        "big",
        "--rename",
        "x",
        "--credentials",
        "role",
    )
    good(done, 1)
    for option in ("--bandwidth", "--wave-size", "--rename", "--credentials"):
        assert f"{option}: " in done.stderr
    assert good(trip("plan"), 1).stderr
    assert good(trip("plan", "--from-harbor", old.url, "--from-ecr"), 1).stderr
    assert good(trip("plan", "--from-harbor", old.url, "--region", "eu-central-1"), 1).stderr
