"""The registry's side: tokens, pushes and pulls through to the real distribution server, and what policies refuse."""

import base64
import hashlib
import http.server
import json
import threading
import time

import pytest

from tests.harbor.process import ADMIN

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Pusher:
    """A client that pushes and pulls as docker does, with a token."""

    def __init__(self, harbor, name, auth=ADMIN):
        self.harbor, self.name, self.auth = harbor, name, auth

    def token(self, actions="pull,push"):
        scope = f"repository:{self.name}:{actions}"
        answer = self.harbor.request("GET", f"/service/token?service=harbor-registry&scope={scope}", auth=self.auth)
        return answer.json["token"]

    def send(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = f"Bearer {self.token()}"
        return self.harbor.request(method, f"/v2/{self.name}/{path}", body=body, headers=headers)

    def blob(self, data):
        """Upload in two pieces and a closing request."""
        start = self.send("POST", "blobs/uploads/")
        assert start.status == 202, start
        path, half = start.headers["location"].partition(f"/v2/{self.name}/")[2], len(data) // 2
        for begin, piece in ((0, data[:half]), (half, data[half:])):
            done = self.send("PATCH", path, piece, Content_Range=f"{begin}-{begin + len(piece) - 1}")
            assert done.status == 202, done
            path = done.headers["location"].partition(f"/v2/{self.name}/")[2]
        digest = sha(data)
        return self.send("PUT", f"{path}&digest={digest}"), digest

    def image(self, reference, layer=b"layer of an image", **more):
        parts = {}
        for kind, data in (("config", b"{}"), ("layer", layer)):
            answer, digest = self.blob(data)
            if answer.status != 201:
                return answer, ""
            parts[kind] = {
                "mediaType": f"application/vnd.oci.image.{kind}.v1+json",
                "digest": digest,
                "size": len(data),
            }
        return self.manifest(reference, {"config": parts["config"], "layers": [parts["layer"]], **more})

    def manifest(self, reference, content):
        body = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, **content}).encode()
        return self.send("PUT", f"manifests/{reference}", body, Content_Type=MANIFEST), sha(body)

    def pull(self, reference, **headers):
        return self.send("GET", f"manifests/{reference}", Accept=MANIFEST, **headers)


def sha(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def app(harbor):
    return Pusher(harbor, "library/app")


ARTIFACTS = "/projects/library/repositories/app/artifacts"


def test_the_realm_has_the_scheme_of_the_external_address_and_the_host_of_the_request(harbor):
    answer = harbor.request("GET", "/v2/")
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == (
        f'Bearer realm="{harbor.url}/service/token",service="harbor-registry"'
    )
    harbor.switch(external_url="https://registry.example.com")
    assert 'realm="https://127.0.0.1' in harbor.request("GET", "/v2/").headers["www-authenticate"]


def test_an_image_goes_in_and_out_by_tag_and_digest(app):
    done, digest = app.image("v1")
    assert (done.status, done.headers["docker-content-digest"]) == (201, digest)

    for reference in ("v1", digest):
        pulled = app.pull(reference)
        assert (pulled.status, sha(pulled.body)) == (200, digest)
    layer = json.loads(pulled.body)["layers"][0]["digest"]
    assert app.send("GET", f"blobs/{layer}").body == b"layer of an image"
    assert app.send("HEAD", f"blobs/{layer}").headers["content-length"] == "17"
    assert app.send("GET", "tags/list").json == {"name": "library/app", "tags": ["v1"]}
    assert app.pull("v2").status == 404


def test_the_server_behind_knows_no_tags_and_takes_no_strangers(app):
    _, digest = app.image("v1")
    config = (app.harbor.folder / "registry.yml").read_text()
    port = int(config.partition("127.0.0.1:")[2].partition('"')[0])
    import http.client

    def behind(path, token=""):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        headers = {"Authorization": f"Bearer {token}", "Accept": MANIFEST} if token else {}
        connection.request("GET", path, headers=headers)
        status = connection.getresponse().status
        connection.close()
        return status

    assert behind(f"/v2/library/app/manifests/{digest}") == 401
    assert behind(f"/v2/library/app/manifests/{digest}", app.token()) == 200
    assert behind("/v2/library/app/manifests/v1", app.token()) == 404


def test_the_books_know_the_artifact(app):
    _, digest = app.image("v1")

    (artifact,) = app.harbor.api("GET", ARTIFACTS, with_tag="true").json
    assert (artifact["digest"], artifact["tags"][0]["name"], artifact["size"] > 19) == (digest, "v1", True)
    assert app.harbor.api("GET", "/projects/library").json["repo_count"] == 1
    assert app.harbor.api("GET", "/quotas/1").json["used"]["storage"] == artifact["size"]
    assert app.harbor.api("DELETE", "/projects/library").status == 412
    assert "deletable" not in app.harbor.api("GET", "/projects/library/_deletable").json

    assert app.harbor.api("DELETE", f"{ARTIFACTS}/{digest}").status == 200
    assert app.harbor.api("DELETE", "/projects/library/repositories/app").status == 200
    assert app.harbor.api("GET", "/quotas/1").json["used"]["storage"] == 0
    assert app.harbor.api("DELETE", "/projects/library").status == 200


def test_names_with_slashes_come_encoded_twice(harbor):
    deep = Pusher(harbor, "library/team/app")
    deep.image("v1")

    assert harbor.api("GET", "/projects/library/repositories/team%252Fapp").json["name"] == "library/team/app"


def test_rights_are_those_of_the_token(harbor):
    harbor.api("POST", "/projects", {"project_name": "private"})
    access = [{"resource": "repository", "action": "pull"}]
    made = harbor.api(
        "POST",
        "/robots",
        {
            "name": "puller",
            "level": "project",
            "duration": 1,
            "permissions": [{"kind": "project", "namespace": "private", "access": access}],
        },
    ).json
    Pusher(harbor, "private/app").image("v1")
    robot = Pusher(harbor, "private/app", (made["name"], made["secret"]))

    assert robot.pull("v1").status == 200
    refused = robot.send("POST", "blobs/uploads/")
    assert (refused.status, refused.json["errors"][0]["code"]) == (401, "UNAUTHORIZED")
    claims = json.loads(base64.urlsafe_b64decode(robot.token().split(".")[1] + "=="))
    assert claims["access"] == [{"type": "repository", "name": "private/app", "actions": ["pull"]}]
    wrong = Pusher(harbor, "private/app", (made["name"], "Wrong1234"))
    assert json.loads(base64.urlsafe_b64decode(wrong.token().split(".")[1] + "=="))["access"][0]["actions"] == []


def test_a_pull_without_a_login_is_asked_for_one(app):
    app.image("v1")

    answer = app.harbor.request("HEAD", "/v2/library/app/manifests/v1")
    assert (answer.status, "repository:library/app:pull" in answer.headers["www-authenticate"]) == (401, True)


def test_over_quota_is_403_at_the_end_of_the_blob(app):
    app.harbor.api("PUT", "/quotas/1", {"hard": {"storage": 100}})

    answer, _ = app.blob(b"x" * 200)
    assert (answer.status, answer.json["errors"][0]["code"]) == (403, "DENIED")
    assert "exceed the configured upper limit" in answer.message


def test_immutable_tags_stay(app):
    app.image("v1")
    selector = {"kind": "doublestar", "decoration": "matches", "pattern": "v*"}
    scope = {"repository": [selector | {"decoration": "repoMatches", "pattern": "**"}]}
    app.harbor.api(
        "POST",
        "/projects/library/immutabletagrules",
        {
            "action": "immutable",
            "template": "immutable_template",
            "tag_selectors": [selector],
            "scope_selectors": scope,
        },
    )

    answer, _ = app.image("v1", layer=b"another layer")
    assert answer.status == 412
    assert app.image("latest", layer=b"another layer")[0].status == 201
    assert app.harbor.api("DELETE", f"{ARTIFACTS}/v1").status == 412
    (tag,) = app.harbor.api("GET", f"{ARTIFACTS}/v1", with_immutable_status="true").json["tags"]
    assert tag["immutable"] is True


def test_read_only_takes_no_push_and_gives_pulls(app):
    app.image("v1")
    app.harbor.configure(read_only=True)

    assert app.send("POST", "blobs/uploads/").json["errors"][0]["code"] == "DENIED"
    assert app.pull("v1").status == 200


def test_a_proxy_project_takes_no_push(harbor):
    harbor.api("POST", "/registries", {"name": "hub", "type": "docker-hub", "url": "https://hub.docker.com"})
    harbor.api("POST", "/projects", {"project_name": "proxy", "registry_id": 1})

    assert Pusher(harbor, "proxy/app").send("POST", "blobs/uploads/").status == 403


@pytest.mark.parametrize(
    ("key", "signature"),
    [
        ("enable_content_trust_cosign", "application/vnd.dev.sigstore.bundle.v0.3+json"),
        ("enable_content_trust", "application/vnd.cncf.notary.signature"),
    ],
)
def test_what_is_not_signed_is_not_pulled(app, key, signature):
    pushed, digest = app.image("v1")
    app.harbor.api("PUT", "/projects/library", {"metadata": {key: "true"}})

    refused = app.pull("v1")
    assert (refused.status, refused.json["errors"][0]["code"]) == (412, "PROJECTPOLICYVIOLATION")
    assert app.pull("v1", User_Agent="cosign/v3.0.0").status == 200

    subject = {"mediaType": MANIFEST, "digest": digest, "size": 1}
    signed, _ = app.image("sha256-signature", layer=b"signature", artifactType=signature, subject=subject)
    assert (pushed.status, signed.status, signed.headers["oci-subject"]) == (201, 201, digest)

    assert app.pull("v1").status == 200
    (accessory,) = app.harbor.api("GET", f"{ARTIFACTS}/v1/accessories").json
    assert accessory["type"].startswith("signature.")
    assert app.send("GET", f"referrers/{digest}").json["manifests"][0]["artifactType"] == signature
    assert [each["digest"] for each in app.harbor.api("GET", ARTIFACTS).json] == [digest]


def scanned(app, kind="vulnerability"):
    overview = "scan_overview" if kind == "vulnerability" else "sbom_overview"
    for _ in range(100):
        artifact = app.harbor.api("GET", f"{ARTIFACTS}/v1", **{f"with_{overview}": "true"}).json
        found = artifact.get(overview, {})
        report = next(iter(found.values())) if kind == "vulnerability" and found else found
        if report and report["scan_status"] not in {"Running", "Pending"}:
            return report
        time.sleep(0.01)
    raise AssertionError("the scan never ended")


def test_what_is_not_scanned_or_too_bad_is_not_pulled(app):
    app.image("v1")
    app.harbor.api("PUT", "/projects/library", {"metadata": {"prevent_vul": "true", "severity": "high"}})
    assert app.pull("v1").status == 412

    assert app.harbor.api("POST", f"{ARTIFACTS}/v1/scan").status == 202
    assert scanned(app)["severity"] == "None"
    assert app.pull("v1").status == 200

    app.harbor.switch(severity="Critical")
    app.harbor.api("POST", f"{ARTIFACTS}/v1/scan")
    assert scanned(app)["severity"] == "Critical"
    assert app.pull("v1").status == 412
    app.harbor.api("PUT", "/system/CVEAllowlist", {"items": [{"cve_id": "CVE-2021-44228"}]})
    assert app.pull("v1").status == 200
    app.harbor.api("PUT", "/system/CVEAllowlist", {"items": [{"cve_id": "CVE-2021-44228"}], "expires_at": 1})
    assert app.pull("v1").status == 412


def test_scans_have_logs_that_can_be_missing_and_boms(app):
    app.image("v1")
    app.harbor.api("POST", f"{ARTIFACTS}/v1/scan", {"scan_type": "sbom"})
    assert scanned(app, "sbom")["sbom_digest"].startswith("sha256:")
    assert app.harbor.api("GET", f"{ARTIFACTS}/v1/additions/sbom").status == 200

    app.harbor.switch(scan_fails=True)
    app.harbor.api("POST", f"{ARTIFACTS}/v1/scan")
    report = scanned(app)
    assert report["scan_status"] == "Error"
    assert b"Error" in app.harbor.api("GET", f"{ARTIFACTS}/v1/scan/{report['report_id']}/log").body
    app.harbor.switch(scan_log_missing=True)
    assert app.harbor.api("GET", f"{ARTIFACTS}/v1/scan/{report['report_id']}/log").status == 404


@pytest.fixture
def receiver():
    received = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            received.append((self.headers["Content-Type"], self.headers["Authorization"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", received
    server.shutdown()
    server.server_close()


def test_events_are_delivered_in_both_formats(app, receiver):
    address, received = receiver
    targets = [
        {"type": "http", "address": address, "auth_header": "Bearer t", "payload_format": form}
        for form in ("Default", "CloudEvents")
    ]
    hook = {"name": "ci", "enabled": True, "event_types": ["PUSH_ARTIFACT"], "targets": targets}
    policy = app.harbor.api("POST", "/projects/library/webhook/policies", hook).id

    app.image("v1")

    until = time.monotonic() + 5
    while len(received) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    by_type = {kind: body for kind, auth, body in received if auth == "Bearer t"}
    assert by_type["application/json"]["type"] == "PUSH_ARTIFACT"
    assert by_type["application/cloudevents+json"]["type"] == "harbor.artifact.pushed"
    runs = f"/projects/library/webhook/policies/{policy}/executions"
    while len(app.harbor.api("GET", runs).json) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert {each["status"] for each in app.harbor.api("GET", runs).json} == {"Success"}


def test_blobs_may_come_from_elsewhere(app):
    app.image("v1")
    app.harbor.switch(blob_redirect=True)

    answer = app.send("GET", f"blobs/{sha(b'layer of an image')}")
    assert answer.status == 307
    assert (
        app.harbor.request("GET", answer.headers["location"].removeprefix(app.harbor.url)).body == b"layer of an image"
    )
