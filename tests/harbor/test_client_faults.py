"""Every fault in requests of every kind: what is sent again, what is not, and what is told."""

import asyncio
import time
from dataclasses import replace

import pytest

from infra.errors import (
    AlreadyThere,
    AnswerLost,
    AnswerUnreadable,
    HarborAway,
    HarborError,
    InputRefused,
    NotAllowedNow,
    NothingThere,
    ReadOnlyMode,
    RightMissing,
)
from slipway.harbor.client import Patience
from slipway.harbor.client.api import labels, projects, quotas, robots, system
from slipway.harbor.client.models import Access, Label, Permission, ProjectReq, RobotCreate
from slipway.harbor.client.request import Created
from tests.harbor.clients import IMPATIENT, run

HASTY = replace(IMPATIENT, answer=0.3)
LABEL = Label(name="stable", description="d", color="#00FF00")


def project(name="x"):
    return projects.create(ProjectReq(project_name=name))


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("request_of", ["read", "put", "delete"])
def test_what_may_be_sent_twice_is_sent_again(api, status, request_of):
    api.api("POST", "/labels", LABEL.model_dump(exclude_none=True))
    request = {"read": system.health(), "put": labels.update(1, LABEL), "delete": labels.delete(1)}[request_of]
    api.fault("status", path="(labels|health)", status=status, times=2)

    async def act(client):
        await client.send(request)
        return client.repeated

    assert run(api, act) == 2


@pytest.mark.parametrize(
    ("kind", "request_of"),
    [
        *((kind, request) for kind in ("reset", "lost") for request in ("read", "put", "delete")),
        ("truncated", "read"),  # the others have no body to cut
    ],
)
def test_a_cut_connection_is_sent_again_where_it_may_be(api, kind, request_of):
    api.api("POST", "/labels", LABEL.model_dump(exclude_none=True))
    request = {"read": system.health(), "put": labels.update(1, LABEL), "delete": labels.delete(1)}[request_of]
    api.fault(kind, path="(labels|health)")

    run(api, lambda client: client.send(request))

    # A delete whose answer was lost finds nothing the second time, which is what was wanted.
    assert api.api("GET", "/labels/1").status == (404 if request_of == "delete" else 200)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_creation_without_an_answer_is_never_sent_again(api, status):
    api.fault("status", operation="create_project", status=status)

    with pytest.raises(AnswerLost, match="create project x: answered with") as caught:
        run(api, lambda client: client.send(project()))

    assert "look whether it is there" in caught.value.problems[0].fix
    assert api.counts()["create_project"] == 1


@pytest.mark.parametrize(("kind", "made"), [("reset", False), ("lost", True)])
def test_a_creation_that_was_cut_says_that_nobody_knows(api, kind, made):
    api.fault(kind, operation="create_project")

    with pytest.raises(AnswerLost, match="may or may not have been done"):
        run(api, lambda client: client.send(project()))

    assert (api.api("GET", "/projects/x").status == 200) is made
    assert api.counts()["create_project"] == 1


def test_429_is_sent_again_for_a_creation_too_for_it_was_not_begun(api):
    api.fault("status", operation="create_project", status=429)

    assert run(api, lambda client: client.send(project())).number == 2


@pytest.mark.parametrize("kind", ["reset", "lost"])
def test_create_looks_before_it_sends_again(api, kind):
    api.fault(kind, operation="create_project")

    async def act(client):
        async def find():
            found = await client.all(projects.named(["x"]))
            return Created(str(found[0].project_id)) if found else None

        return await client.create(project(), find)

    assert run(api, act).number == 2
    assert api.counts()["create_project"] == (2 if kind == "reset" else 1)
    assert len(api.api("GET", "/projects").json) == 2


def test_create_does_not_take_what_was_there_before(api):
    async def act(client):
        async def find():
            raise AssertionError("nobody was to look")

        return await client.create(project("library"), find)

    with pytest.raises(AlreadyThere):
        run(api, act)


def test_create_gives_up_when_no_answer_ever_comes(api):
    api.fault("reset", operation="create_project", times=-1)

    async def act(client):
        async def find():
            return None

        return await client.create(project(), find)

    with pytest.raises(AnswerLost):
        run(api, act)
    assert api.counts()["create_project"] == 4


def test_500_is_bad_input_and_never_sent_again(api):
    api.fault("status", operation="list_robots", status=500, times=-1)

    with pytest.raises(InputRefused, match="list system robots: internal server error") as caught:
        run(api, lambda client: client.all(robots.of_system()))

    assert (caught.value.status, api.counts()["list_robots"]) == (500, 1)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, InputRefused),
        (403, RightMissing),
        (404, NothingThere),
        (409, AlreadyThere),
        (412, NotAllowedNow),
        (422, InputRefused),
    ],
)
def test_each_refusal_has_its_error_with_what_where_and_fix(api, status, error):
    api.fault("status", operation="update_label", status=status, message="because", times=-1)
    api.api("POST", "/labels", LABEL.model_dump(exclude_none=True))

    with pytest.raises(error) as caught:
        run(api, lambda client: client.send(labels.update(1, LABEL)))

    (problem,) = caught.value.problems
    assert problem.what.startswith("change label stable: because (")
    assert problem.where == api.url
    assert problem.fix
    assert caught.value.status == status
    assert api.counts()["update_label"] == 1


def test_read_only_mode_is_told_apart_from_a_missing_right(api):
    api.configure(read_only=True)

    with pytest.raises(ReadOnlyMode, match="read only mode"):
        run(api, lambda client: client.send(project()))


def test_attempts_end(api):
    api.fault("status", operation="get_health", status=503, times=-1)

    with pytest.raises(HarborAway, match="read the health: upstream is not available"):
        run(api, lambda client: client.send(system.health()))

    assert api.counts()["get_health"] == 4


def test_retry_after_is_waited_for(api):
    api.fault("status", operation="get_health", status=429, retry_after=0.4)
    started = time.monotonic()

    run(api, lambda client: client.send(system.health()))

    assert time.monotonic() - started >= 0.4


def test_a_retry_after_beyond_all_patience_is_told_at_once(api):
    api.fault("status", operation="get_health", status=429, retry_after=3600)

    with pytest.raises(HarborAway):
        run(api, lambda client: client.send(system.health()))
    assert api.counts()["get_health"] == 1


def test_a_slow_answer_is_given_up_and_asked_for_again(api):
    api.fault("slow", operation="get_health", seconds=5)

    assert run(api, lambda client: client.send(system.health()), patience=HASTY).status == "healthy"
    assert api.counts()["get_health"] == 2


def test_a_slow_creation_may_have_been_done(api):
    api.fault("slow", operation="create_project", seconds=5)

    with pytest.raises(AnswerLost, match="no answer in time"):
        run(api, lambda client: client.send(project()), patience=HASTY)


def test_a_restart_in_the_middle_costs_nothing_but_time(api):
    api.seed(200)

    async def act(client):
        async def one(number):
            if number == 60:
                await asyncio.to_thread(api.restart)
            return await client.send(quotas.update(number + 2, 1 << 30))

        return await client.each(lambda number=number: one(number) for number in range(200))

    results = run(api, act, patience=Patience(attempts=12, wait=0.05, wait_most=0.5))

    assert [each for each in results if isinstance(each, Exception)] == []
    assert {each["hard"]["storage"] for each in api.api("GET", "/quotas", page_size=0).json} == {-1, 1 << 30}


def test_one_in_twenty_requests_fails_in_some_way_and_the_end_is_right(api):
    for number, kind in enumerate(("status", "reset", "lost")):
        api.fault(kind, status=503, share=0.017, times=-1, path="/api/", seed=number)

    async def act(client):
        async def one(number):
            name = f"team-{number:03}"

            async def find():
                found = await client.all(projects.named([name]))
                return Created(str(found[0].project_id)) if found else None

            made = await client.create(project(name), find)
            quota = (await client.all(quotas.of_project(made.number)))[0]
            await client.send(quotas.update(quota.id, (number + 1) << 20))
            return made.number

        return await client.each(lambda number=number: one(number) for number in range(150))

    made = run(api, act)
    api.no_faults()

    assert [each for each in made if isinstance(each, Exception)] == []
    assert len(set(made)) == 150
    found = {each["ref"]["name"]: each["hard"]["storage"] for each in api.api("GET", "/quotas", page_size=0).json}
    assert found == {"library": -1} | {f"team-{number:03}": (number + 1) << 20 for number in range(150)}


def test_an_answer_that_is_no_harbors_is_told(api):
    from slipway.harbor.client.models import Robot
    from slipway.harbor.client.request import Request, one

    wrong = Request(what="read a robot", method="GET", path="/health", read=one(Robot))

    with pytest.raises(
        AnswerUnreadable, match="read a robot: the answer is not what Harbor's API gives: Field required"
    ):
        run(api, lambda client: client.send(wrong))


def test_a_failed_job_among_many_is_its_error_and_the_others_are_done(api):
    api.fault("status", operation="create_label", status=412, after=3)

    made = run(api, lambda client: client.each(labels.create(Label(name=f"label-{n}")) for n in range(10)))

    assert [type(each) for each in made].count(NotAllowedNow) == 1
    assert sum(isinstance(each, Created) for each in made) == 9
    assert all(isinstance(each, HarborError | Created) for each in made)


def test_requests_in_flight_are_bounded(api):
    api.fault("slow", operation="get_health", seconds=0.1, times=-1)
    started = time.monotonic()

    run(api, lambda client: client.each(system.health() for _ in range(20)), in_flight=5)

    assert 0.4 <= time.monotonic() - started < 1.5


def test_no_secret_is_in_any_error_or_repr(api):
    secret = "Chosen-Secret-1234"
    access = [Access(resource="repository", action="pull")]
    permission = Permission(kind="project", namespace="library", access=access)
    api.fault("status", operation="refresh_secret", status=400, message=f"the secret {secret} is not good", times=-1)

    async def act(client):
        made = await client.send(
            robots.create(RobotCreate(name="ci", level="project", duration=1, permissions=[permission]))
        )
        request = robots.refresh(made.id, secret)
        shown = (
            repr(made) + repr(request) + repr(request.body.model_dump()) + request.body.model_dump_json() + repr(client)
        )
        assert secret not in shown
        assert made.secret.get_secret_value() not in shown
        assert secret.encode() in request.body.wire()
        await client.send(request)

    with pytest.raises(InputRefused) as caught:
        run(api, act)
    assert secret not in str(caught.value) + repr(caught.value)
    assert "**********" in str(caught.value)
