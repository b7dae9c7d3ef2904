"""Delivery by pull request: a real repository, and a host of ours that speaks GitHub's REST API."""

import time

import pytest

from infra.delivery.git import Remote
from infra.delivery.github import GitHub, address
from infra.delivery.inputs import Inputs
from infra.delivery.publish import publish, publish_all, withdraw
from infra.delivery.pull_request import own_branch, waiting
from infra.errors import HostRefused, HumanEdit, RemoteUnavailable
from tests.delivery.github_host import TOKEN, Fault, serving
from tests.delivery.repositories import Repository, fleet, inputs

MINE = {"mine": "core: {replicas: 3}"}
OTHER = {"mine": "core: {replicas: 4}"}
CORE = "apps/harbor/ha/release/values/core.yaml"


@pytest.fixture
def host():
    with serving() as one:
        yield one


@pytest.fixture
def repository(tmp_path):
    """A repository ``acme/gitops`` with a first commit."""
    (tmp_path / "acme").mkdir()
    made = Repository(tmp_path / "acme" / "gitops.git")
    made.write("README.md", "ours\n")
    return made


@pytest.fixture
def remote(repository, host) -> Remote:
    return Remote(repository=repository.path.as_uri(), branch="main", token=TOKEN, mode="pull-request", api=host.url)


def merge(repository: Repository, branch: str = "slipway/ha") -> None:
    """Merge as a person would, by squashing."""
    tree = repository.git("rev-parse", f"refs/heads/{branch}^{{tree}}")
    merged = repository.git(
        "-c", "user.name=x", "-c", "user.email=x", "commit-tree", tree, "-p", "main", "-m", "squashed"
    )
    repository.git("update-ref", "refs/heads/main", merged)


def test_a_change_waits_in_a_pull_request_of_our_own_branch(repository, remote, host):
    before = repository.head()

    published = publish(remote, inputs())

    assert repository.head() == published.commit == before
    assert (published.created, published.pull_request) == (True, host.pulls[0]["html_url"])
    assert set(published.changed) == set(inputs().files())
    assert repository.git("rev-parse", "slipway/ha^") == before
    (pull,) = host.open
    assert (pull["title"], pull["head"]["ref"], pull["base"]["ref"]) == ("Deliver Harbor for ha", "slipway/ha", "main")
    assert "Chart 1.19.1." in pull["body"]
    assert f"write {CORE}" in pull["body"]
    assert "Slipway-Input-Digest: sha256:" in pull["body"]


def test_the_same_again_pushes_nothing_and_opens_nothing(repository, remote, host):
    first = publish(remote, inputs())
    tip = repository.head("slipway/ha")

    again = publish(remote, inputs())

    assert (again.created, again.pull_request, again.changed) == (False, first.pull_request, first.changed)
    assert repository.head("slipway/ha") == tip
    assert len(host.pulls) == 1
    assert [method for method, _ in host.requests].count("PATCH") == 0


def test_another_change_uses_the_open_one_again(repository, remote, host):
    publish(remote, inputs())

    publish(remote, inputs(overrides=MINE))

    assert len(host.pulls) == 1
    assert "override-mine.yaml" in host.open[0]["body"]
    assert repository.git("rev-list", "--count", "main..slipway/ha") == "1"


def test_a_branch_that_moved_on_is_the_new_base(repository, remote):
    publish(remote, inputs())
    repository.write("elsewhere.txt", "theirs\n")

    publish(remote, inputs())

    assert repository.git("rev-parse", "slipway/ha^") == repository.head()
    assert "elsewhere.txt" in repository.git("ls-tree", "-r", "--name-only", "slipway/ha")


def test_after_the_merge_there_is_nothing_to_do_and_the_branch_goes(repository, remote, host):
    publish(remote, inputs())
    merge(repository)
    host.pulls[0]["state"] = "closed"

    published = publish(remote, inputs())

    assert (published.created, published.changed, published.pull_request) == (False, (), "")
    assert repository.head("slipway/ha") == ""
    assert published.commit == repository.head()


def test_the_body_tells_what_changes_by_component(repository, remote, host):
    publish(remote, inputs())
    merge(repository)
    host.pulls[0]["state"] = "closed"

    publish(remote, inputs(sizes={"databaseClass": "db.m7g.xlarge"}))

    assert "common\n" in host.open[0]["body"]
    assert "database.maxOpenConns" in host.open[0]["body"]


def test_a_change_that_is_taken_back_closes_the_pull_request(repository, remote, host):
    publish(remote, inputs())
    merge(repository)
    host.pulls[0]["state"] = "closed"
    publish(remote, inputs(overrides=MINE))
    assert len(host.open) == 1

    publish(remote, inputs())

    assert host.open == []
    assert repository.head("slipway/ha") == ""


def test_a_foreign_commit_on_our_branch_is_not_lost(repository, remote, host):
    publish(remote, inputs())
    repository.write("apps/harbor/ha/notes.txt", "theirs\n", branch="slipway/ha")
    tip = repository.head("slipway/ha")

    with pytest.raises(HumanEdit, match="is by Tester <Tester>, not by us, and would be lost"):
        publish(remote, inputs(overrides=MINE))

    assert repository.head("slipway/ha") == tip


def test_an_edit_on_the_base_stops_it_as_ever(repository, remote):
    publish(remote, inputs())
    merge(repository)
    repository.write(CORE, "edited: true\n")

    with pytest.raises(HumanEdit, match="edited by hand"):
        publish(remote, inputs())


def test_several_environments_share_one(repository, remote, host):
    publish_all(remote, fleet(3))

    (pull,) = host.open
    assert (pull["title"], pull["head"]["ref"]) == ("Deliver Harbor for 3 environments", "slipway/_fleet")
    with pytest.raises(HumanEdit, match="waits with changes of env0, env1, which this publish leaves out"):
        publish_all(remote, fleet(3, first=2))
    publish_all(remote, fleet(4))
    assert len(host.pulls) == 1


def test_environments_of_one_name_in_two_folders_have_two_branches():
    assert own_branch([("prod", "")]) == "slipway/prod"
    assert own_branch([("prod", "fleet/eu west")]) == "slipway/prod--fleet-eu-west"


def test_a_withdrawal_is_a_pull_request_as_well(repository, remote, host):
    publish(remote, inputs())
    merge(repository)
    host.pulls[0]["state"] = "closed"
    publish(remote, inputs())

    withdraw(remote, gitops_path="", environment="ha")

    assert host.open[0]["title"] == "Withdraw Harbor from ha"
    assert "clusters/ha/harbor.yaml" in repository.files()
    merge(repository)
    assert repository.files() == ["README.md"]


def test_a_dry_run_pushes_and_opens_nothing(repository, remote, host):
    assert publish(remote, inputs(), dry_run=True).changed
    assert repository.head("slipway/ha") == ""
    assert host.pulls == []


def test_an_empty_repository_has_nothing_to_merge_into(tmp_path, host):
    (tmp_path / "acme").mkdir(exist_ok=True)
    empty = Repository(tmp_path / "acme" / "empty.git")

    with pytest.raises(RemoteUnavailable, match="is empty, so there is no main"):
        publish(
            Remote(repository=empty.path.as_uri(), branch="main", token=TOKEN, mode="pull-request", api=host.url),
            inputs(),
        )


def test_what_waits_is_known_without_the_api(repository, remote):
    assert waiting(remote, "", "ha") == ""
    publish(remote, inputs())
    assert waiting(remote, "", "ha") == "slipway/ha"
    merge(repository)
    assert waiting(remote, "", "ha") == ""
    publish_all(remote, [inputs("ha", overrides=MINE), inputs("dev")])
    assert waiting(remote, "", "ha") == "slipway/_fleet"


def refused(remote: Remote, source: Inputs | None = None) -> HostRefused:
    with pytest.raises(HostRefused) as caught:
        publish(remote, source or inputs())
    assert TOKEN not in str(caught.value)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].fix
    return caught.value


LIMIT = {"Retry-After": "900"}
USED_UP = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 1800)}


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        pytest.param(Fault(method="GET", status=401), "does not take the token", id="401"),
        pytest.param(Fault(method="GET", status=403), "lets the token do no such thing", id="403"),
        pytest.param(Fault(method="GET", status=404), "knows no such repository", id="404"),
        pytest.param(Fault(method="GET", status=409), "has a conflict", id="409"),
        pytest.param(Fault(method="GET", status=422), "refuses what it was sent", id="422"),
        pytest.param(Fault(method="GET", status=500, times=9), "answers 500", id="500"),
        pytest.param(Fault(method="GET", status=503, times=9), "answers 503", id="503"),
        pytest.param(Fault(method="GET", status=429, headers=LIMIT), "has had enough requests", id="retry later"),
        pytest.param(Fault(method="GET", status=403, headers=USED_UP), "has had enough requests", id="used up"),
        pytest.param(
            Fault(method="GET", status=301, headers={"Location": "/repositories/1"}),
            "points to /repositories/1",
            id="301",
        ),
        pytest.param(Fault(method="GET", status=200, body="<html>"), "something else than JSON", id="no JSON"),
        pytest.param(Fault(method="GET", seconds=1.0, times=9), "gives no answer within 0.2 seconds", id="hang"),
    ],
)
def test_a_host_that_fails_first_leaves_the_remote_untouched(repository, remote, host, monkeypatch, fault, what):
    monkeypatch.setattr(GitHub, "timeout_seconds", 0.2 if fault.seconds else 30.0)
    host.faults.append(fault)
    before = repository.git("for-each-ref")

    assert what in str(refused(remote))
    assert repository.git("for-each-ref") == before
    assert host.pulls == []


def test_what_the_host_says_is_shown(remote, host):
    body = '{"message": "Validation Failed", "errors": [{"message": "No commits between main and slipway/ha"}]}'
    host.faults.append(Fault(method="POST", status=422, body=body))

    assert "No commits between main and slipway/ha" in str(refused(remote))


def test_a_short_rate_limit_is_waited_out(remote, host):
    host.faults.append(Fault(method="GET", status=429, headers={"Retry-After": "0"}, times=2))
    host.faults.append(Fault(method="POST", status=403, headers={"Retry-After": "0"}))

    assert publish(remote, inputs()).pull_request


def test_a_fault_that_passes_is_passed_over(remote, host):
    host.faults.append(Fault(method="GET", status=502, times=2))

    assert publish(remote, inputs()).pull_request


def test_a_post_whose_answer_was_lost_is_looked_up_and_never_sent_twice(remote, host):
    host.faults.append(Fault(method="POST", status=502, carried_out=True))

    assert publish(remote, inputs()).pull_request == host.pulls[0]["html_url"]
    assert [method for method, _ in host.requests].count("POST") == 1
    assert len(host.pulls) == 1


def test_a_post_that_did_not_arrive_is_one_error_and_the_next_publish_goes_on(repository, remote, host):
    host.faults.append(Fault(method="POST", status=502))

    assert "answers 502" in str(refused(remote))
    assert repository.head("slipway/ha")
    assert publish(remote, inputs()).pull_request == host.pulls[0]["html_url"]


def test_a_pull_request_that_somebody_opened_meanwhile_is_used(remote, host):
    publish(remote, inputs())
    host.faults.append(Fault(method="GET", status=200, body="[]"))

    assert publish(remote, inputs(overrides=MINE)).pull_request == host.pulls[0]["html_url"]
    assert len(host.pulls) == 1


def test_a_wrong_token_and_none(remote, repository, host):
    wrong = Remote(repository=remote.repository, branch="main", token="other", mode="pull-request", api=host.url)
    assert "does not take the token" in str(refused(wrong))
    none = Remote(repository=remote.repository, branch="main", mode="pull-request", api=host.url)
    assert "pull-request needs a token" in str(refused(none))
    assert repository.head("slipway/ha") == ""


def test_a_host_that_is_not_there(remote, repository):
    nobody = Remote(
        repository=remote.repository, branch="main", token=TOKEN, mode="pull-request", api="http://127.0.0.1:9"
    )

    assert "cannot be reached" in str(refused(nobody))
    assert repository.head("slipway/ha") == ""


@pytest.mark.parametrize(
    ("url", "api", "found"),
    [
        ("https://github.com/acme/gitops.git", "", ("https://api.github.com", "acme", "gitops")),
        ("git@github.com:acme/gitops.git", "", ("https://api.github.com", "acme", "gitops")),
        ("ssh://git@ghe.example.com:22/acme/gitops", "", ("https://ghe.example.com/api/v3", "acme", "gitops")),
        ("https://ghe.example.com/acme/gitops", "https://api.x/v3", ("https://api.x/v3", "acme", "gitops")),
    ],
)
def test_the_address_of_the_api(url, api, found):
    assert address(Remote(repository=url, branch="main", api=api)) == found


def test_a_url_without_owner():
    with pytest.raises(HostRefused, match="names no owner and repository"):
        address(Remote(repository="https://github.com/gitops", branch="main"))
