"""The publisher against real repositories: what it writes, what it leaves alone, and what it refuses."""

import json
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import stamina

from infra.delivery import publish as publisher
from infra.delivery.git import Git, Remote
from infra.delivery.inputs import Inputs, read_overrides
from infra.delivery.publish import present_files, publish, withdraw
from infra.errors import (
    ChartDowngrade,
    HumanEdit,
    PublishError,
    PushRaceLost,
    PushRefused,
    RemoteUnavailable,
    SettingsError,
)
from tests.delivery.repositories import TOKEN, inputs
from tests.values.conftest import facts_of

CORE = "apps/harbor/ha/release/values/core.yaml"
LOCK = "apps/harbor/ha/.slipway.lock.json"


def test_an_empty_repository_gets_a_root_commit_with_everything(repository, remote):
    published = publish(remote, inputs())

    assert published.created
    assert published.commit == repository.head()
    assert repository.git("rev-list", "--count", "main") == "1"
    assert set(repository.files()) == {*inputs().files(), LOCK}
    assert repository.read(CORE) == inputs().files()[CORE]


def test_the_second_publish_makes_no_commit(repository, remote):
    first = publish(remote, inputs())

    second = publish(remote, inputs())

    assert (second.created, second.changed, second.commit) == (False, (), first.commit)
    assert repository.head() == first.commit


def test_a_change_writes_only_what_changed(repository, remote):
    publish(remote, inputs())

    published = publish(remote, inputs(sizes={"databaseClass": "db.m7g.xlarge"}))

    assert published.changed == ("apps/harbor/ha/facts.json", "apps/harbor/ha/release/values/common.yaml")
    assert set(repository.git("show", "--name-only", "--format=", "main").split()) == {*published.changed, LOCK}


def test_a_dry_run_says_what_would_change_and_pushes_nothing(repository, remote):
    published = publish(remote, inputs(), dry_run=True)

    assert (published.created, len(published.changed)) == (False, len(inputs().files()))
    assert repository.head() == ""


def test_what_is_rendered_no_longer_is_removed_and_other_peoples_files_stay(repository, remote):
    publish(remote, inputs(overrides={"mine": "core: {replicas: 3}"}))
    repository.write("apps/harbor/ha/release/values/notes.txt", "ours\n")
    repository.write("README.md", "hello\n")

    published = publish(remote, inputs())

    assert "apps/harbor/ha/release/values/override-mine.yaml" in published.changed
    assert "apps/harbor/ha/release/values/override-mine.yaml" not in repository.files()
    assert {"README.md", "apps/harbor/ha/release/values/notes.txt"} <= set(repository.files())


def test_a_second_environment_in_the_same_repository_and_folder(repository, remote):
    publish(remote, inputs("ha", gitops={"repository": "https://x.example.com/y.git", "path": "registries"}))
    publish(remote, inputs("dev", gitops={"repository": "https://x.example.com/y.git", "path": "registries"}))

    assert {path.split("/")[3] for path in repository.files() if path.startswith("registries/apps")} == {"ha", "dev"}
    assert not publish(
        remote, inputs("ha", gitops={"repository": "https://x.example.com/y.git", "path": "registries"})
    ).created


def test_the_commit_says_what_it_is(repository, remote):
    publish(remote, inputs())
    message = repository.git("log", "-1", "--format=%B")
    lock = json.loads(repository.read(LOCK))

    assert message.splitlines()[0] == "Deliver Harbor for ha"
    assert f"write {CORE}" in message
    assert f"Slipway-Input-Digest: {lock['inputs']}" in message
    assert "Slipway-Environment: ha" in message
    assert "Slipway-Version: 0.1.0" in message
    assert lock["chart"] == "1.19.1"


def test_a_hand_edited_file_stops_it_with_a_diff_and_nothing_is_pushed(repository, remote):
    publish(remote, inputs())
    repository.write(CORE, repository.read(CORE).replace("replicas: 2", "replicas: 9"))
    before = repository.head()

    with pytest.raises(HumanEdit) as caught:
        publish(remote, inputs())

    message = str(caught.value)
    assert f"{CORE}: is a generated file, and was edited by hand" in message
    assert "-  replicas: 9\n+  replicas: 2\n" in message
    assert "stacks/ha/values/" in message
    assert repository.head() == before


def test_a_generated_file_removed_by_hand_stops_it_as_well(repository, remote):
    publish(remote, inputs())
    repository.write(CORE, None)

    with pytest.raises(HumanEdit, match="removed by hand"):
        publish(remote, inputs())


def test_a_file_that_was_there_before_us_is_not_overwritten(repository, remote):
    repository.write("clusters/ha/harbor.yaml", "kind: TheirOwn\n")

    with pytest.raises(HumanEdit, match=r"clusters/ha/harbor\.yaml"):
        publish(remote, inputs())


def test_taking_over_overwrites_the_edit(repository, remote):
    publish(remote, inputs())
    repository.write(CORE, "edited: true\n")

    assert publish(remote, inputs(), take_over=True).changed == (CORE,)
    assert repository.read(CORE) == inputs().files()[CORE]


def test_an_edit_that_is_what_we_would_write_anyway_is_fine(repository, remote):
    publish(remote, inputs())
    wanted = inputs(overrides={"mine": "core: {replicas: 3}"})
    path = "apps/harbor/ha/release/kustomization.yaml"
    repository.write(path, wanted.files()[path])

    assert path not in publish(remote, wanted).changed


def test_a_lock_that_cannot_be_read_stops_it(repository, remote):
    publish(remote, inputs())
    repository.write(LOCK, "{broken")

    with pytest.raises(HumanEdit, match="is not the lock that Slipway wrote"):
        publish(remote, inputs())


def test_a_newer_slipways_lock_stops_it(repository, remote):
    publish(remote, inputs())
    repository.write(LOCK, repository.read(LOCK).replace('"version": 1', '"version": 2'))

    with pytest.raises(HumanEdit, match="or a newer one"):
        publish(remote, inputs())


def test_an_older_chart_is_refused(remote):
    publish(remote, inputs(chartVersion="1.19.2"))

    with pytest.raises(ChartDowngrade, match=r"delivers chart 1\.19\.2, this would go back to 1\.19\.1"):
        publish(remote, inputs(chartVersion="1.19.1"))


def test_example_facts_are_refused_before_anything_is_asked():
    example = facts_of("ha").model_copy(update={"example": True})

    with pytest.raises(PublishError, match="these are example facts"):
        publish(Remote(repository="file:///nowhere", branch="main"), Inputs(example.to_json()))


def test_a_remote_that_is_not_there(tmp_path):
    with pytest.raises(RemoteUnavailable, match="there is no such repository") as caught:
        publish(Remote(repository=(tmp_path / "missing.git").as_uri(), branch="main"), inputs())
    assert "check gitops.repository" in str(caught.value)


def test_a_branch_that_is_not_there_names_those_that_are(repository):
    repository.write("README.md", "hello\n", branch="production")

    with pytest.raises(RemoteUnavailable, match=r"has no branch 'main'\n    set gitops.branch to one of: production"):
        publish(Remote(repository=repository.path.as_uri(), branch="main"), inputs())


def test_a_protected_branch_refuses_in_its_own_words(repository, remote):
    repository.hook("pre-receive", "echo 'only the release team may push to main' >&2; exit 1")

    with pytest.raises(PushRefused) as caught:
        publish(remote, inputs())

    assert "refuses the push: remote rejected (pre-receive hook declined)" in str(
        caught.value
    ) or "pre-receive hook declined" in str(caught.value)
    assert "only the release team may push to main" in str(caught.value)
    assert repository.head() == ""


def test_a_branch_that_moves_under_us_is_rendered_upon_again(repository, remote, monkeypatch):
    repository.write("README.md", "hello\n")
    told, push, moved = [], publisher.push, []

    def push_after_somebody_else(git, base, commit):
        if len(moved) < 2:
            moved.append(base)
            repository.write(f"other-{len(moved)}.txt", "theirs\n")
        return push(git, base, commit)

    monkeypatch.setattr(publisher, "push", push_after_somebody_else)
    published = publish(remote, inputs(), progress=told.append)

    assert published.created
    assert {"README.md", "other-1.txt", "other-2.txt", CORE} <= set(repository.files())
    assert [line.partition("main moved under us")[1] for line in told] == ["main moved under us"] * 2


def test_an_edit_that_wins_the_race_is_seen_on_the_new_base(repository, remote, monkeypatch):
    publish(remote, inputs())
    push, moved = publisher.push, []

    def push_after_an_edit(git, base, commit):
        if not moved:
            moved.append(base)
            repository.write(CORE, "edited: true\n")
        return push(git, base, commit)

    monkeypatch.setattr(publisher, "push", push_after_an_edit)
    with pytest.raises(HumanEdit, match="edited by hand"):
        publish(remote, inputs(overrides={"mine": "core: {replicas: 3}"}))


def test_a_branch_that_never_rests_is_given_up(repository, remote, monkeypatch):
    push = publisher.push

    def push_too_late(git, base, commit):
        repository.write("busy.txt", commit)
        return push(git, base, commit)

    monkeypatch.setattr(publisher, "push", push_too_late)
    with (
        stamina.set_testing(True, attempts=publisher.ATTEMPTS),
        pytest.raises(PushRaceLost, match="others pushed first, 10 times in a row") as caught,
    ):
        publish(remote, inputs())
    assert caught.value.exit_code == 3


def test_a_branch_that_appears_while_we_look_for_it_is_taken_as_the_base(repository, remote, monkeypatch):
    look = Git._branches

    def somebody_is_first(git):
        repository.write("README.md", "hello\n")
        return look(git)

    monkeypatch.setattr(Git, "_branches", somebody_is_first)

    assert publish(remote, inputs()).created
    assert {"README.md", CORE} <= set(repository.files())


def test_two_first_commits_at_once_become_two_commits(repository, remote):
    barrier = threading.Barrier(2)

    def first(profile):
        barrier.wait()
        return publish(remote, inputs(profile))

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(first, ("ha", "dev")))

    assert all(result.created for result in results)
    assert repository.git("rev-list", "--count", "main") == "2"
    assert not publish(remote, inputs("ha")).created


def test_four_publishers_of_one_environment_make_one_commit(repository, remote):
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: publish(remote, inputs()), range(4)))

    assert [result.created for result in results].count(True) == 1
    assert repository.git("rev-list", "--count", "main") == "1"


def test_withdrawing_removes_our_files_and_nothing_else(repository, remote):
    repository.write("README.md", "hello\n")
    publish(remote, inputs("ha"))
    publish(remote, inputs("dev"))

    commit = withdraw(remote, gitops_path="", environment="ha")

    assert commit == repository.head()
    assert not [path for path in repository.files() if "/ha/" in path]
    assert {"README.md", "clusters/dev/harbor.yaml"} <= set(repository.files())
    assert withdraw(remote, gitops_path="", environment="ha") is None


def test_withdrawing_keeps_what_was_edited(repository, remote):
    publish(remote, inputs())
    repository.write(CORE, "edited: true\n")

    with pytest.raises(HumanEdit):
        withdraw(remote, gitops_path="", environment="ha")


def test_what_is_present_shows_edits_and_gaps(repository, remote):
    publish(remote, inputs())
    before = present_files(remote, gitops_path="", environment="ha")
    repository.write(CORE, None)

    after = present_files(remote, gitops_path="", environment="ha")

    assert set(before) - set(after) == {CORE}
    assert set(before) == set(inputs().files())


def test_only_the_lock_is_fetched_when_nothing_changed(repository, remote, monkeypatch):
    publish(remote, inputs())
    for number in range(50):
        repository.write(f"many/{number}.txt", f"{number}\n")
    counted = []
    leave = publisher.repository

    def counting(target):
        context = leave(target)

        class Counting:
            def __enter__(self):
                self.git = context.__enter__()
                return self.git

            def __exit__(self, *error):
                counted.append(
                    self.git.run("cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").split().count("blob")
                )
                return context.__exit__(*error)

        return Counting()

    monkeypatch.setattr(publisher, "repository", counting)
    publish(remote, inputs())

    assert counted == [1]


def test_a_token_opens_a_repository_over_http_and_is_never_shown(repository, http_remote):
    assert publish(Remote(repository=http_remote, branch="main", token=TOKEN), inputs()).created
    assert repository.head()

    for token in (None, "wr0ng-token"):
        with pytest.raises(RemoteUnavailable, match="refuses our credentials") as caught:
            publish(Remote(repository=http_remote, branch="main", token=token), inputs())
        assert "wr0ng-token" not in str(caught.value)
        assert "SLIPWAY_GIT_TOKEN" in str(caught.value)


def test_over_http_a_race_and_a_no_op_work_as_well(repository, http_remote):
    remote = Remote(repository=http_remote, branch="main", token=TOKEN)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda profile: publish(remote, inputs(profile)), ("ha", "dev")))

    assert repository.git("rev-list", "--count", "main") == "2"
    assert not publish(remote, inputs()).created


def test_credentials_in_a_url_are_never_shown():
    with pytest.raises(RemoteUnavailable) as caught:
        publish(Remote(repository="https://joe:hunter2@127.0.0.1:9/x.git", branch="main"), inputs())

    assert "hunter2" not in str(caught.value)
    assert "joe" not in str(caught.value)


def test_the_users_credential_helper_is_used(http_remote, tmp_path, monkeypatch):
    helper = f'!f() {{ printf "username=joe\\npassword={TOKEN}\\n"; }}; f'
    home = tmp_path / "home"
    home.mkdir()
    subprocess.run(["git", "config", "--file", str(home / ".gitconfig"), "credential.helper", helper], check=True)
    monkeypatch.setenv("HOME", str(home))

    assert publish(Remote(repository=http_remote, branch="main"), inputs()).created


def test_the_callers_own_git_state_is_never_touched(remote, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "theirs"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))

    assert publish(remote, inputs()).created
    assert not (tmp_path / "index").exists()


def test_nothing_is_left_behind(remote, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    publish(remote, inputs())
    with pytest.raises(PublishError):
        publish(Remote(repository="file:///nowhere", branch="main"), inputs())

    assert list(scratch.iterdir()) == []


def test_overrides_are_read_in_the_order_of_their_names(tmp_path):
    folder = tmp_path / "stacks" / "prod" / "values"
    folder.mkdir(parents=True)
    (folder / "b.yaml").write_text("core: {}\n")
    (folder / "a.yaml").write_text("portal: {}\n")
    (folder / "notes.txt").write_text("not a value")

    assert list(read_overrides(tmp_path, "prod")) == ["a", "b"]
    (folder / "c.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"c\.yaml: is not UTF-8 text"):
        read_overrides(tmp_path, "prod")
