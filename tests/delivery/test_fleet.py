"""Many environments in one commit: all of them or none, every problem at once, and linear work."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from infra.delivery import publish as publisher
from infra.delivery.git import Git, Remote
from infra.delivery.inputs import Inputs
from infra.delivery.publish import publish, publish_all, withdraw
from infra.errors import ChartDowngrade, HumanEdit, PublishError
from tests.delivery.repositories import TOKEN, fleet, inputs
from values.errors import ValuesError

PORTAL = "apps/harbor/env1/release/values/portal.yaml"
MINE = {"mine": "core: {replicas: 3}"}


def test_many_environments_make_one_commit_and_then_none(repository, remote):
    published = publish_all(remote, fleet(3))

    assert repository.git("rev-list", "--count", "main") == "1"
    files = {path for one in fleet(3) for path in one.files()}
    assert set(published.changed) == files
    assert set(repository.files()) == files | {one.lock_path for one in fleet(3)}
    again = publish_all(remote, fleet(3))
    assert (again.created, again.changed, again.commit) == (False, (), published.commit)


def test_together_or_one_by_one_they_make_the_same_tree(repository, remote):
    publish_all(remote, fleet(3))
    together = repository.git("rev-parse", "main^{tree}")
    repository.git("update-ref", "-d", "refs/heads/main")

    for one in fleet(3):
        publish(remote, one)

    assert repository.git("rev-parse", "main^{tree}") == together
    repository.git("fsck", "--strict", "--full")


def test_only_those_that_change_are_named(repository, remote):
    publish_all(remote, fleet(3))
    first, *others = fleet(3)

    publish_all(remote, [Inputs(first.facts_json, MINE), *others])

    trailers = repository.git("log", "-1", "--format=%(trailers:key=Slipway-Environment,valueonly)", "main").split()
    assert trailers == ["env0"]
    assert repository.git("log", "-1", "--format=%s", "main") == "Deliver Harbor for env0"


def test_the_message_of_many_names_charts_environments_and_one_digest(repository, remote):
    publish_all(remote, [*fleet(2), inputs("ha", chartVersion="1.19.2")])

    message = repository.git("log", "-1", "--format=%B", "main")
    assert message.splitlines()[0] == "Deliver Harbor for 3 environments"
    assert "Charts: 1.19.1 (2), 1.19.2 (1)." in message
    assert "Environments: env0, env1, ha." in message
    assert message.count("Slipway-Environment: ") == 3
    assert message.count("Slipway-Input-Digest: sha256:") == 1


def test_the_message_says_what_changes_in_the_values_by_component(repository, remote):
    publish(remote, inputs())
    before = repository.git("log", "-1", "--format=%b", "main")
    publish(remote, inputs(sizes={"databaseClass": "db.m7g.xlarge"}))

    after = repository.git("log", "-1", "--format=%b", "main")
    # The first one adds everything; that is no news about any single value.
    assert "→" not in before
    common = after[after.index("common\n") :]
    assert "database.maxOpenConns: " in common
    assert "→" in common


def test_everything_that_is_wrong_anywhere_is_told_and_nothing_is_pushed(repository, remote):
    publish_all(remote, fleet(3))
    repository.write(PORTAL, "edited: by hand\n")
    lock = "apps/harbor/env2/.slipway.lock.json"
    repository.write(lock, repository.read(lock).replace('"chart": "1.19.1"', '"chart": "1.19.2"'))
    head = repository.head()

    with pytest.raises(PublishError) as caught:
        publish_all(remote, fleet(4, overrides=MINE))

    assert type(caught.value) is PublishError
    assert [problem.where for problem in caught.value.problems] == [lock, PORTAL]
    assert "-edited: by hand" in str(caught.value)
    assert repository.head() == head


def test_problems_of_one_kind_stay_of_that_kind(repository, remote):
    publish_all(remote, fleet(2))
    for name in ("env0", "env1"):
        repository.write(f"clusters/{name}/harbor.yaml", "edited: true\n")

    with pytest.raises(HumanEdit) as caught:
        publish_all(remote, fleet(2))
    assert [problem.where for problem in caught.value.problems] == [
        "clusters/env0/harbor.yaml",
        "clusters/env1/harbor.yaml",
    ]
    assert "slipway publish env0 --take-over" in caught.value.detail
    assert "slipway publish env1 --take-over" in caught.value.detail
    assert publish_all(remote, fleet(2), take_over=True).created

    with pytest.raises(ValuesError) as wrong:
        publish_all(remote, fleet(2, overrides={"typo": "core: {replicsa: 2}"}))
    assert {finding.path for finding in wrong.value.findings} == {
        "stacks/env0/values/typo.yaml",
        "stacks/env1/values/typo.yaml",
    }


def test_of_a_fleet_that_was_edited_as_a_whole_all_is_named_and_a_part_shown(repository, remote):
    publish_all(remote, fleet(30))
    edits = "".join(f"M 100644 inline clusters/env{number}/harbor.yaml\ndata 3\nx:\n\n" for number in range(30))
    stream = f"commit refs/heads/main\ncommitter x <x> 0 +0000\ndata 0\nfrom {repository.head()}\n{edits}"
    repository.git("fast-import", "--quiet", input=stream)

    with pytest.raises(HumanEdit) as caught:
        publish_all(remote, fleet(30))

    assert len(caught.value.problems) == 30
    assert caught.value.detail.count("+++ ") == 20


def test_downgrades_of_several_are_told_at_once(remote):
    facts = [one.facts.model_copy(update={"chart_version": "1.19.2"}) for one in fleet(2)]
    publish_all(remote, [Inputs(one.to_json()) for one in facts])

    with pytest.raises(ChartDowngrade) as caught:
        publish_all(remote, fleet(2))
    assert len(caught.value.problems) == 2


def test_example_facts_and_an_environment_given_twice_are_refused_before_anything_is_asked():
    example = [Inputs(one.facts.model_copy(update={"example": True}).to_json()) for one in fleet(2)]

    with pytest.raises(PublishError) as caught:
        publish_all(Remote(repository="file:///nowhere", branch="main"), [*example, *fleet(1)])

    assert [problem.where for problem in caught.value.problems] == [
        "environment env0",
        "environment env1",
        "apps/harbor/env0/.slipway.lock.json",
    ]


@pytest.mark.parametrize("count", [2, 70])
def test_locks_come_in_one_fetch_however_many_there_are(repository, http_remote, monkeypatch, count):
    remote = Remote(repository=http_remote, branch="main", token=TOKEN)
    publish_all(remote, fleet(count))
    started = []
    start = Git.start

    def counted(git, *arguments, **options):
        started.append(arguments[2] if arguments[0] == "-c" else arguments[0])
        return start(git, *arguments, **options)

    monkeypatch.setattr(Git, "start", counted)
    assert not publish_all(remote, fleet(count)).created

    assert (started.count("fetch"), started.count("cat-file")) == (2, 1)
    assert len(started) <= 8


def test_a_text_that_environments_share_is_sent_once(repository, remote):
    publish_all(remote, fleet(5, overrides=MINE))

    blobs = repository.git("ls-tree", "-r", "--format=%(objectname)", "main").split()
    stored = repository.git("cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").split().count("blob")
    assert stored == len(set(blobs)) < len(blobs)


def test_a_lost_race_renders_nothing_again(repository, remote, monkeypatch):
    rendered, push, moved = [], publisher.push, []
    files = Inputs.files

    def counted(one):
        rendered.append(one.name)
        return files(one)

    def push_after_somebody_else(git, base, commit, **options):
        if not moved:
            moved.append(base)
            repository.write("README.md", "theirs\n")
        return push(git, base, commit, **options)

    monkeypatch.setattr(Inputs, "files", counted)
    monkeypatch.setattr(publisher, "push", push_after_somebody_else)
    publish_all(remote, fleet(3))

    assert rendered == ["env0", "env1", "env2"]
    assert "README.md" in repository.files()
    assert set(fleet(1)[0].files()) <= set(repository.files())


def test_an_edit_during_the_race_needs_what_was_not_sent_before(repository, remote, monkeypatch):
    """env1 has nothing to change, until somebody resets it while env0 is being pushed."""
    before = repository.head()
    publish(remote, fleet(2)[1])
    only_env1 = repository.head()
    push, moved = publisher.push, []

    def push_after_a_reset(git, base, commit, **options):
        if not moved:
            moved.append(base)
            repository.git("update-ref", "-d", "refs/heads/main", only_env1)
            repository.write("README.md", "theirs\n")
        return push(git, base, commit, **options)

    monkeypatch.setattr(publisher, "push", push_after_a_reset)
    published = publish_all(remote, fleet(2))

    assert before == ""
    assert {path for one in fleet(2) for path in one.files()} == set(published.changed)
    assert set(published.changed) <= set(repository.files())


def test_ten_writers_of_overlapping_fleets_lose_nothing(repository, remote):
    """Each publishes three environments, two of which somebody else publishes as well."""
    with ThreadPoolExecutor(10) as pool:
        published = list(pool.map(lambda number: publish_all(remote, fleet(3, first=number)), range(10)))

    delivered = {path.split("/")[1] for path in repository.files() if path.startswith("clusters/")}
    assert delivered == {f"env{number}" for number in range(12)}
    assert repository.head() in {one.commit for one in published}
    assert not publish_all(remote, fleet(12)).created


def test_one_of_many_is_withdrawn(repository, remote):
    publish_all(remote, fleet(3))

    withdraw(remote, gitops_path="", environment="env1")

    assert not [path for path in repository.files() if "/env1/" in path]
    assert not publish_all(remote, [one for one in fleet(3) if one.name != "env1"]).created


def test_other_peoples_files_between_ours_stay(repository, remote):
    repository.write("apps/harbor/env0/notes.txt", "ours\n")
    repository.write("clusters/shared.yaml", "ours: true\n")

    publish_all(remote, fleet(70))

    assert {"apps/harbor/env0/notes.txt", "clusters/shared.yaml"} <= set(repository.files())


def test_a_path_that_git_would_quote_is_written_as_it_is(repository, remote):
    facts = inputs().facts.model_copy(update={"gitops_path": 'the "fleet"/größe'})

    publish(remote, Inputs(facts.to_json()))

    listed = subprocess.run(
        ["git", "-C", str(repository.path), "ls-tree", "-rz", "--name-only", "main"], capture_output=True, check=True
    ).stdout.decode()
    assert 'the "fleet"/größe/clusters/ha/harbor.yaml' in listed.split("\0")
    assert not publish(remote, Inputs(facts.to_json())).created


def test_a_dry_run_of_many_writes_nothing_and_starts_no_writer(repository, remote, monkeypatch):
    monkeypatch.setattr("infra.delivery.revision.Writer.tree", lambda *_: pytest.fail("a dry run wrote a tree"))

    assert len(publish_all(remote, fleet(2), dry_run=True).changed) == 2 * len(fleet(1)[0].files())
    assert repository.head() == ""


def test_progress_is_told_after_two_seconds_only(remote, monkeypatch):
    told = []
    publish_all(remote, fleet(2), progress=told.append)
    assert told == []

    monkeypatch.setattr("infra.delivery.order._PATIENCE_SECONDS", -1)
    clock = iter(range(0, 1000, 5))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    publish_all(remote, fleet(3, overrides=MINE), progress=told.append)
    assert "3 of 3 environments rendered" in told


def test_the_lock_keeps_host_and_release(repository, remote):
    publish(remote, inputs())

    lock = json.loads(repository.read("apps/harbor/ha/.slipway.lock.json"))
    assert (lock["host"], lock["release"]) == ("registry.ha.example.com", "harbor/harbor")
