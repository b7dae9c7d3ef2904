"""The ledger: in a file and in S3, never written over somebody else's."""

import http.server
import json
import threading
from typing import ClassVar

import boto3
import pytest
import requests
from lightkube import Client, KubeConfig

from infra.errors import LedgerError, LedgerMoved
from slipway.harbor.kinds import Object, Ref
from slipway.harbor.ledger import Entry, FileLedger, Ledger
from slipway.harbor.ledger.configmap import ConfigMapLedger
from slipway.harbor.ledger.s3 import S3Ledger
from tests.moto_server import endpoint  # noqa: F401  # a fixture

LABEL = Object(kind="label", key="with space/and slash", fields={}, protect=True)


@pytest.fixture
def s3(endpoint, monkeypatch):  # noqa: F811
    requests.post(f"{endpoint}/moto-api/reset", timeout=10)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    client = boto3.client("s3", region_name="us-east-1", endpoint_url=endpoint)
    client.create_bucket(Bucket="state")
    return client


class Cluster(http.server.BaseHTTPRequestHandler):
    """Of the API server as much as one ConfigMap needs: absent, taken, and the condition of resourceVersion."""

    kept: ClassVar[dict] = {}

    def do_GET(self):
        self.answer(200, self.kept["map"]) if "map" in self.kept else self.refuse(404, "NotFound")

    def do_POST(self):
        self.refuse(409, "AlreadyExists") if "map" in self.kept else self.keep(201)

    def do_PUT(self):
        sent = self.sent()
        if "map" not in self.kept:
            self.refuse(404, "NotFound")
        elif sent["metadata"]["resourceVersion"] != self.kept["map"]["metadata"]["resourceVersion"]:
            self.refuse(409, "Conflict")
        else:
            self.keep(200, sent)

    def sent(self):
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def keep(self, code, sent=None):
        sent = sent or self.sent()
        version = str(
            int(self.kept.get("map", {"metadata": {"resourceVersion": "0"}})["metadata"]["resourceVersion"]) + 1
        )
        sent["metadata"]["resourceVersion"] = version
        self.kept["map"] = sent
        self.answer(code, sent)

    def refuse(self, code, reason):
        self.answer(code, {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": reason})

    def answer(self, code, body):
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def cluster():
    Cluster.kept.clear()
    server = http.server.HTTPServer(("127.0.0.1", 0), Cluster)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    clusters = [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}]
    contexts = [{"name": "c", "context": {"cluster": "c", "user": "u"}}]
    users = [{"name": "u", "user": {"token": "t"}}]
    config = {"clusters": clusters, "contexts": contexts, "users": users, "current-context": "c"}
    with Client(config=KubeConfig.from_dict(config).get(), trust_env=False) as client:
        yield client
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["file", "s3", "configmap"])
def opened(request, tmp_path):
    """Opens the same place anew, as another run does."""
    if request.param == "file":
        return lambda instance="prod": FileLedger(tmp_path / "ledger.json", instance=instance)
    if request.param == "configmap":
        client = request.getfixturevalue("cluster")
        return lambda instance="prod": ConfigMapLedger(client, namespace="harbor", name="ledger", instance=instance)
    client = request.getfixturevalue("s3")
    return lambda instance="prod": S3Ledger(client, bucket="state", key="prod/ledger.json", instance=instance)


def test_what_is_written_is_read(opened):
    store = opened()
    ledger = store.load()
    ledger.intend([LABEL])
    store.save(ledger)
    assert opened().load().entries == {LABEL.ref: Entry(protect=True)}
    assert ledger.own(LABEL, "7", {"secret": ledger.fingerprint("x")})
    store.save(ledger)
    read = opened().load()
    assert read.entries[LABEL.ref] == Entry(id="7", protect=True, secrets={"secret": read.fingerprint("x")})
    assert read.serial == 2


def test_of_two_that_read_the_same_one_writes(opened):
    one, other = opened(), opened()
    first, second = one.load(), other.load()
    one.save(first)
    with pytest.raises(LedgerMoved, match="somebody else wrote it meanwhile"):
        other.save(second)
    later, third = opened(), opened()
    first, second = later.load(), third.load()
    later.save(first)
    with pytest.raises(LedgerMoved):
        third.save(second)


def test_the_ledger_of_another_instance_is_refused(opened):
    store = opened("prod")
    store.save(store.load())
    with pytest.raises(LedgerError, match="the ledger of instance 'prod', not of 'dev'"):
        opened("dev").load()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 2}'])
def test_what_is_no_ledger_is_refused(tmp_path, text):
    path = tmp_path / "ledger.json"
    path.write_text(text)
    with pytest.raises(LedgerError, match="is no ledger"):
        FileLedger(path, instance="prod").load()


def test_s3_that_refuses_is_told(s3):
    with pytest.raises(LedgerError, match="s3://nowhere/x: cannot be read"):
        S3Ledger(s3, bucket="nowhere", key="x", instance="prod").load()


def test_a_ledger_that_somebody_formatted_is_read_and_kept(tmp_path):
    path = tmp_path / "ledger.json"
    store = FileLedger(path, instance="prod")
    ledger = store.load()
    ledger.own(LABEL, "7", {})
    store.save(ledger)
    assert path.read_text().count("\n") == 9, "a line for each object"
    path.write_text(json.dumps(dict(reversed(json.loads(path.read_text()).items()))))
    again = store.load()
    assert (again.serial, again.entries) == (1, ledger.entries)
    with pytest.raises(LedgerMoved):
        FileLedger(path, instance="prod").save(Ledger(instance="prod"))
    store.save(again)
    assert store.load().serial == 2


def test_a_ledger_holds_no_secret(tmp_path):
    store = FileLedger(tmp_path / "ledger.json", instance="prod")
    ledger = store.load()
    ledger.own(LABEL, "7", {"secret": ledger.fingerprint("hunter2")})
    store.save(ledger)
    text = (tmp_path / "ledger.json").read_text()
    assert "hunter2" not in text
    assert json.loads(text)["objects"]["label with space/and slash"]["id"] == "7"


def test_forgetting_a_project_forgets_what_is_in_it(tmp_path):
    ledger = FileLedger(tmp_path / "x", instance="prod").load()
    for kind, key, parent in (("project", "a", ""), ("member", "a/user/x", "a"), ("member", "b/user/x", "b")):
        ledger.entries[Ref(kind, key)] = Entry(id="1", parent=parent)
    ledger.forget(Ref("project", "a"))
    assert list(ledger.entries) == [Ref("member", "b/user/x")]
