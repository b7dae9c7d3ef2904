"""Publishing to remotes that are missing, refuse, or move under us; and the way in: tokens and the user's own git."""

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import stamina

from infra.delivery import publish as publisher
from infra.delivery.git import Git, Remote
from infra.delivery.git import repository as git_of
from infra.delivery.publish import publish
from infra.errors import (
    HumanEdit,
    PushRaceLost,
    PushRefused,
    RemoteUnavailable,
)
from tests.delivery.repositories import READER, TOKEN, inputs

CORE = "apps/harbor/ha/release/values/core.yaml"
LOCK = "apps/harbor/ha/.slipway.lock.json"


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

    def push_after_somebody_else(git, base, commit, **options):
        if len(moved) < 2:
            moved.append(base)
            repository.write(f"other-{len(moved)}.txt", "theirs\n")
        return push(git, base, commit, **options)

    monkeypatch.setattr(publisher, "push", push_after_somebody_else)
    published = publish(remote, inputs(), progress=told.append)

    assert published.created
    assert {"README.md", "other-1.txt", "other-2.txt", CORE} <= set(repository.files())
    assert sum("main moved under us" in line for line in told) == 2  # a slow machine tells how far it is as well


def test_an_edit_that_wins_the_race_is_seen_on_the_new_base(repository, remote, monkeypatch):
    publish(remote, inputs())
    push, moved = publisher.push, []

    def push_after_an_edit(git, base, commit, **options):
        if not moved:
            moved.append(base)
            repository.write(CORE, "edited: true\n")
        return push(git, base, commit, **options)

    monkeypatch.setattr(publisher, "push", push_after_an_edit)
    with pytest.raises(HumanEdit, match="edited by hand"):
        publish(remote, inputs(overrides={"mine": "portal: {replicas: 3}"}))


def test_a_branch_that_never_rests_is_given_up(repository, remote, monkeypatch):
    push = publisher.push

    def push_too_late(git, base, commit, **options):
        repository.write("busy.txt", commit)
        return push(git, base, commit, **options)

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


def test_the_same_commit_pushed_by_somebody_else_is_not_ours(repository, remote, monkeypatch):
    push, done = publisher.push, []

    def push_after_its_twin(git, base, commit, **options):
        if not done:
            done.append(push(git, base, commit, **options))
        return push(git, base, commit, **options)

    monkeypatch.setattr(publisher, "push", push_after_its_twin)
    published = publish(remote, inputs())

    assert not published.created
    assert published.commit == done[0] == repository.head()


def test_a_token_opens_a_repository_over_http_and_is_never_shown(repository, http_remote):
    assert publish(Remote(repository=http_remote, branch="main", token=TOKEN), inputs()).created
    assert repository.head()

    for token in (None, "wr0ng-token"):
        with pytest.raises(RemoteUnavailable, match="refuses our credentials") as caught:
            publish(Remote(repository=http_remote, branch="main", token=token), inputs())
        assert "wr0ng-token" not in str(caught.value)
        assert "SLIPWAY_GIT_TOKEN" in str(caught.value)


def test_the_readers_token_fetches_and_never_pushes(repository, http_remote):
    repository.write("README.md", "hello\n")
    reader = Remote(repository=http_remote, branch="main", token=READER)

    with git_of(reader) as git:
        assert git.fetch() == repository.head()
    with pytest.raises(RemoteUnavailable, match="refuses our credentials"):
        publish(reader, inputs())
    assert repository.files() == ["README.md"]


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
