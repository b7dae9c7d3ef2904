"""Logins as a real Harbor does them: what answers 200 without one, sessions, CSRF, passwords, robots."""

import threading
import time

import pytest

from tests.harbor.process import ADMIN, basic


def log_in(harbor, name="admin", password=ADMIN[1]):
    """Log in as the portal does; gives the headers of a session."""
    first = harbor.request("GET", "/api/v2.0/systeminfo")
    second = harbor.request("GET", "/api/v2.0/systeminfo", headers={"Cookie": f"sid={first.cookies['sid']}"})
    cookies = f"sid={first.cookies['sid']}; _gorilla_csrf={second.cookies['_gorilla_csrf']}"
    token = second.headers["x-harbor-csrf-token"]
    done = harbor.request(
        "POST",
        "/c/login",
        body=f"principal={name}&password={password}",
        headers={"Cookie": cookies, "X-Harbor-CSRF-Token": token, "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert done.status == 200, done
    cookies = f"sid={done.cookies['sid']}; _gorilla_csrf={second.cookies['_gorilla_csrf']}"
    return {"Cookie": cookies, "X-Harbor-CSRF-Token": token}


@pytest.mark.parametrize("auth", [None, ("admin", "Wrong1234")], ids=["nobody", "wrong password"])
def test_lists_answer_200_with_less_to_those_who_are_not_logged_in(api, auth):
    api.api("POST", "/projects", {"project_name": "private"})

    assert [each["name"] for each in api.api("GET", "/projects").json] == ["library", "private"]
    seen = api.api("GET", "/projects", auth=auth)
    assert (seen.status, [each["name"] for each in seen.json]) == (200, ["library"])
    assert api.api("GET", "/labels", auth=auth, scope="g").status == 200
    assert api.api("GET", "/projects/library", auth=auth).status == 200
    assert api.api("GET", "/projects/private", auth=auth).status == 401


def test_only_the_logged_in_are_told_the_version(api):
    assert "harbor_version" in api.api("GET", "/systeminfo").json
    assert "harbor_version" not in api.api("GET", "/systeminfo", auth=None).json
    assert "harbor_version" not in api.api("GET", "/systeminfo", auth=("admin", "Wrong1234")).json


def test_a_session_reads_and_writes(api):
    session = log_in(api)

    assert "harbor_version" in api.api("GET", "/systeminfo", auth=None, headers=session).json
    made = api.api("POST", "/projects", {"project_name": "by-session"}, auth=None, headers=session)
    assert made.status == 201


def test_an_ended_session_sees_less_and_is_given_another_cookie(api):
    session = log_in(api)
    api.api("POST", "/projects", {"project_name": "private"})
    assert "sid" not in api.api("GET", "/projects", auth=None, headers=session).cookies

    api.end_sessions()

    after = api.api("GET", "/projects", auth=None, headers=session)
    assert (after.status, [each["name"] for each in after.json]) == (200, ["library"])
    assert after.cookies["sid"]


def test_sessions_survive_a_restart(api):
    session = log_in(api)

    api.restart()

    assert "harbor_version" in api.api("GET", "/systeminfo", auth=None, headers=session).json


def test_logging_out_ends_the_session(api):
    session = log_in(api)

    assert api.request("GET", "/c/log_out", headers=session).status == 200
    assert "harbor_version" not in api.api("GET", "/systeminfo", auth=None, headers=session).json


def test_writes_with_a_cookie_need_the_token(api):
    session = log_in(api)
    without = {"Cookie": session["Cookie"]}

    refused = api.api("POST", "/projects", {"project_name": "x"}, auth=None, headers=without)
    assert (refused.status, refused.message) == (403, "CSRF token not found in request")
    wrong = {**without, "X-Harbor-CSRF-Token": "rubbish"}
    assert api.api("POST", "/projects", {"project_name": "x"}, auth=None, headers=wrong).message == "CSRF token invalid"
    assert api.api("GET", "/projects", auth=None, headers=without).status == 200


def test_basic_auth_with_a_cookie_jar_is_refused_at_the_first_write(api):
    """What every client with a cookie jar of its own does: the cookie of the first answer makes the next write fail."""
    first = api.api("GET", "/projects")

    second = api.api("POST", "/projects", {"project_name": "x"}, headers={"Cookie": f"sid={first.cookies['sid']}"})

    assert (second.status, second.message) == (403, "CSRF token not found in request")


def test_every_call_without_a_cookie_leaves_a_session(api):
    for _ in range(5):
        api.api("GET", "/projects")

    assert api.stray_sessions() == 5


def test_a_wrong_password_takes_its_time_and_locks_the_right_one_out(api):
    api.switch(lock_seconds=0.4)
    started = time.monotonic()
    wrong = threading.Thread(target=lambda: api.api("GET", "/users", auth=("admin", "Wrong1234")))
    wrong.start()
    time.sleep(0.15)

    assert api.api("GET", "/users").status == 401

    wrong.join()
    assert time.monotonic() - started >= 0.4
    assert api.api("GET", "/users").status == 200


def test_sessions_and_robots_do_not_mind_a_locked_user(api):
    session = log_in(api)
    api.switch(locked=["admin"])

    assert api.api("GET", "/users").status == 401
    assert api.api("GET", "/users", auth=None, headers=session).status == 200


def test_a_session_wins_over_a_wrong_password(api):
    session = log_in(api)

    assert api.api("GET", "/users", auth=("admin", "Wrong1234"), headers=session).status == 200


def test_a_robot_cannot_log_in_and_has_no_current_user(api):
    access = [{"resource": "project", "action": "list"}]
    robot = api.api(
        "POST",
        "/robots",
        {
            "name": "reader",
            "level": "system",
            "duration": 1,
            "permissions": [{"kind": "system", "namespace": "/", "access": access}],
        },
    ).json
    with pytest.raises(AssertionError, match="status=401"):
        log_in(api, robot["name"], robot["secret"])

    auth = (robot["name"], robot["secret"])
    assert "harbor_version" in api.api("GET", "/systeminfo", auth=auth).json
    assert api.api("GET", "/users/current", auth=auth).status == 412
    assert api.api("GET", "/projects/missing", auth=auth).status == 403
    assert api.api("GET", "/projects/missing").status == 404


def test_the_token_endpoint_never_says_no_but_v2_does(api):
    wrong = ("robot$nobody", "Wrong1234")

    answer = api.request(
        "GET", "/service/token?service=harbor-registry&scope=repository:library/a:pull,push", auth=wrong
    )
    assert answer.status == 200
    assert api.request("GET", "/v2/", auth=wrong).status == 401
    assert api.request("GET", "/v2/", auth=ADMIN).status == 200


def test_a_real_harbors_password_is_slow_and_its_session_is_not(api):
    session = log_in(api)
    api.latency("real")

    started = time.monotonic()
    api.api("GET", "/labels", scope="g")
    by_password = time.monotonic() - started
    started = time.monotonic()
    for _ in range(5):
        api.api("GET", "/labels", auth=None, headers=session, scope="g")
    by_session = (time.monotonic() - started) / 5

    assert by_password > 0.115
    assert by_session < by_password / 2
    assert basic("a", "b") == "Basic YTpi"
