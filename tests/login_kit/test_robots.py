"""Robots in pairs: made, kept, mended, rotated with an overlap; and what a kill at any request leaves to finish."""

import contextlib
import datetime as dt
import json
import stat

import pytest
from pydantic import SecretStr

from infra.errors import (
    AlreadyThere,
    AnswerLost,
    HarborAway,
    HarborError,
    InputRefused,
    LoginRefused,
    NothingThere,
    ReadOnlyMode,
    RightMissing,
    SecretStoreError,
    SettingsError,
)
from slipway.harbor.robots import PRESETS, Rotation, issue, rotate
from slipway.harbor.robots.stores.file import FileStore
from slipway.harbor.robots.wanted import MARK, UNFINISHED
from tests.harbor.clients import run
from tests.login_kit.conftest import opens, robots_of, wanted

A, B = "robot$payments+ci-a", "robot$payments+ci-b"


def issued(server, store, *, robot=None, **options):
    return run(server, lambda client: issue(client, robot or wanted(), store, **options))


def rotated(server, store, *, robot=None, **options):
    return run(server, lambda client: rotate(client, robot or wanted(), store, **options))


def test_a_robot_has_the_least_rights_an_end_and_a_secret_that_opens(payments, store):
    made = issued(payments, store)

    assert (made.decision.act, made.robot) == ("make", A)
    assert opens(payments, store.current())
    assert store.pending() is None
    robot = robots_of(payments)[A]
    assert {(each["resource"], each["action"]) for each in robot["permissions"][0]["access"]} == {
        (each.resource, each.action) for each in PRESETS["ci"]
    }
    assert dt.timedelta(days=89) < made.ends - dt.datetime.now(dt.UTC) < dt.timedelta(days=91)
    assert MARK in robot["description"]
    assert UNFINISHED not in robot["description"]


def test_its_secret_is_shown_by_nothing_and_readable_by_its_owner_only(payments, store):
    made = issued(payments, store)
    secret = store.current().password.get_secret_value()

    assert secret not in repr(made)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert json.loads(store.path.read_text()) == {"username": A, "password": secret, "registry": "registry.example.com"}


def test_a_second_run_changes_nothing(payments, store):
    first = issued(payments, store)
    payments.clear_counts()
    second = issued(payments, store)

    assert second.decision.act == "keep"
    assert second.credential == first.credential
    assert not {"createRobot", "updateRobot", "refreshSec", "deleteRobot"} & {
        name.partition(" ")[2] or name for name in payments.counts()
    }
    assert all(" /robots" not in name or name.startswith("GET") for name in payments.counts()), payments.counts()


def test_other_rights_are_brought_to_what_is_wanted(payments, store):
    issued(payments, store, robot=wanted("ci"))
    narrower = wanted("ci", rights={"payments": PRESETS["pull"]})

    assert issued(payments, store, robot=narrower).mended
    (permission,) = robots_of(payments)[A]["permissions"]
    assert permission["access"] == [{"resource": "repository", "action": "pull"}]
    assert not issued(payments, store, robot=narrower).mended
    assert opens(payments, store.current())


def test_a_robot_of_several_projects_is_the_systems(payments, store):
    payments.api("POST", "/projects", {"project_name": "base"})
    both = wanted(rights={"payments": PRESETS["ci"], "base": PRESETS["pull"]})

    assert issued(payments, store, robot=both).robot == "robot$ci-a"
    assert issued(payments, store, robot=both).decision.act == "keep"
    assert opens(payments, store.current())


def test_another_prefix_of_the_server_does_not_matter(payments, store):
    payments.configure(robot_name_prefix="bot-")
    payments.api("POST", "/projects", {"project_name": "base"})
    both = wanted(rights={"payments": PRESETS["ci"], "base": PRESETS["pull"]})

    assert issued(payments, store).robot == "bot-payments+ci-a"
    assert issued(payments, store).decision.act == "keep"
    other = FileStore(store.path.with_name("system.json"))
    assert issued(payments, other, robot=both).robot == "bot-ci-a"
    assert issued(payments, other, robot=both).decision.act == "keep"


# --- rotation


def test_a_rotation_keeps_two_valid_robots_until_everybody_has_the_new_one(payments, store):
    old = issued(payments, store).credential
    step = rotated(payments, store)
    new = store.current()

    assert (step.decision.act, step.robot, step.older) == ("rotate", B, A)
    assert opens(payments, old)
    assert opens(payments, new)

    step = rotated(payments, store)
    assert (step.decision.act, step.older) == ("wait", A)
    assert opens(payments, old)
    assert opens(payments, new)

    payments.later(days=1.1)
    step = rotated(payments, store)
    assert step.decision.act == "retire"
    assert not opens(payments, old)
    assert opens(payments, new)
    assert robots_of(payments)[A]["disable"]


def test_the_next_rotation_takes_the_place_of_the_ended_one_and_lives_its_full_time(payments, store):
    issued(payments, store)
    rotated(payments, store)
    payments.later(days=60)
    rotated(payments, store)
    ended = robots_of(payments)[A]["id"]
    step = rotated(payments, store)

    assert (step.decision.act, step.robot) == ("rotate", A)
    assert robots_of(payments)[A]["id"] != ended
    assert step.ends - dt.datetime.now(dt.UTC) > dt.timedelta(days=149)


def test_a_daily_job_rotates_only_what_ends_soon(payments, store):
    issued(payments, store)
    daily = Rotation(before=dt.timedelta(days=30))

    assert rotated(payments, store, rotation=daily).decision.act == "keep"
    payments.later(days=61)
    assert rotated(payments, store, rotation=daily).decision.act == "rotate"
    payments.later(days=1)
    assert rotated(payments, store, rotation=daily).decision.act == "retire"
    assert rotated(payments, store, rotation=daily).decision.act == "keep"


def test_the_older_one_stays_while_a_namespace_lags(payments, store):
    old = issued(payments, store).credential
    rotated(payments, store)
    payments.later(days=2)
    asked = []

    def lagging(name):
        asked.append(name)
        return ["shop", "stock"]

    step = rotated(payments, store, rotation=Rotation(lagging=lagging))
    assert (step.decision.act, step.decision.why) == ("wait", "shop, stock still have the older secret")
    assert asked == [B]
    assert opens(payments, old)
    assert rotated(payments, store, rotation=Rotation(lagging=lambda _: [])).decision.act == "retire"


def test_an_expired_robot_is_followed_by_the_other(payments, store):
    issued(payments, store)
    payments.later(days=91)
    again = issued(payments, store)

    assert (again.decision.act, again.robot) == ("make", B)
    assert opens(payments, store.current())


# --- robots of somebody else


def test_a_robot_whose_secret_is_elsewhere_is_left_alone(payments, store, tmp_path):
    elsewhere = FileStore(tmp_path / "elsewhere.json")
    theirs = issued(payments, elsewhere).credential
    mine = issued(payments, store)

    assert mine.robot == B
    assert opens(payments, theirs)

    third = FileStore(tmp_path / "third.json")
    with pytest.raises(AlreadyThere, match=r"ci-a and .*ci-b are there, and their secrets are not"):
        issued(payments, third)
    assert opens(payments, theirs)
    assert opens(payments, mine.credential)
    assert third.pending() is None

    issued(payments, third, take_over=True)
    assert not opens(payments, theirs)
    assert opens(payments, third.current())


def test_a_newer_robot_that_is_not_ours_stops_a_rotation(payments, store, tmp_path):
    issued(payments, store)
    theirs = issued(payments, FileStore(tmp_path / "elsewhere.json")).credential
    payments.later(days=5)

    with pytest.raises(AlreadyThere, match="ci-b is valid too, and newer"):
        rotated(payments, store)
    assert opens(payments, theirs)


def test_a_robot_made_by_hand_is_never_taken_for_free(payments, store):
    access = [{"resource": "repository", "action": "pull"}]
    by_hand = {
        "level": "project",
        "duration": 1,
        "permissions": [{"kind": "project", "namespace": "payments", "access": access}],
    }
    for slot in "ab":
        assert payments.api("POST", "/robots", by_hand | {"name": f"ci-{slot}"}).status == 201
    payments.later(days=2)

    with pytest.raises(AlreadyThere):
        issued(payments, store)


# --- killed on the way


@pytest.mark.parametrize("method", ["POST", "PATCH", "GET", "PUT"])
@pytest.mark.parametrize("kind", ["status", "lost"])
def test_stopped_at_any_request_the_next_run_finishes_it(payments, store, method, kind):
    path = "/robots$" if method in {"POST", "GET"} else "/robots/[0-9]+$"
    payments.fault(kind, method=method, path=path, times=-1, status=500)
    with contextlib.suppress(HarborError):  # a robot whose making got no answer is found again at once
        issued(payments, store)
    assert payments.faults()[0]["hits"] > 0
    payments.no_faults()
    again = issued(payments, store)

    assert opens(payments, store.current())
    assert UNFINISHED not in robots_of(payments)[again.robot]["description"]
    valid = [name for name, robot in robots_of(payments).items() if UNFINISHED not in robot["description"]]
    assert valid == [again.robot]


@pytest.mark.parametrize("broken", ["stage", "promote"])
def test_a_store_that_breaks_loses_nothing(payments, store, monkeypatch, broken):
    old = issued(payments, store).credential
    with monkeypatch.context() as patch:
        patch.setattr(FileStore, broken, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises((KeyboardInterrupt, BaseExceptionGroup)):
            rotated(payments, store)
    assert store.current() == old
    assert opens(payments, old)

    step = rotated(payments, store)
    assert step.decision.act == "rotate"
    assert opens(payments, old)
    assert opens(payments, store.current())


def test_a_secret_that_harbor_took_is_promoted_by_the_next_run(payments, store, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(FileStore, "promote", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises((KeyboardInterrupt, BaseExceptionGroup)):
            issued(payments, store)
    pending = store.pending()
    again = issued(payments, store)

    assert (again.decision.act, again.finished) == ("keep", True)
    assert store.current() == pending
    assert UNFINISHED not in robots_of(payments)[A]["description"]


def test_a_lost_answer_makes_one_robot(payments, store):
    payments.fault("lost", method="POST", path="/robots$")
    issued(payments, store)

    assert list(robots_of(payments)) == [A]
    assert opens(payments, store.current())


# --- refusals


def test_a_project_that_is_not_there_is_named_with_its_nearest(payments, store):
    with pytest.raises(NothingThere, match=r"there is no 'payment'; did you mean 'payments'\?"):
        issued(payments, store, robot=wanted(rights={"payment": PRESETS["pull"]}))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "CI robot"}, "robot name: Harbor takes no 'CI robot'.*\n.*'ci-robot' would do"),
        ({"name": "a" * 250}, "has 261 characters"),
        ({"rights": {"Payments": PRESETS["pull"]}}, "project: Harbor takes no 'Payments'"),
        ({"rights": {}}, "no project is named"),
        ({"days": -1}, "days: -1 is no time for a robot to live"),
    ],
)
def test_what_harbor_would_refuse_is_refused_here(changes, told):
    with pytest.raises(SettingsError, match=told):
        wanted(**changes)


def test_all_bad_names_are_told_at_once():
    with pytest.raises(SettingsError) as raised:
        wanted(name="-", rights={"A": PRESETS["pull"], "ok": PRESETS["pull"], "B": PRESETS["pull"]}, days=0)
    assert len(raised.value.problems) == 4


def test_read_only_is_told_before_anything_is_made(payments, store):
    payments.configure(read_only=True)
    with pytest.raises(ReadOnlyMode, match="read-only: no robot can be made"):
        issued(payments, store)
    assert store.pending() is None


def test_a_wrong_password_is_told(payments, store):
    with pytest.raises(LoginRefused):
        run(payments, lambda client: issue(client, wanted(), store), secret=SecretStr("Wrong12345"))


def a_robot(server, *access, name="maker"):
    rights = [{"resource": resource, "action": action} for resource, action in access]
    body = {
        "name": name,
        "level": "system",
        "duration": 30,
        "permissions": [{"kind": "project", "namespace": "payments", "access": rights}],
    }
    made = server.api("POST", "/robots", body).json
    return {"name": made["name"], "secret": SecretStr(made["secret"])}


def test_a_robot_without_the_right_is_told_what_it_lacks(payments, store):
    login = a_robot(payments, ("repository", "pull"), ("project", "read"))
    with pytest.raises(RightMissing, match="log in as an administrator of the project"):
        run(payments, lambda client: issue(client, wanted(), store), **login)
    assert store.pending() is None


def test_a_robot_with_the_right_makes_keeps_and_rotates(payments, store):
    rights = [("robot", action) for action in ("create", "list", "read", "delete")]
    login = a_robot(payments, ("project", "read"), *rights, *((each.resource, each.action) for each in PRESETS["ci"]))

    def step(do, **options):
        return run(payments, lambda client: do(client, wanted(), store, **options), **login).decision.act

    assert step(issue) == "make"
    old = store.current()
    assert opens(payments, old)
    assert step(issue) == "keep"
    assert step(rotate) == "rotate"
    assert opens(payments, old)
    assert opens(payments, store.current())
    payments.later(days=2)
    assert step(rotate) == "retire"
    assert list(robots_of(payments)) == [B]
    assert opens(payments, store.current())


@pytest.mark.parametrize(
    ("status", "kind"), [(409, AlreadyThere), (403, RightMissing), (400, InputRefused), (503, (HarborAway, AnswerLost))]
)
def test_what_harbor_says_to_the_making_is_told(payments, store, status, kind):
    payments.fault("status", method="POST", path="/robots$", status=status, times=-1)
    with pytest.raises(kind):
        issued(payments, store)
    assert store.pending() is None


def test_a_dry_run_says_what_would_be_and_writes_nothing(payments, store):
    plan = issued(payments, store, dry_run=True)
    assert (plan.decision.act, plan.robot, plan.credential) == ("make", "payments+ci-a", None)
    assert robots_of(payments) == {}

    issued(payments, store)
    before = (store.current(), robots_of(payments)[A]["update_time"])
    assert rotated(payments, store, dry_run=True).decision.act == "rotate"
    assert (store.current(), robots_of(payments)[A]["update_time"]) == before


def test_a_place_with_another_robots_secret_is_refused(payments, store):
    issued(payments, store)
    before = store.current()
    for other in (wanted("push"), wanted(rights={"library": PRESETS["ci"]})):
        with pytest.raises(SecretStoreError, match=r"holds the secret of robot\$payments\+ci-a, and would lose it"):
            issued(payments, store, robot=other)
    assert store.current() == before


def test_a_robot_that_was_deleted_is_made_again(payments, store):
    issued(payments, store)
    payments.api("DELETE", f"/robots/{robots_of(payments)[A]['id']}")
    assert issued(payments, store).decision.act == "make"
    assert opens(payments, store.current())
