"""The round trip: it passes against a real distribution server, and each fault shows under its check with its advice."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from slipway.verify import events
from slipway.verify.catalogue import CHECKS
from slipway.verify.scene import MIB, Options
from tests.verify.front import Front

SMALL = Options(blob_size=4 * MIB)


def failed(outcomes):
    return {name for name, one in outcomes.items() if one.state in {"failed", "undecided"}}


def test_a_healthy_registry_passes_and_is_as_before(registry):
    outcomes = registry.verify(options=Options(), asked=["round-trip.collect"])

    assert failed(outcomes) == set()
    skipped = {name.partition(".")[0] for name, one in outcomes.items() if one.state == "skipped"}
    assert skipped == {"cluster", "certificate"}
    assert {name for name, one in outcomes.items() if one.state == "passed"} >= {
        check.id for check in CHECKS if check.group == "round-trip"
    }
    assert outcomes["round-trip.upload"].says.startswith("36 MiB in 4 parts, a connection each")
    assert registry.left == []


def test_a_store_that_redirects_is_followed(registry):
    registry.server.switch(blob_redirect=True)

    outcomes = registry.verify("round-trip.blob", "round-trip.ranges")

    assert failed(outcomes) == set()
    assert "redirected to 127.0.0.1:" in outcomes["round-trip.blob"].says


# --- one fault each, made by Harbor or the registry behind it

BROKEN = {400: "", 401: "different token keys", 404: "must share one storage", 416: "must share one storage"}
BROKEN |= {413: "proxy-body-size", 429: "limits the rate", 500: "harbor-registry", 502: "does not answer"}
BROKEN |= {503: "no healthy target", 504: "idle timeout to 900 s"}


@pytest.mark.parametrize("status", sorted(BROKEN))
def test_an_upload_that_is_refused_in_the_middle(registry, status):
    registry.server.fault("status", status=status, method="PATCH", path="/blobs/uploads/", after=1)

    outcomes = registry.verify("round-trip.upload")

    assert failed(outcomes) == {"round-trip.upload"}
    assert f"part 2, bytes 1048576 to 2097151: {status}" in outcomes["round-trip.upload"].says
    assert BROKEN[status] in outcomes["round-trip.upload"].fix
    assert registry.left == []


FAULTS = [
    pytest.param(
        {"kind": "status", "status": 400, "message": "project name slipway-verify is reserved"},
        "create_project", "round-trip.project", "is reserved (400", "correct the value", id="name refused",
    ),
    pytest.param(
        {"kind": "lost"}, "create_project", "round-trip.project", "may or may not have been done", "run it again",
        id="answer lost",
    ),
    pytest.param(
        {"kind": "status", "status": 500}, "create_robot", "round-trip.robot", "500", "core's log", id="no robot",
    ),
    pytest.param(
        {"kind": "status", "status": 401, "path": "^/v2/$"},
        "", "round-trip.robot", "does not open the registry", "right to make robots", id="secret not known",
    ),
    pytest.param(
        {"kind": "reset", "method": "PATCH", "path": "/v2/"},
        "", "round-trip.upload", "the connection broke", "idle timeout", id="upload cut",
    ),
    pytest.param(
        {"kind": "status", "status": 404, "method": "GET", "path": "/blobs/uploads/"},
        "", "round-trip.upload", "ask how far the upload is after part 1", "share one storage", id="upload forgotten",
    ),
    pytest.param(
        {"kind": "status", "status": 404, "method": "HEAD", "path": "/app/blobs/sha256"},
        "", "round-trip.blob", "does not know the blob", "share a storage", id="blob not found",
    ),
    pytest.param(
        {"kind": "status", "status": 503, "method": "GET", "path": "/app/blobs/sha256"},
        "", "round-trip.blob", "pull the blob from 127.0.0.1", "no healthy target", id="blob not given",
    ),
    pytest.param(
        {"kind": "status", "status": 500, "method": "PUT", "path": "/manifests/v1$"},
        "", "round-trip.image", "push the manifest as v1: 500", "harbor-registry", id="manifest refused",
    ),
    pytest.param(
        {"kind": "status", "status": 404, "method": "GET", "path": "/manifests/v1$"},
        "", "round-trip.pull", "pull v1: 404", "share one storage", id="manifest not found",
    ),
    pytest.param(
        {"kind": "status", "status": 403, "method": "POST", "path": "/copy/blobs/uploads/"},
        "", "round-trip.mount", "mount the blob: 403", "names the rule", id="no mount",
    ),
    pytest.param(
        {"kind": "status", "status": 404, "path": "/tags/list$"},
        "", "round-trip.lists", "list the tags: 404", "share one storage", id="no tags",
    ),
    pytest.param(
        {"kind": "status", "status": 404, "path": "/referrers/"},
        "", "round-trip.referrers", "list the referrers: 404", "", id="no referrers",
    ),
    pytest.param(
        {"kind": "status", "status": 500}, "run_gc", "round-trip.collect", "500", "core's log", id="no collection",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "operation", "check", "says", "fix"), FAULTS)
def test_a_fault_shows_under_its_check_and_leaves_nothing(registry, fault, operation, check, says, fix):
    operation = {"run_gc": "create_gc_schedule"}.get(operation, operation)
    registry.server.fault(times=-1, operation=operation, **fault)

    outcomes = registry.verify(check, asked=["round-trip.collect"])

    assert failed(outcomes) == {check}
    assert says in outcomes[check].says
    assert fix in outcomes[check].fix
    assert registry.left == []


SWITCHES = [
    pytest.param({"scan_fails": True}, "round-trip.scan", "ended with Error", "harbor-trivy", id="scan fails"),
    pytest.param({"scan_fails": True}, "round-trip.sbom", "ended with Error", "harbor-trivy", id="no SBOM"),
    pytest.param({"scan_log_missing": True}, "round-trip.scan-log", "4 of 4 times", "[database]", id="log in a file"),
    pytest.param({"webhooks_lost": True}, "round-trip.webhook", "no event came", "network policies", id="webhook"),
]


@pytest.mark.parametrize(("switches", "check", "says", "fix"), SWITCHES)
def test_a_wrong_state_shows_under_its_check(registry, monkeypatch, switches, check, says, fix):
    monkeypatch.setattr(events, "DELIVERY_SECONDS", 0.5)
    registry.server.switch(**switches)

    outcomes = registry.verify(check)

    assert failed(outcomes) == {check}
    assert says in outcomes[check].says
    assert fix in outcomes[check].fix
    assert registry.left == []


def test_over_quota(registry):
    registry.server.configure(storage_per_project=2 * MIB)

    outcomes = registry.verify("round-trip")

    assert failed(outcomes) == {"round-trip.upload"}
    assert "403 DENIED: adding 4.0 MiB of storage resource" in outcomes["round-trip.upload"].says
    assert "raise storage_per_project" in outcomes["round-trip.upload"].fix
    assert outcomes["round-trip.image"].says == "needs round-trip.upload, which failed"
    assert outcomes["round-trip.clean"].state == "passed"
    assert registry.left == []


# --- rights


def robot_of(server, *actions: str) -> dict:
    access = [{"resource": word.partition(":")[0], "action": word.partition(":")[2]} for word in actions]
    permissions = [{"kind": "system", "namespace": "/", "access": [{"resource": "project", "action": "create"}]}]
    permissions += [{"kind": "project", "namespace": "*", "access": access}] if access else []
    body = {"name": "checker", "level": "system", "duration": 30, "permissions": permissions}
    made = server.api("POST", "/robots", body).json
    return {"username": made["name"], "password": SecretStr(made["secret"])}


def test_a_robot_that_may_make_no_project(registry):
    access = [{"resource": "repository", "action": "pull"}]
    body = {"name": "checker", "level": "system", "duration": 30}
    body["permissions"] = [{"kind": "project", "namespace": "library", "access": access}]
    made = registry.server.api("POST", "/robots", body).json

    outcomes = registry.verify("round-trip.image", username=made["name"], password=SecretStr(made["secret"]))

    assert failed(outcomes) == {"round-trip.project"}
    assert outcomes["round-trip.project"].state == "undecided"
    assert "give the sender the right to make projects" in outcomes["round-trip.project"].fix
    assert registry.left == ["robot$checker"]


def test_a_robot_that_may_make_no_robot_in_its_project(registry):
    robot = robot_of(registry.server, "project:read", "project:delete", "repository:list")

    outcomes = registry.verify("round-trip.image", **robot)

    assert failed(outcomes) == {"round-trip.robot"}
    assert "give the sender the right to make robots" in outcomes["round-trip.robot"].fix
    assert outcomes["round-trip.clean"].state == "passed"
    assert registry.left == ["robot$checker"]


def test_a_robot_that_may_not_delete_what_it_made_says_what_is_left(registry):
    outcomes = registry.verify("round-trip.project", **robot_of(registry.server))

    name = registry.left[0]
    assert failed(outcomes) == {"round-trip.clean"}
    assert f"project {name} could not be removed" in outcomes["round-trip.clean"].says
    assert "delete the project in the portal" in outcomes["round-trip.clean"].fix


# --- what stands before the registry


def through(registry, check, **front):
    return registry.verify(check, front=Front(registry.server.url, **front))


FRONTS = [
    pytest.param({"largest": 500_000}, "round-trip.upload", ": 413", "proxy-body-size", id="bodies limited"),
    pytest.param(
        {"spoils": "/app/blobs/sha256"}, "round-trip.blob", "came back for", "share one storage", id="other bytes"
    ),
    pytest.param({"drops": ("Range",)}, "round-trip.ranges", ": 200", "let the proxy pass Range", id="range dropped"),
    pytest.param(
        {"spoils": "/manifests/v1"}, "round-trip.pull", "not the same", "cache nothing", id="another manifest"
    ),
]


@pytest.mark.parametrize(("front", "check", "says", "fix"), FRONTS)
def test_a_proxy_that_meddles_shows_under_its_check(registry, front, check, says, fix):
    outcomes = through(registry, check, **front)

    assert failed(outcomes) == {check}
    assert says in outcomes[check].says
    assert fix in outcomes[check].fix
    assert registry.left == []


def test_a_proxy_that_drops_the_place_of_an_upload(registry):
    outcome = through(registry, "round-trip.upload", hides=("Location",), hides_below="/v2/")["round-trip.upload"]

    assert outcome.says == "the registry gives no place to upload to"
    assert "drops the header Location" in outcome.fix


def test_uploads_that_are_sent_to_another_scheme(registry):
    registry.server.switch(external_url="https://registry.example.com")

    outcome = registry.verify("round-trip.upload")["round-trip.upload"]

    assert "the registry sends uploads to https://127.0.0.1:" in outcome.says
    assert "outside.realm" in outcome.fix
    assert registry.left == []


def test_a_store_that_clients_cannot_reach(registry):
    @asynccontextmanager
    async def unreachable():
        front = Front(registry.server.url)
        handled = front._passed_on

        async def redirecting(request):
            if request.method == "GET" and "/app/blobs/sha256" in request.path:
                front.answers[request.path] = (307, {"Location": "http://127.0.0.1:9/bucket?X-Amz-Signature=0"}, b"")
                return await front._handle(request)
            return await handled(request)

        front._passed_on = redirecting
        async with front as url:
            yield url

    outcome = registry.verify("round-trip.blob", front=unreachable())["round-trip.blob"]

    assert "GET /bucket: no connection" in outcome.says
    assert "Signature" not in outcome.says
    assert "firewalls" in outcome.fix


def test_a_proxy_that_adds_a_login(registry):
    from tests.harbor.process import ADMIN, basic

    outcomes = through(registry, "round-trip.private", adds={"Authorization": basic(*ADMIN)})

    assert failed(outcomes) == {"round-trip.private"}
    assert outcomes["round-trip.private"].says == "anybody can pull from a private project"
    assert "must not add Authorization" in outcomes["round-trip.private"].fix


@pytest.mark.parametrize(
    ("check", "says"),
    [
        ("round-trip.signature", "v1 is unsigned, and is given out though the project demands signatures"),
        ("round-trip.delete", "what was deleted can still be pulled"),
    ],
)
def test_a_proxy_that_caches_manifests(registry, check, says):
    front = Front(registry.server.url, caches=True)

    outcomes = registry.verify("round-trip.pull", check, front=front)

    assert failed(outcomes) == {check}
    assert outcomes[check].says == says
    assert registry.left == []


def test_the_port_for_webhooks_is_taken(registry):
    with socket.create_server(("0.0.0.0", 0)) as taken:
        options = Options(blob_size=4 * MIB, webhook_address=f"http://127.0.0.1:{taken.getsockname()[1]}")
        outcome = registry.verify("round-trip.webhook", options=options)["round-trip.webhook"]

    assert outcome.state == "undecided"
    assert "cannot listen on port" in outcome.says
    assert "--webhook-address" in outcome.fix


def test_a_webhook_comes_in_where_the_address_says(registry):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = Options(blob_size=4 * MIB, webhook_address=f"http://127.0.0.1:{port}")

    assert registry.verify("round-trip.webhook", options=options)["round-trip.webhook"].state == "passed"


def test_the_receiver_takes_only_what_carries_its_secret():
    import aiohttp

    from slipway.verify.receiver import listening

    async def knocked():
        async with listening("") as receiver, aiohttp.ClientSession() as http:
            base = receiver.address.removesuffix(receiver.path)
            right = {"Authorization": receiver.header}
            tries = [(base + "/", right, b"{}"), (receiver.address, {}, b"{}"), (receiver.address, right, b"no JSON")]
            statuses = []
            for address, headers, body in tries:
                async with http.post(address, headers=headers, data=body) as answer:
                    statuses.append(answer.status)
            return statuses, await receiver.event(0.01)

    assert asyncio.run(knocked()) == ([404, 401, 400], None)


# --- what could not be taken away


def test_what_could_not_be_removed_is_named_and_removed_by_a_later_run(registry):
    server = registry.server
    server.fault("status", status=500, operation="delete_project", times=-1)

    outcomes = registry.verify("round-trip.project")

    name = registry.left[0]
    assert failed(outcomes) == {"round-trip.clean"}
    assert f"project {name} could not be removed" in outcomes["round-trip.clean"].says
    server.no_faults()
    assert registry.verify("round-trip.leftovers")["round-trip.leftovers"].state == "passed"  # it may still be in use
    assert registry.left == [name]


def test_what_a_killed_run_left_is_told_and_removed_when_asked(registry):
    server, name = registry.server, "slipway-verify-0123456789ab"
    server.later(seconds=-7200)
    server.api("POST", "/projects", {"project_name": name, "metadata": {"public": "false"}})
    server.api("POST", "/projects", {"project_name": "slipway-verify-mine", "metadata": {"public": "false"}})
    server.later(seconds=7200)

    told = registry.verify("round-trip.leftovers")["round-trip.leftovers"]

    assert (told.state, name in told.says) == ("failed", True)
    assert "--remove-leftovers" in told.fix
    removing = registry.verify("round-trip.leftovers", options=Options(remove_leftovers=True))["round-trip.leftovers"]
    assert (removing.state, name in removing.says) == ("passed", True)
    assert registry.left == ["slipway-verify-mine"]
