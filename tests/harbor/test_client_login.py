"""The client's login: one session, proof that it is one, renewal, robots, and every way in which it is refused."""

import asyncio
import socket
import ssl
import threading

import pytest
from pydantic import SecretStr

from infra.errors import FeatureMissing, HarborAway, LoginRefused, SettingsError
from slipway.harbor.client import Connection, connect
from slipway.harbor.client.api import labels, projects, system
from slipway.harbor.client.models import Label, ProjectReq
from tests.harbor.clients import connection, run

PERMISSIONS = [{"kind": "system", "namespace": "/", "access": [{"resource": "project", "action": "list"}]}]


@pytest.fixture
def robot(api):
    body = {"name": "reader", "level": "system", "duration": 30, "permissions": PERMISSIONS}
    return api.api("POST", "/robots", body).json


def names(found):
    return [each.name for each in found]


def test_a_user_logs_in_once_and_out_at_the_end(api):
    api.clear_counts()

    async def act(client):
        for _ in range(5):
            await client.send(system.info())
        return client

    client = run(api, act)

    assert client.version == (2, 15, 2)
    assert client.info.harbor_version == "v2.15.2-080b0220"
    counts = api.counts()
    assert (counts["login"], counts["logout"]) == (1, 1)
    assert counts["get_systeminfo"] == 2 + 1 + 5  # a cookie, a token; the proof; ours


def test_a_session_leaves_one_session_behind_not_one_for_each_request(api):
    before = api.stray_sessions()

    run(api, lambda client: client.each(system.info() for _ in range(50)))

    assert api.stray_sessions() - before <= 2  # of the login's first step, and of asking for this number


def test_a_robot_sends_its_secret_and_keeps_no_cookie(api, robot):
    async def act(client):
        first = await client.all(projects.every())
        return first, await client.all(projects.every())

    first, second = run(api, act, name=robot["name"], secret=SecretStr(robot["secret"]))

    assert names(first) == names(second) == ["library"]
    assert "login" not in api.counts()


def test_a_robot_may_write_again_and_again(api):
    access = [{"resource": "label", "action": "create"}]
    body = {"name": "writer", "level": "system", "duration": 30}
    made = api.api(
        "POST", "/robots", body | {"permissions": [{"kind": "system", "namespace": "/", "access": access}]}
    ).json

    async def act(client):
        for number in range(3):
            await client.send(labels.create(Label(name=f"label-{number}")))

    run(api, act, name=made["name"], secret=SecretStr(made["secret"]))

    assert len(api.api("GET", "/labels", scope="g").json) == 3


def test_a_wrong_password_is_refused_at_once_and_not_tried_again(api):
    with pytest.raises(LoginRefused, match="admin cannot log in: wrong name or password"):
        run(api, lambda client: client.prove(), secret=SecretStr("Wrong1234"))

    assert api.counts()["login"] == 1


def test_a_locked_user_is_refused(api):
    api.switch(locked=["admin"])

    with pytest.raises(LoginRefused, match="locked by somebody's wrong one"):
        run(api, lambda client: client.prove())


@pytest.mark.parametrize("how", ["wrong", "disabled", "expired", "renamed"])
def test_a_robot_that_is_not_known_is_refused_though_lists_would_answer_200(api, robot, how):
    secret = robot["secret"]
    if how == "wrong":
        secret = "Wrong1234"
    elif how == "disabled":
        api.api("PUT", f"/robots/{robot['id']}", api.api("GET", f"/robots/{robot['id']}").json | {"disable": True})
    elif how == "expired":
        api.later(days=31)
    else:
        api.configure(robot_name_prefix="bot$")
    assert api.api("GET", "/projects", auth=(robot["name"], secret)).status == 200

    with pytest.raises(LoginRefused, match=r"Harbor does not know robot\$reader"):
        run(api, lambda client: client.all(projects.every()), name=robot["name"], secret=SecretStr(secret))


def test_a_robot_that_expires_meanwhile_makes_nothing_of_what_was_read(api, robot):
    async def act(client):
        async with client.proven():
            await client.all(projects.every())
            await asyncio.to_thread(api.later, days=31)
            return await client.all(projects.every())

    with pytest.raises(LoginRefused):
        run(api, act, name=robot["name"], secret=SecretStr(robot["secret"]))


def test_an_ended_session_is_renewed_and_its_short_answer_not_believed(api):
    api.api("POST", "/projects", {"project_name": "private"})

    async def act(client):
        before = await client.all(projects.every())
        await asyncio.to_thread(api.end_sessions)
        return before, await client.all(projects.every())

    before, after = run(api, act)

    assert names(before) == names(after) == ["library", "private"]


def test_a_session_that_ends_in_the_middle_of_many_is_renewed_once_for_all(api):
    api.seed(60)

    async def act(client):
        async def one(number):
            if number == 40:
                await asyncio.to_thread(api.end_sessions)
            return await client.send(projects.create(ProjectReq(project_name=f"new-{number}")))

        return await client.each(lambda number=number: one(number) for number in range(80))

    made = run(api, act)

    assert not [each for each in made if isinstance(each, Exception)]
    assert api.counts()["login"] == 2
    assert len(api.api("GET", "/projects", page_size=0).json) == 141


def test_a_session_that_always_ends_is_given_up(api):
    api.fault("status", operation="list_projects", status=401, times=-1)

    with pytest.raises(LoginRefused, match="the session ends as soon as it begins"):
        run(api, lambda client: client.all(projects.every()))


def test_a_token_that_is_not_taken_any_more_is_renewed(api):
    api.fault("status", operation="create_project", status=403, message="CSRF token invalid")

    made = run(api, lambda client: client.send(projects.create(ProjectReq(project_name="x"))))

    assert made.number == 2
    assert api.counts()["login"] == 2


def test_a_user_of_the_sign_in_provider_is_told_so(api):
    api.fault("status", path="/c/login", status=403, message="x")
    with pytest.raises(LoginRefused, match="CSRF token"):
        run(api, lambda client: client.prove())


def test_a_login_survives_a_core_that_is_just_starting(api):
    api.fault("status", operation="get_systeminfo", status=503, times=1, after=2)
    api.fault("status", path="/c/login", status=502)

    assert run(api, lambda client: client.prove()).harbor_version


def test_what_gives_no_cookie_is_no_harbor():
    with listening(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as port:
        url = f"http://127.0.0.1:{port}"
        with pytest.raises(HarborAway, match="it is no Harbor"):
            asyncio.run(log_in(Connection(url=url, name="admin", secret=SecretStr("Harbor12345"))))


def test_a_redirect_is_told_and_not_followed(api):
    with listening(b"HTTP/1.1 301 Moved\r\nLocation: https://other.example.com/\r\nContent-Length: 0\r\n\r\n") as port:
        there = connection(api, url=f"http://127.0.0.1:{port}", name="robot$x", secret=SecretStr("Harbor12345"))
        with pytest.raises(HarborAway, match=r"redirect to https://other\.example\.com/"):
            asyncio.run(log_in(there))


def test_nobody_there_says_what_to_look_at(api):
    with pytest.raises(HarborAway, match="Connect call failed") as caught:
        run(api, lambda client: client.prove(), url="http://127.0.0.1:9")

    assert "check the address" in caught.value.problems[0].fix


def test_an_unknown_certificate_is_refused_and_not_tried_again(api, tmp_path):
    certificate, key = self_signed(tmp_path)
    with listening(b"", tls=(certificate, key)) as port:
        url = f"https://127.0.0.1:{port}"
        with pytest.raises(HarborAway, match="certificate verify failed") as caught:
            run(api, lambda client: client.prove(), url=url)
        assert "CA file" in caught.value.problems[0].fix
        with pytest.raises(HarborAway, match=r"no answer|closed|disconnected|reset|cookie"):
            run(api, lambda client: client.prove(), url=url, ca_file=certificate)


def test_a_ca_file_without_a_certificate_is_told(api, tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")

    with pytest.raises(HarborAway, match=r"ca\.pem: no certificates in it"):
        run(api, lambda client: client.prove(), ca_file=tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("registry.example.com", "is not an address"),
        ("ftp://registry.example.com", "is not an address"),
        ("https://admin:secret@registry.example.com", "a secret in the address"),
        ("https://registry.example.com/harbor", "has something behind the host"),
        ("http://registry.example.com", "in clear text"),
    ],
)
def test_addresses_that_are_refused(url, message):
    with pytest.raises(SettingsError, match=message) as caught:
        Connection(url=url, name="admin", secret=SecretStr("x"))
    assert "admin:secret" not in str(caught.value)


def test_an_old_harbor_is_refused(api):
    api.switch(version="v2.12.4-abc")

    with pytest.raises(FeatureMissing, match=r"this is Harbor 2\.12\.4; 2\.13\.0 to 2\.15\.2 are supported"):
        run(api, lambda client: client.prove())


def test_netrc_is_not_read(api, tmp_path, monkeypatch):
    """It would make every request one with Basic auth as a user."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login admin password Wrong1234\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    api.switch(lock_seconds=5)

    assert names(run(api, lambda client: client.all(projects.every()))) == ["library"]


def test_a_secret_is_tried_where_the_answer_means_something(api, robot):
    async def act(client):
        good = await client.accepts(robot["name"], robot["secret"])
        return good, await client.accepts(robot["name"], "Wrong1234")

    assert run(api, act) == (True, False)


# --- what listens


async def log_in(there):
    async with connect(there) as client:
        await client.prove()


class listening:  # noqa: N801  # reads as the context manager that it is
    """A server that answers the same to everybody, and no Harbor."""

    def __init__(self, answer, tls=None):
        self.answer, self.tls = answer, tls

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self.socket.getsockname()[1]

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)

    def _serve(self):
        context = None
        if self.tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*self.tls)
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            try:
                with peer if context is None else context.wrap_socket(peer, server_side=True) as stream:
                    stream.recv(65536)
                    stream.sendall(self.answer)
            except OSError:
                peer.close()


def self_signed(folder):
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nobody")])
    now = dt.datetime.now(dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - dt.timedelta(1)).not_valid_after(now + dt.timedelta(1))
    certificate = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    return folder / "cert.pem", folder / "key.pem"
