"""The switches for faults: that each does what it says, once, where it was asked to."""

import http.client
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.harbor.process import ADMIN


@pytest.mark.parametrize("status", [401, 403, 404, 409, 412, 429, 500, 502, 503, 504])
def test_a_status_comes_once_and_only_for_its_operation(api, status):
    api.fault("status", operation="list_robots", status=status)

    assert api.api("GET", "/projects").status == 200
    assert api.api("GET", "/robots").status == status
    assert api.api("GET", "/robots").status == 200


def test_429_says_when_to_come_back(api):
    api.fault("status", status=429, retry_after=2)

    answer = api.api("GET", "/robots")
    assert (answer.status, answer.headers["retry-after"]) == (429, "2")


def test_a_fault_waits_for_its_turn_and_hits_as_often_as_told(api):
    api.fault("status", path="/labels", status=503, after=1, times=2)

    assert [api.api("GET", "/labels", scope="g").status for _ in range(4)] == [200, 503, 503, 200]
    assert api.faults()[0]["hits"] == 2


def test_a_share_of_all_requests_is_the_same_each_time(api):
    def statuses():
        api.no_faults()
        api.fault("status", status=503, share=0.3, times=-1, seed=7)
        return [api.api("GET", "/ping").status for _ in range(40)]

    first = statuses()
    assert 5 < first.count(503) < 20
    assert statuses() == first


def test_slow_answers_late(api):
    api.fault("slow", seconds=0.3)
    started = time.monotonic()

    assert api.api("GET", "/ping").json == "Pong"
    assert time.monotonic() - started >= 0.3


def test_late_is_done_before_it_is_answered(api):
    api.fault("late", seconds=0.5, operation="create_project")
    body = {"project_name": "late"}
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(api.api, "POST", "/projects", body)
        until = time.monotonic() + 0.4
        while "late" not in [each["name"] for each in api.api("GET", "/projects").json]:
            assert time.monotonic() < until
        assert not answer.done()
    assert answer.result().status == 201


def test_a_reset_does_nothing_and_a_lost_answer_did_it(api):
    for kind, made in (("reset", False), ("lost", True)):
        api.fault(kind, operation="create_project")
        with pytest.raises((http.client.HTTPException, OSError)):
            api.api("POST", "/projects", {"project_name": kind})
        assert (api.api("GET", f"/projects/{kind}").status == 200) is made


def test_a_truncated_answer_breaks_in_the_middle(api):
    api.fault("truncated", operation="list_projects")

    with pytest.raises(http.client.IncompleteRead):
        api.api("GET", "/projects")


def test_it_dies_in_the_middle_and_comes_back_with_all_it_knew(api):
    api.api("POST", "/projects", {"project_name": "before"})
    api.fault("exit", operation="delete_project")

    with pytest.raises((http.client.HTTPException, OSError)):
        api.api("DELETE", "/projects/before")
    api.process.wait(10)
    api.restart()

    assert api.api("GET", "/projects/before").status == 200
    assert api.request("GET", "/v2/", auth=ADMIN).status == 200


def test_latencies_of_a_real_harbor_can_be_set(api):
    api.seed(25)
    started = time.monotonic()
    api.api("GET", "/quotas", page_size=25)
    quick = time.monotonic() - started
    api.latency("real")
    started = time.monotonic()
    api.api("GET", "/quotas", page_size=25)

    assert time.monotonic() - started > quick + 25 * 0.017


def test_operations_are_counted(api):
    api.clear_counts()
    for _ in range(3):
        api.api("GET", "/robots")

    assert api.counts() == {"list_robots": 3}


def test_the_door_of_the_registry_takes_a_real_harbors_time_as_well(api):
    secret = api.api(
        "POST",
        "/robots",
        {
            "name": "door",
            "level": "system",
            "duration": 1,
            "permissions": [
                {"kind": "project", "namespace": "*", "access": [{"resource": "repository", "action": "pull"}]}
            ],
        },
    ).json
    api.latency("real")

    started = time.monotonic()
    for _ in range(5):
        assert api.request("GET", "/v2/", auth=(secret["name"], secret["secret"])).status == 200

    assert time.monotonic() - started > 5 * 0.005
    started = time.monotonic()
    assert api.request("GET", "/v2/", auth=ADMIN).status == 200
    assert time.monotonic() - started > 0.118
