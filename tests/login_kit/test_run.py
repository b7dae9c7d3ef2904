"""Snippets that run: docker's own login, Helm's own engine, the registry's protocol; with the robot's real rights.

Played: the AWS CLI, by boto3 against moto's server; docker's daemon, which push and pull need, by the requests that it
sends. Not run: kubectl (tests/cluster does), the CI hosts, cosign, notation and buildah.
"""

import json
import os
import shutil
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import pytest
import yaml
from helm_python import registry as helm_registry

from slipway.harbor.robots import PRESETS, issue
from slipway.harbor.robots.stores.file import FileStore
from slipway.harbor.robots.stores.secrets_manager import SecretsManagerStore
from slipway.login_kit.kit import Kit
from slipway.login_kit.place import Place
from tests.harbor.clients import run
from tests.harbor.process import host
from tests.harbor.test_server_registry import Pusher
from tests.login_kit.conftest import wanted
from tests.login_kit.kits import text_of

SECRET_ID = "harbor/ha/robots/payments/push"
AWS_CLI = """#!{python}
import sys, boto3
service, operation, *words = sys.argv[1:]
given = dict(zip(words[::2], words[1::2]))
assert (service, operation, given["--query"], given["--output"]) == ("secretsmanager", "get-secret-value", "SecretString", "text")
client = boto3.client("secretsmanager", region_name=given["--region"])
print(client.get_secret_value(SecretId=given["--secret-id"], VersionStage="AWSCURRENT")["SecretString"])
"""


@pytest.fixture
def registry(harbor):
    """Harbor with a registry behind it, and two projects."""
    for name in ("payments", "base"):
        harbor.api("POST", "/projects", {"project_name": name})
    return harbor


def robot(server, store, preset="push"):
    rights = {"payments": PRESETS[preset]}
    return run(
        server, lambda client: issue(client, wanted(preset, rights=rights, registry=host(server.url)), store)
    ).credential


def kit_of(server, place, *, push=True):
    return Kit(url=server.url, projects=("payments",), name="push", push=push, place=place)


@pytest.fixture(params=["file", "aws"])
def kit(request, registry, tmp_path, aws):
    """A kit whose robot exists, with its secret in each kind of place that needs no cluster."""
    path = tmp_path / "it's a robot.json"
    place = (
        Place(kind="aws", id=SECRET_ID, region="eu-central-1")
        if request.param == "aws"
        else Place(kind="file", id=str(path))
    )
    robot(
        registry, SecretsManagerStore(aws("secretsmanager"), SECRET_ID) if request.param == "aws" else FileStore(path)
    )
    return kit_of(registry, place)


def script(text, folder, *, without=()):
    """Run a script with an AWS CLI that is played, without the lines that need a daemon."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "aws").write_text(AWS_CLI.format(python=sys.executable))
    (programs / "aws").chmod(0o755)
    lines = (
        [line for line in text.splitlines() if not line.strip().startswith(without)] if without else text.splitlines()
    )
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "DOCKER_CONFIG": str(folder / "docker")}
    return subprocess.run(
        ["bash"], input="\n".join(lines), env=environment, capture_output=True, text=True, check=False, cwd=folder
    )


def needs(*names):
    missing = [name for name in names if not shutil.which(name)]
    return pytest.mark.skipif(bool(missing), reason=f"no {', '.join(missing)}")


DAEMON = ("docker tag", "docker push", "docker pull")


@needs("docker", "jq")
def test_docker_logs_in_with_what_the_script_reads(kit, tmp_path):
    done = script(text_of(kit, "docker/login.sh"), tmp_path, without=(*DAEMON, "docker logout"))
    assert "Login Succeeded" in done.stdout, done.stderr
    login = json.loads((tmp_path / "docker" / "config.json").read_text())["auths"][host(kit.url)]
    username, _, password = b64decode(login["auth"]).decode().partition(":")
    assert username == "robot$payments+push-a"
    assert password not in done.stdout + done.stderr

    out = script(text_of(kit, "docker/login.sh"), tmp_path, without=DAEMON)
    assert "Removing login credentials" in out.stdout
    assert not json.loads((tmp_path / "docker" / "config.json").read_text())["auths"]


@needs("docker", "jq")
def test_a_secret_that_harbor_refuses_ends_the_script(registry, tmp_path):
    path = tmp_path / "robot.json"
    robot(registry, FileStore(path))
    path.write_text(path.read_text().replace('"password": "', '"password": "x'))
    done = script(
        text_of(kit_of(registry, Place(kind="file", id=str(path))), "docker/login.sh"), tmp_path, without=DAEMON
    )
    assert done.returncode != 0
    assert "Login Succeeded" not in done.stdout


def test_the_robot_pushes_and_pulls_in_its_project_and_nowhere_else(registry, tmp_path):
    credential = robot(registry, FileStore(tmp_path / "robot.json"))
    auth = (credential.username, credential.password.get_secret_value())
    answer, _ = Pusher(registry, "payments/app", auth).image("v1")
    assert answer.status == 201
    assert Pusher(registry, "payments/app", auth).pull("v1").status == 200
    assert Pusher(registry, "base/app", auth).send("POST", "blobs/uploads/").status == 401
    assert registry.api("DELETE", "/projects/payments/repositories/app", auth=auth).status == 403


def test_a_robot_that_pulls_cannot_push(registry, tmp_path):
    credential = robot(registry, FileStore(tmp_path / "robot.json"), "pull")
    auth = (credential.username, credential.password.get_secret_value())
    Pusher(registry, "payments/app").image("v1")
    assert Pusher(registry, "payments/app", auth).pull("v1").status == 200
    assert Pusher(registry, "payments/app", auth).send("POST", "blobs/uploads/").status == 401


def test_a_robot_of_ci_tags_and_reads_what_a_scan_found(registry, tmp_path):
    credential = robot(registry, FileStore(tmp_path / "robot.json"), "ci")
    auth = (credential.username, credential.password.get_secret_value())
    Pusher(registry, "payments/app", auth).image("v1")
    artifact = "/projects/payments/repositories/app/artifacts/v1"
    assert registry.api("POST", f"{artifact}/tags", {"name": "stable"}, auth=auth).status == 201
    assert registry.api("POST", f"{artifact}/scan", auth=auth).status == 202
    assert registry.api("GET", artifact, auth=auth).status == 200
    assert registry.api("DELETE", artifact, auth=auth).status == 403


@needs("jq")
def test_the_plain_secret_that_the_script_makes_is_what_the_registry_takes(registry, tmp_path, monkeypatch):
    path = tmp_path / "robot.json"
    robot(registry, FileStore(path))
    text = text_of(kit_of(registry, Place(kind="file", id=str(path))), "kubernetes/secret.sh")
    # Up to the pipe into kubectl, which tests/cluster runs.
    done = script(text.partition(" |\n  kubectl")[0], tmp_path)
    login = json.loads(done.stdout)["auths"][host(registry.url)]
    assert b64decode(login["auth"]).decode() == f"{login['username']}:{login['password']}"
    assert registry.request("GET", "/v2/", headers={"Authorization": f"Basic {login['auth']}"}).status == 200


def test_the_written_secret_is_what_the_registry_takes(registry, tmp_path):
    from dataclasses import replace

    path = tmp_path / "robot.json"
    credential = robot(registry, FileStore(path))
    kit = replace(kit_of(registry, Place(kind="file", id=str(path))), shown=credential)
    secret = yaml.safe_load(text_of(kit, "kubernetes/secret.yaml"))
    (login,) = json.loads(secret["stringData"][".dockerconfigjson"])["auths"].values()
    assert registry.request("GET", "/v2/", auth=(login["username"], login["password"])).status == 200


def test_helm_pushes_and_pulls_where_the_script_does(registry, tmp_path):
    """Helm's own engine, with the addresses of the script."""
    credential = robot(registry, FileStore(tmp_path / "robot.json"))
    text = text_of(kit_of(registry, Place(kind="file", id=str(tmp_path / "robot.json"))), "helm/push-pull.sh")
    address = next(line for line in text.splitlines() if "helm push" in line).split()[-1]
    chart = packaged(tmp_path)
    with helm_registry.RegistryClient(plain_http=True, credentials_file=tmp_path / "login.json") as client:
        client.login(host(registry.url), credential.username, credential.password.get_secret_value(), plain_http=True)
        client.push(chart, address, plain_http=True)
        client.pull(f"{address}/app", version="1.0.0", destination=tmp_path / "pulled", plain_http=True)
        assert (tmp_path / "pulled" / "app-1.0.0.tgz").read_bytes() == chart.read_bytes()
        assert f"helm pull {address}/app --version 1.0.0" in text
    (artifact,) = registry.api("GET", "/projects/payments/repositories/charts%252Fapp/artifacts").json
    assert artifact["type"] == "CHART"


def packaged(folder):
    import io
    import tarfile

    path = folder / "app-1.0.0.tgz"
    content = b"apiVersion: v2\nname: app\nversion: 1.0.0\n"
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("app/Chart.yaml")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    (folder / "pulled").mkdir()
    return path


def test_a_robot_of_a_cache_logs_in_and_cannot_push(registry, tmp_path):
    hub = registry.api("POST", "/registries", {"name": "hub", "type": "docker-registry", "url": registry.url}).id
    registry.api("POST", "/projects", {"project_name": "cache", "registry_id": hub})
    credential = robot_of_cache(registry, FileStore(tmp_path / "robot.json"))
    auth = (credential.username, credential.password.get_secret_value())
    assert Pusher(registry, "cache/library/app", auth).send("POST", "blobs/uploads/").status in {401, 403}
    assert registry.request("GET", "/v2/", auth=auth).status == 200


def robot_of_cache(server, store):
    return run(
        server, lambda client: issue(client, wanted("pull", rights={"cache": PRESETS["pull"]}), store)
    ).credential


def test_nothing_of_ours_stays_in_the_folder(registry, tmp_path):
    robot(registry, FileStore(tmp_path / "robot.json"))
    assert [Path(path).name for path in tmp_path.iterdir()] == ["robot.json"]
