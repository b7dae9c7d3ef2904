"""Whose a thing is: taken over by consent only, deleted only if ours, and nothing with content unless told twice."""

import pytest

from tests.harbor.test_server_registry import Pusher

LABEL = {"name": "approved", "color": "#00AB9A", "scope": "g"}
SAME = "labels: [{name: approved, color: '#00AB9A'}]"
OTHER = "labels: [{name: approved, color: '#111111'}]"


def told(plan):
    return [(each.verb, str(each.ref)) for each in plan.actions]


def problems(plan):
    return [each.what for each in plan.problems]


@pytest.fixture
def label(place):
    """One that somebody made by hand."""
    assert place.api.api("POST", "/labels", LABEL).status == 201


# --- adoption


def test_by_default_what_is_as_declared_is_adopted_and_nothing_else(place, label):
    assert told(place.plan(SAME)) == [("adopt", "label approved")]
    plan = place.plan(OTHER)
    assert plan.actions == []
    [problem] = plan.problems
    assert problem.what == "label approved is there already and is not ours; it differs in color"
    assert problem.where.endswith("harbor.yaml:1 labels.0")


@pytest.mark.parametrize("policy", ["policy: {adopt: always}\n", "consent", "own"])
def test_with_consent_it_is_taken_over_and_changed(place, label, policy):
    text = OTHER.replace("}", ", adopt: always}") if policy == "own" else OTHER
    text = policy + text if policy.startswith("policy") else text
    how = {"adopt": True} if policy == "consent" else {}
    plan = place.plan(text, **how)
    assert [(each.verb, [change.field for change in each.changes]) for each in plan.actions] == [("adopt", ["color"])]
    assert place.apply(text, **how).good
    assert place.api.api("GET", "/labels/1").json["color"] == "#111111"
    assert place.plan(text).actions == []


def test_never_is_never(place, label):
    assert problems(place.plan("policy: {adopt: never}\n" + SAME)) == [
        "label approved is there already and is not ours; policy.adopt is never"
    ]


def test_consent_of_a_project_holds_for_what_is_in_it(place):
    place.api.api("POST", "/projects", {"project_name": "payments"})
    place.api.api("POST", "/labels", {"name": "hot", "color": "#111111", "scope": "p", "project_id": 2})
    text = "projects: {payments: {adopt: always, metadata: {public: true}, labels: [{name: hot, color: '#222222'}]}}"
    assert told(place.plan(text)) == [("adopt", "project payments"), ("adopt", "project-label payments/hot")]
    assert place.apply(text).good


def test_what_somebody_made_anew_is_not_ours(place):
    place.apply("projects: {payments: }")
    place.api.api("DELETE", "/projects/payments")
    place.api.api("POST", "/projects", {"project_name": "payments", "metadata": {"public": "true"}})
    assert problems(place.plan("projects: {payments: {metadata: {public: false}}}"))
    assert told(place.plan("projects: {}")) == [("forget", "project payments")]
    assert place.apply("projects: {}").good
    assert place.api.api("GET", "/projects/payments").status == 200


# --- pruning


def test_what_is_not_ours_is_left_alone_and_told(place, label):
    plan = place.plan("labels: [{name: mine}]")
    assert told(plan) == [("create", "label mine")]
    assert plan.foreign == {"label": ["approved"]}
    assert place.apply("labels: [{name: mine}]").good
    assert told(place.plan("labels: []")) == [("delete", "label mine")]


def test_prune_all_deletes_what_is_in_a_declared_list_and_not_in_the_file(place, label):
    assert told(place.plan("policy: {prune: all}\nlabels: []")) == [("delete", "label approved")]
    assert place.plan("policy: {prune: all}").actions == []


def test_prune_none_lets_go(place):
    place.apply(SAME)
    text = "policy: {prune: none}\nlabels: []"
    assert told(place.plan(text)) == [("forget", "label approved")]
    assert place.apply(text).good
    assert place.api.api("GET", "/labels/1").status == 200
    assert place.store.load().entries == {}


def test_an_empty_list_of_a_project_empties_it_but_the_owner_stays(place):
    place.apply("projects: {payments: }")
    place.api.api("POST", "/labels", {"name": "hot", "scope": "p", "project_id": 2})
    assert place.plan("projects: {payments: {labels: [{name: other}]}}").foreign == {"project-label": ["payments/hot"]}
    text = "projects: {payments: {labels: [], members: {users: []}}}"
    assert told(place.plan(text)) == [("delete", "project-label payments/hot")]
    assert place.apply(text).good
    assert [each["entity_name"] for each in place.api.api("GET", "/projects/2/members").json] == ["admin"]


def test_a_list_that_is_no_longer_declared_is_no_longer_managed(place):
    place.apply("projects: {payments: {labels: [{name: hot}]}}")
    assert told(place.plan("projects: {payments: }")) == [("forget", "project-label payments/hot")]
    assert place.apply("projects: {payments: }").good
    assert len(place.api.api("GET", "/labels", scope="p", project_id=2).json) == 1


def test_more_deletions_than_allowed_are_refused(place):
    names = ", ".join(f"{{name: l{number}}}" for number in range(11))
    place.apply(f"labels: [{names}]")
    assert problems(place.plan("labels: []")) == ["11 things would be deleted, and at most 10 may be"]
    assert len(place.plan("policy: {max_deletes: 11}\nlabels: []").actions) == 11


def test_with_a_project_goes_what_is_in_it(place):
    place.apply("projects: {payments: {labels: [{name: hot}]}, billing: }")
    assert told(place.plan("projects: {billing: }")) == [("delete", "project payments")]
    assert place.apply("projects: {billing: }").good
    assert [str(ref) for ref in place.store.load().entries] == ["project billing"]
    assert place.plan("projects: {billing: }").actions == []


# --- content and protection


@pytest.fixture
def full(harbor, place):
    """A project of ours with a repository."""
    place.apply("projects: {payments: }")
    assert Pusher(harbor, "payments/app").image("v1")[0].status == 201


def test_a_project_with_content_stays_unless_told_twice(place, full):
    [problem] = place.plan("projects: {}").problems
    assert problem.what == "project payments is gone from the file and holds 1 repositories"
    force = "policy: {project_deletion: force}\nprojects: {}"
    [problem] = place.plan(force).problems
    assert "--delete-content payments" in problem.fix
    assert place.plan("projects: {}", delete_content=["payments"]).problems, "the file has to say so as well"
    assert told(place.plan(force, delete_content=["payments"])) == [("delete", "project payments")]
    assert place.apply(force, delete_content=["payments"]).good
    assert place.api.api("GET", "/projects/payments").status == 404


def test_a_project_to_be_retained_is_let_go(place, full):
    assert told(place.plan("policy: {project_deletion: retain}\nprojects: {}")) == [("forget", "project payments")]


def test_what_the_file_said_of_a_deletion_holds_after_it_left_the_file(place):
    place.apply("projects: {a: {protect: true}, b: {deletion_policy: retain}}\nlabels: [{name: x, protect: true}]")
    plan = place.plan("projects: {}\nlabels: []")
    assert told(plan) == [("forget", "project b")]
    assert sorted(problems(plan)) == [
        "label x is gone from the file and protected",
        "project a is gone from the file and protected",
    ]
    place.apply("projects: {a: {protect: false}}\nlabels: [{name: x}]")
    assert told(place.plan("projects: {}\nlabels: []")) == [("delete", "project a"), ("delete", "label x")]


def test_library_is_never_deleted(place):
    place.apply("projects: {library: }")
    assert told(place.plan("projects: {}")) == [("forget", "project library")]


# --- what cannot be


def test_what_cannot_change_in_place_is_said(place):
    place.api.api("POST", "/registries", {"name": "hub", "type": "harbor", "url": "http://h.example.com"})
    text = "registries: [{name: hub, type: docker-hub, url: 'http://h.example.com'}]"
    assert problems(place.plan(text, adopt=True)) == ["type of registry hub is 'harbor' and cannot become 'docker-hub'"]


def test_references_to_nothing_are_found_before_anything_is_done(place):
    text = """
registries: [{name: dockerhub, type: docker-hub, url: "https://hub.docker.com"}]
projects: {cache: {registry: dockrhub}, payments: {members: {groups: [{group_name: devs, role: guest}]}}}
"""
    plan = place.plan(text)
    assert problems(plan) == [
        "there is no registry dockrhub, in the file or in Harbor; did you mean 'dockerhub'?",
        "there is no user-group devs, in the file or in Harbor",
    ]


def test_a_user_cannot_be_made_without_what_harbor_asks_for(place):
    assert problems(place.plan("users: [{username: alice, email: a@example.com}]")) == [
        "user alice is not there yet, and cannot be made without password, realname"
    ]


def test_a_configuration_that_the_chart_owns_is_not_fought_over(place):
    place.api.switch(overwritten=True)
    [problem] = place.plan("system: {config: {session_timeout: 90}}").problems
    assert problem.what == "session_timeout of config system is 60 and cannot become 90"
    assert "core.configureUserSettings" in problem.fix


def test_the_sign_in_cannot_change_while_there_are_users(place):
    user = {"username": "alice", "email": "a@example.com", "realname": "A", "password": "Password1"}
    place.api.api("POST", "/users", user)
    [problem] = place.plan("system: {config: {auth_mode: oidc_auth}}").problems
    assert "no user but admin" in problem.fix
