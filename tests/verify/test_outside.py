"""What can be seen from outside: a healthy registry passes, and each fault shows under its check with its advice."""

from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from infra.errors import SettingsError
from slipway.verify.advice import COMPONENTS, EVERY_HARBOR
from slipway.verify.scene import MIB, Expected, Options
from tests.verify.front import Front, silent

AS_SET = Expected(components=EVERY_HARBOR | {"trivy"}, job_replicas=1, chart_version="1.19.1")
PULLS = {"kind": "project", "namespace": "library", "access": [{"resource": "repository", "action": "pull"}]}


def failed(outcomes):
    return {name for name, one in outcomes.items() if one.state in {"failed", "undecided"}}


def test_a_healthy_registry_passes_without_a_write(bare):
    bare.server.clear_counts()

    outcomes = bare.verify("outside", read_only=True, expected=AS_SET)

    assert {one.state for one in outcomes.values()} == {"passed"}
    counts = bare.server.counts()
    assert not [name for name in counts if name.startswith(("create", "update", "delete", "start"))]
    assert counts["token"] == 20


@pytest.mark.parametrize("component", sorted(COMPONENTS))
def test_each_ill_component_is_named_with_where_to_look(bare, component):
    bare.server.switch(unhealthy={component: "dial tcp: connection refused"})

    outcome = bare.verify("outside.health")["outside.health"]

    assert (outcome.state, outcome.says) == ("failed", f"{component}: dial tcp: connection refused")
    assert outcome.fix == COMPONENTS[component]


def test_a_component_that_is_not_told_of_is_missed(bare):
    more = Expected(components=AS_SET.components | {"exporter"}, job_replicas=1, chart_version="")

    outcome = bare.verify("outside.health", expected=more)["outside.health"]

    assert outcome.says == "not in the health check: exporter"
    assert "slipway status" in outcome.fix


def test_a_component_that_should_not_be_there_is_told(bare):
    less = Expected(components=EVERY_HARBOR, job_replicas=1, chart_version="")

    outcome = bare.verify("outside.health", expected=less)["outside.health"]

    assert outcome.says == "not in the settings, yet there: trivy"
    assert "slipway diff" in outcome.fix


FAULTS = [
    pytest.param(
        {"kind": "status", "status": 503, "path": "/health$"},
        "outside.health", "/api/v2.0/health is answered with 503", "slipway status", id="no health check",
    ),
    pytest.param(
        {"kind": "status", "status": 503, "path": "/ping$"}, "outside.reach", "503", "slipway status", id="no target"
    ),
    pytest.param(
        {"kind": "reset", "path": "/ping$"}, "outside.reach", "the connection broke", "idle timeout", id="cut"
    ),
    pytest.param(
        {"kind": "status", "status": 500, "operation": "token"},
        "outside.logins", "20 of 20 failed; the token service answers 500", "harbor-core-token", id="token service",
    ),
    pytest.param(
        {"kind": "status", "status": 401, "path": "^/v2/$", "share": 0.5},
        "outside.logins", "of 20 failed; a fresh token is answered with 401", "one token key", id="replicas differ",
    ),
    pytest.param(
        {"kind": "status", "status": 500, "operation": "list_pools"},
        "outside.jobs", "500", "harbor-jobservice", id="job service unreachable",
    ),
    pytest.param(
        {"kind": "truncated", "operation": "list_queues"},
        "outside.queues", "cut off", "Job Queues", id="half an answer",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "check", "says", "fix"), FAULTS)
def test_a_fault_shows_under_its_check(bare, fault, check, says, fix):
    bare.server.fault(times=-1, **fault)

    outcomes = bare.verify(check)

    assert failed(outcomes) == {check}
    assert says in outcomes[check].says
    assert fix in outcomes[check].fix


SWITCHES = [
    pytest.param({"heartbeat_age": 300}, "outside.jobs", "the last sign of life", "rollout restart", id="job service hangs"),
    pytest.param({"unhealthy": {"jobservice": "x"}}, "outside.jobs", "no job service", "its log for Redis", id="none"),
    pytest.param({"unhealthy": {"trivy": "x"}}, "outside.scanner", "unhealthy", "harbor-trivy", id="scanner ill"),
    pytest.param({"jobs_paused": ["IMAGE_SCAN"]}, "outside.queues", "paused: IMAGE_SCAN", "resume it", id="queue"),
    pytest.param({"jobs_paused": ["all"]}, "outside.schedules", "scheduler is paused", "resume it", id="scheduler"),
    pytest.param({"locked": ["admin"]}, "outside.login", "cannot log in", "check the secret", id="locked account"),
    pytest.param(
        {"external_url": "http://other.example.com"},
        "outside.address", "takes http://other.example.com for its address", "slipway:domain", id="another address",
    ),
    pytest.param(
        {"external_url": "https://registry.example.com"},
        "outside.realm", "clients are sent to https://", "X-Forwarded-Proto", id="another scheme",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("switches", "check", "says", "fix"), SWITCHES)
def test_a_wrong_state_shows_under_its_check(bare, switches, check, says, fix):
    bare.server.switch(**switches)

    outcomes = bare.verify(check)

    assert failed(outcomes) == {check}
    assert says in outcomes[check].says
    assert fix in outcomes[check].fix


def test_a_replica_of_the_job_service_that_is_missing(bare):
    two = Expected(components=AS_SET.components, job_replicas=2, chart_version="")

    assert bare.verify("outside.jobs", expected=two)["outside.jobs"].says.startswith("1 of 2 replicas")


def test_read_only_mode_is_told_and_nothing_is_tried(bare):
    bare.server.configure(read_only=True)
    bare.server.clear_counts()

    outcomes = bare.verify("outside", "round-trip")

    assert failed(outcomes) == {"outside.writable"}
    assert "Repository Read Only" in outcomes["outside.writable"].fix
    assert outcomes["round-trip.project"].says == "needs outside.writable, which failed"
    assert "create_project" not in bare.server.counts()


def test_without_a_password_what_needs_a_login_is_skipped(bare):
    outcomes = bare.verify("outside", password=None, no_password="set SLIPWAY_HARBOR_PASSWORD")

    assert outcomes["outside.realm"].state == "passed"
    assert outcomes["outside.login"].says == "set SLIPWAY_HARBOR_PASSWORD"
    assert outcomes["outside.jobs"].says == "needs outside.login, which did not run: set SLIPWAY_HARBOR_PASSWORD"
    assert not failed(outcomes)


def test_a_wrong_password_is_one_failure_and_is_tried_once(bare):
    bare.server.clear_counts()

    outcomes = bare.verify("outside", password=SecretStr("Wrong12345"))

    assert failed(outcomes) == {"outside.login"}
    assert "wrong name or password" in outcomes["outside.login"].says
    assert "Wrong12345" not in str(outcomes)
    assert bare.server.counts()["login"] == 1


def robot_of(server, permissions, name="checker") -> dict:
    body = {"name": name, "level": "system", "duration": 30, "permissions": permissions}
    made = server.api("POST", "/robots", body).json
    return {"username": made["name"], "password": SecretStr(made["secret"])}


def test_a_robot_with_few_rights_leaves_undecided_what_it_may_not_see(bare):
    outcomes = bare.verify("outside", **robot_of(bare.server, [PULLS]))

    assert failed(outcomes) == {"outside.jobs", "outside.queues", "outside.scanner", "outside.schedules"}
    assert {outcomes[name].state for name in failed(outcomes)} == {"undecided"}
    assert "give robot$checker the right to do this" in outcomes["outside.jobs"].fix
    assert outcomes["outside.logins"].state == "passed"


def test_a_robot_that_was_disabled_cannot_log_in(bare):
    robot = robot_of(bare.server, [PULLS])
    made = bare.server.api("GET", "/robots").json[0]
    bare.server.api("PUT", f"/robots/{made['id']}", made | {"disable": True})

    assert failed(bare.verify("outside", **robot)) == {"outside.login"}


# --- what stands before it


def test_nothing_listens(bare):
    @asynccontextmanager
    async def nobody():
        server, url = await silent()
        server.close()
        yield url

    outcome = bare.verify("outside.reach", front=nobody())["outside.reach"]

    assert outcome.state == "failed"
    assert "no connection" in outcome.says
    assert "load balancer has healthy targets" in outcome.fix


def test_no_answer_in_time(bare):
    @asynccontextmanager
    async def mute():
        server, url = await silent()
        async with server:
            yield url

    options = Options(blob_size=4 * MIB, seconds=0.3)

    outcome = bare.verify("outside.reach", front=mute(), options=options)["outside.reach"]

    assert outcome.says == "GET /api/v2.0/ping: no answer within 0.3 s"
    assert "--timeout" in outcome.fix


def test_an_address_that_redirects_is_not_followed(bare):
    front = Front(bare.server.url, answers={"/ping": (308, {"Location": "https://elsewhere.example.com/"}, b"")})

    outcome = bare.verify("outside.reach", front=front)["outside.reach"]

    assert outcome.says == "redirects to https://elsewhere.example.com/"
    assert "at which Harbor itself answers" in outcome.fix


def test_what_answers_is_no_harbor(bare):
    page = b"<html><body><h1>Welcome to nginx!</h1></body></html>"
    front = Front(bare.server.url, answers={"/ping": (200, {"Content-Type": "text/html"}, page)})

    assert bare.verify("outside", front=front)["outside.reach"].says == (
        "/api/v2.0/ping is answered with 200 (Welcome to nginx!), not with Pong"
    )


def test_a_proxy_that_drops_the_host(bare):
    outcomes = bare.verify("outside.realm", front=Front(bare.server.url, keeps_host=False))

    assert failed(outcomes) == {"outside.realm"}
    assert f"clients are sent to {bare.server.url}/service/token" in outcomes["outside.realm"].says
    assert "let the proxy pass Host" in outcomes["outside.realm"].fix


def test_a_proxy_that_drops_cookies(bare):
    outcome = bare.verify("outside.login", front=Front(bare.server.url, hides=("Set-Cookie",)))["outside.login"]

    assert "gives no cookie sid" in outcome.says
    assert "must let cookies through" in outcome.fix


def test_a_proxy_of_the_network_is_used_as_the_environment_says(bare, monkeypatch):
    seen = Front(anywhere=bare.server.url)

    @asynccontextmanager
    async def behind():
        async with seen as proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy)
            yield "http://registry.test"

    bare.server.switch(external_url="http://registry.test")

    outcomes = bare.verify("outside", "certificate.dns", front=behind(), allow_http=True)

    assert {name for name, one in outcomes.items() if one.state != "passed"} == {"certificate.dns"}
    assert outcomes["certificate.dns"].says == "a proxy is between, which asks its own DNS"
    assert ("GET", "http://registry.test/v2/") in seen.asked


def test_a_proxy_of_the_network_that_is_away(bare, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    outcome = bare.verify("outside.reach", url="http://registry.test", allow_http=True)["outside.reach"]

    assert "no connection" in outcome.says
    assert "proxies on the way" in outcome.fix


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://registry.example.com", "is not encrypted"),
        ("https://registry.example.com/harbor", "has something behind the host"),
        ("https://admin:pw@registry.example.com", "a name or a secret in the address"),
        ("ftp://registry.example.com", "is not an address of a registry"),
    ],
)
def test_an_address_that_will_not_do_is_refused_before_anything_is_sent(bare, url, says):
    with pytest.raises(SettingsError, match=says):
        bare.verify("outside", url=url)
