"""Name, certificate and the way from plain HTTP, each as registries have it wrong."""

import asyncio
import datetime as dt
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from infra.errors import HarborAway
from slipway.verify.catalogue import CHECKS
from slipway.verify.check import select
from slipway.verify.scene import Options, Target
from slipway.verify.verify import verify
from tests.verify.certificates import Certificates
from tests.verify.front import Front, silent


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@asynccontextmanager
async def secured(server, context):
    """Serve the registry by TLS, and have it know its address."""
    async with Front(server.url, tls=context) as url:
        await asyncio.to_thread(server.switch, external_url=url)
        yield url


def test_a_registry_with_a_good_certificate_passes_whole(registry, certificates):
    front = secured(registry.server, certificates.context())

    outcomes = registry.verify(front=front, ca_file=certificates.authority)

    assert {name: one.says for name, one in outcomes.items() if one.state in {"failed", "undecided"}} == {}
    assert outcomes["certificate.trusted"].says.startswith("accepted at 1 address, until ")
    assert outcomes["certificate.expiry"].says in {"89 days left", "90 days left"}
    assert "(" not in outcomes["round-trip.blob"].says
    assert registry.left == []


BAD = [
    pytest.param({"days": (-30, -1)}, "certificate has expired", "renew it", id="expired"),
    pytest.param({"days": (1, 90)}, "not yet valid", "clock of this machine", id="not yet"),
    pytest.param({"host": "other.example.com"}, "IP address mismatch", "another host's", id="another host"),
    pytest.param({"self_signed": True}, "self-signed certificate", "--ca-file", id="self-signed"),
    pytest.param({"with_middle": False}, "unable to get local issuer", "intermediate certificates", id="chain"),
]


@pytest.mark.parametrize(("made", "says", "fix"), BAD)
def test_a_certificate_that_clients_refuse(bare, certificates, made, says, fix):
    front = Front(bare.server.url, tls=certificates.context(**made))

    outcomes = bare.verify("certificate", "outside", front=front, ca_file=certificates.authority)

    assert {name for name, one in outcomes.items() if one.state == "failed"} == {
        "certificate.trusted", "outside.reach",
    }  # fmt: skip
    assert says in outcomes["certificate.trusted"].says
    assert fix in outcomes["certificate.trusted"].fix
    assert "see certificate.trusted" in outcomes["outside.reach"].fix
    assert outcomes["outside.login"].state == "skipped"


def test_an_authority_that_this_machine_does_not_know(bare, certificates):
    front = Front(bare.server.url, tls=certificates.context())

    outcome = bare.verify("certificate.trusted", front=front)["certificate.trusted"]

    assert "self-signed certificate in certificate chain" in outcome.says or "unable to get" in outcome.says
    assert "--ca-file" in outcome.fix


def test_a_certificate_that_ends_soon(bare, certificates):
    front = Front(bare.server.url, tls=certificates.context(days=(-60, 20)))

    outcome = bare.verify("certificate.expiry", front=front, ca_file=certificates.authority)["certificate.expiry"]

    assert outcome.says.startswith(("ends in 19 days, on ", "ends in 20 days, on "))
    assert f"{dt.datetime.now(dt.UTC) + dt.timedelta(days=20):%Y-%m-%d}" in outcome.says
    assert "renewal status" in outcome.fix


def test_no_tls_at_the_port(bare):
    url = bare.server.url.replace("http:", "https:")

    outcome = bare.verify("certificate.trusted", url=url)["certificate.trusted"]

    assert "no TLS on port" in outcome.says


def test_an_authority_file_without_certificates_is_refused(bare, tmp_path):
    wrong = tmp_path / "ca.pem"
    wrong.write_text("nothing of the kind")

    with pytest.raises(HarborAway, match="no certificates in it"):
        bare.verify("certificate", ca_file=wrong)


def test_a_name_that_dns_does_not_know(bare):
    outcomes = bare.verify("certificate", url="https://registry.invalid")

    assert outcomes["certificate.dns"].says.startswith("registry.invalid: ")
    assert "external-dns" in outcomes["certificate.dns"].fix
    assert outcomes["certificate.trusted"].says == "needs certificate.dns, which failed"


# --- from plain HTTP


REDIRECTS = [
    pytest.param((308, {"Location": "https://127.0.0.1/"}, b""), "passed", "is sent to https://127.0.0.1/", id="good"),
    pytest.param((200, {}, b"Pong"), "failed", "is answered with 200 in clear text", id="answers in clear"),
    pytest.param((302, {"Location": "http://127.0.0.1/x"}, b""), "failed", "302 in clear text", id="to http"),
    pytest.param((301, {"Location": "https://evil.example/"}, b""), "failed", "sent to https://evil.example/", id="to"),
]


@pytest.mark.parametrize(("answer", "state", "says"), REDIRECTS)
def test_what_plain_http_answers(answer, state, says):
    outcome = plain_http(Front(answers={"": answer}))

    assert outcome.state == state
    assert says in outcome.says
    if state == "failed":
        assert "redirect port 80 to 443" in outcome.fix


def test_a_closed_port_80_is_good():
    @asynccontextmanager
    async def closed():
        server, url = await silent()
        server.close()
        yield url

    outcome = plain_http(closed())

    assert outcome.state == "passed"
    assert "no secret can be sent there by mistake" in outcome.says


def plain_http(front):
    """Run certificate.redirect with a port of this test's in the place of 80."""

    async def run():
        async with AsyncExitStack() as stack:
            port = int((await stack.enter_async_context(front)).rpartition(":")[2])
            options = Options(http_port=port)
            return await verify(Target(url="https://127.0.0.1"), options, select(CHECKS, only=["certificate.redirect"]))

    return {one.check.id: one for one in asyncio.run(run()).outcomes}["certificate.redirect"]
