"""What Harbor refuses in the middle: told for the object, all else done, and the next run goes on from there."""

import asyncio
import time

import pytest
from pydantic import SecretStr

from infra.errors import HarborError, LedgerMoved, LoginRefused, ReadOnlyMode
from slipway.harbor.apply import apply
from slipway.harbor.client import connect
from slipway.harbor.plan import Consent, make_plan
from slipway.harbor.secret_values import SecretValues
from tests.harbor.clients import connection

TEXT = """
labels: [{name: one}, {name: two}]
projects: {a: {labels: [{name: hot}]}, b: {labels: [{name: hot}]}}
"""


def states(applied):
    return {str(each.action.ref): each.state for each in applied.outcomes}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 422, 429, 500, 502, 503, 504])
def test_a_refused_project_stops_only_what_is_in_it(place, status):
    place.api.fault("status", operation="create_project", status=status, message="no such luck", times=-1)
    applied = place.apply(TEXT)
    assert states(applied) == {
        "label one": "done",
        "label two": "done",
        "project a": "failed",
        "project b": "failed",
        "project-label a/hot": "skipped",
        "project-label b/hot": "skipped",
    }
    [problem] = next(each for each in applied.outcomes if str(each.action.ref) == "project a").problems
    assert "create project a" in problem.what
    assert str(status) in problem.what or status == 401  # which is told as a login that ends each time
    [skipped] = next(each for each in applied.outcomes if each.state == "skipped").problems
    assert skipped.what == "not done, because project a was not"
    place.api.no_faults()
    assert place.apply(TEXT).good
    assert place.plan(TEXT).actions == []


@pytest.mark.parametrize("status", [403, 404, 500])
@pytest.mark.parametrize("operation", ["update_label", "delete_label"])
def test_a_refused_change_or_deletion_is_told_and_stays_ours(place, operation, status):
    place.apply("labels: [{name: one}, {name: two}]")
    text = "labels: [{name: two, color: '#000000'}]"
    place.api.fault("status", operation=operation, status=status, times=-1)
    applied = place.apply(text)
    assert sorted(states(applied).values()) == ["done", "failed"]
    place.api.no_faults()
    assert place.apply(text).good
    assert place.plan(text).actions == []


@pytest.mark.parametrize("operation", ["list_labels", "list_projects", "list_members"])
@pytest.mark.parametrize("status", [403, 500])
def test_half_a_picture_is_no_plan(place, operation, status):
    text = TEXT.replace("labels: [{name: hot}]", "members: {users: []}")
    place.apply(text)
    place.api.fault("status", operation=operation, status=status, times=-1)
    with pytest.raises(HarborError):
        place.plan(text)


def test_an_ended_session_in_the_middle_is_no_empty_harbor(place):
    place.apply(TEXT)
    place.api.fault("slow", operation="list_labels", seconds=0.3, times=-1)

    async def plan():
        async with connect(connection(place.api)) as harbor:
            task = asyncio.create_task(
                make_plan(harbor, place.wanted(TEXT), place.store.load(), SecretValues(place.folder), Consent())
            )
            await asyncio.sleep(0.15)
            await asyncio.to_thread(place.api.end_sessions)
            return (await task)[1]

    assert asyncio.run(plan()).actions == []


def test_a_wrong_password_is_an_error_and_no_plan(place):
    async def plan():
        async with connect(connection(place.api, secret=SecretStr("wrong"))) as harbor:
            await make_plan(harbor, place.wanted(TEXT), place.store.load(), SecretValues(place.folder), Consent())

    with pytest.raises(LoginRefused):
        asyncio.run(plan())


# --- read-only mode


def test_in_read_only_mode_a_plan_is_made_and_an_apply_refused(place):
    place.api.configure(read_only=True)
    assert len(place.plan(TEXT).actions) == 6
    with pytest.raises(ReadOnlyMode):
        place.apply(TEXT)
    assert place.store.load().entries == {}


def test_the_file_that_ends_read_only_mode_is_applied(place):
    place.api.configure(read_only=True)
    assert place.apply("system: {config: {read_only: false}}\n" + TEXT).good


def test_read_only_mode_that_begins_in_the_middle_is_told_for_each(place):
    place.api.fault(
        "status", operation="create_project", status=403, code="DENIED", times=-1,
        message="The system is in read only mode. Any modification is prohibited.",
    )  # fmt: skip
    applied = place.apply(TEXT)
    assert states(applied)["project a"] == "failed"
    assert "read only" in str(applied.outcomes)


# --- moved meanwhile


def applied_after(place, text, meanwhile):
    """Plan, let something happen, apply."""

    async def act():
        async with connect(connection(place.api)) as harbor:
            ledger, secrets, wanted = place.store.load(), SecretValues(place.folder), place.wanted(text)
            planned = await make_plan(harbor, wanted, ledger, secrets, Consent())
            await asyncio.to_thread(meanwhile)
            return await apply(
                harbor, wanted, ledger=ledger, store=place.store, secrets=secrets, planned=planned, consent=Consent()
            )

    return asyncio.run(act())


def test_what_somebody_changes_meanwhile_is_not_overwritten(place):
    place.apply("labels: [{name: one, color: '#000000'}]")
    body = {"name": "one", "scope": "g", "color": "#000000", "description": "by hand"}
    applied = applied_after(
        place, "labels: [{name: one, color: '#111111'}]", lambda: place.api.api("PUT", "/labels/1", body)
    )
    [outcome] = applied.outcomes
    assert (outcome.state, outcome.problems[0].what) == ("failed", "somebody changed it since it was read")
    assert place.api.api("GET", "/labels/1").json["description"] == "by hand"


def test_what_somebody_makes_meanwhile_is_not_ours(place):
    applied = applied_after(
        place, "labels: [{name: one}]", lambda: place.api.api("POST", "/labels", {"name": "one", "scope": "g"})
    )
    assert states(applied) == {"label one": "failed"}
    assert place.store.load().entries == {}


def test_two_runs_at_once_are_told_apart_by_the_ledger(place):
    with pytest.raises(LedgerMoved):
        applied_after(place, "labels: [{name: one}]", lambda: place.apply("labels: [{name: two}]"))
    assert [str(ref) for ref in place.store.load().entries] == ["label two"]
    assert [each["name"] for each in place.api.api("GET", "/labels", scope="g").json] == ["two"]


# --- not kept


def test_what_harbor_takes_and_does_not_keep_is_told(place):
    """Without quotas there is none to set, and Harbor says nothing of it."""
    place.api.configure(quota_per_project_enable=False)
    started = time.monotonic()
    applied = place.apply("projects: {a: {storage_quota: 5Gi}}")
    [outcome] = applied.outcomes
    assert outcome.state == "failed"
    assert outcome.problems[0].what == (
        "Harbor said that it is done, and reads back otherwise: storage_quota is None, not 5368709120"
    )
    assert time.monotonic() - started < 20


# --- a robot with the rights to read


def test_a_robot_with_least_rights_sees_drift_in_all_but_the_configuration(place):
    text = "system: {config: {session_timeout: 90}}\n" + TEXT.replace(
        "b: {labels", "b: {members: {users: []}, storage_quota: 5Gi, labels"
    ).replace("{name: one}", "{name: one, color: '#111111'}")
    assert place.apply(text).good
    place.api.api("PUT", "/labels/1", {"name": "one", "scope": "g", "color": "#000000"})
    made = place.api.api("POST", "/robots", DRIFT_ROBOT).json

    async def plan():
        sender = connection(place.api, name=made["name"], secret=SecretStr(made["secret"]))
        async with connect(sender) as harbor:
            return (
                await make_plan(harbor, place.wanted(text), place.store.load(), SecretValues(place.folder), Consent())
            )[1]

    plan = asyncio.run(plan())
    assert plan.unread == ["config"]
    assert [(each.verb, each.ref.kind) for each in plan.actions] == [("update", "label")]
    assert plan.problems == []


def test_what_a_robot_may_not_read_is_no_difference_in_what_depends_on_it(place):
    text = """
    registries: [{name: hub, type: docker-hub, url: "https://hub.docker.com"}]
    projects: {a: {registry: hub, labels: [{name: hot}], members: {users: []}}}
    replication_policies: [{name: pull, src_registry: hub, trigger: {type: manual}, filters: [{type: name, value: "x/**"}]}]
    """
    assert place.apply(text).good
    projects = {"kind": "project", "namespace": "*", "access": _rights("label:list", "member:list")}

    def seen(name, *system):
        grants = [{"kind": "system", "namespace": "/", "access": _rights(*system)}, projects]
        body = {"name": name, "level": "system", "duration": 1, "permissions": grants}
        made = place.api.api("POST", "/robots", body).json
        sender = connection(place.api, name=made["name"], secret=SecretStr(made["secret"]))

        async def plan():
            async with connect(sender) as harbor:
                secrets = SecretValues(place.folder)
                return await make_plan(harbor, place.wanted(text), place.store.load(), secrets, Consent())

        return asyncio.run(plan())[1]

    one = seen("registries-not", "project:list", "replication-policy:list")
    assert (one.unread, one.actions, one.problems) == (["registry", "replication"], [], [])
    place.api.fault("status", operation="list_projects", status=403, times=-1)
    other = seen("projects-not", "registry:list", "replication-policy:list")
    assert (other.unread, other.actions, other.problems) == (["member", "project", "project-label"], [], [])


def _rights(*pairs):
    return [{"resource": resource, "action": action} for resource, action in (pair.split(":") for pair in pairs)]


DRIFT_ROBOT = {
    "name": "drift",
    "level": "system",
    "duration": 30,
    "permissions": [
        {
            "kind": "system",
            "namespace": "/",
            "access": _rights("project:list", "quota:list", "registry:list", "label:read", "user-group:list"),
        },
        {
            "kind": "project",
            "namespace": "*",
            "access": _rights("project:read", "member:list", "label:list", "quota:read"),
        },
    ],
}
