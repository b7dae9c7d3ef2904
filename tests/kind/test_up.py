"""`slipway kind up` from an empty machine to the pushed commit, and again after it stopped anywhere."""

import json
import subprocess

import pytest
import yaml

from infra.delivery.inputs import Inputs
from infra.tables import read
from slipway.kind.place import Place
from values.composition import Composition
from values.secrets import secrets_for


def files_in_git(machine) -> dict[str, str]:
    repository = machine.folder / "gitops.git"

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=True
        ).stdout

    return {path: git("show", f"main:{path}") for path in git("ls-tree", "-r", "--name-only", "main").split()}


def test_from_nothing_to_the_pushed_commit(machine, slipway, port):
    code, out, err = slipway("up", "--no-wait", "--host-port", port)

    assert code == 0, err
    cluster = machine.state["clusters"]["slipway"]
    zones = [node["labels"]["topology.kubernetes.io/zone"] for node in cluster["nodes"]]
    assert zones == read("kind")["zones"]
    assert cluster["ports"] == {"30002/tcp": int(port)}
    instance = machine.objects()["flux-system/FluxInstance/flux"]["spec"]
    assert instance["sync"]["path"] == "clusters/slipway"
    assert instance["sync"]["url"] == "http://git.slipway-git.svc.cluster.local/gitops.git"
    pushed = files_in_git(machine)
    facts = Place(name="slipway", host_port=int(port)).facts()
    assert {path: text for path, text in pushed.items() if "lock" not in path} == Inputs(facts.to_json()).files()
    assert f"http://localhost:{port}" in out
    assert f"docker login localhost:{port} -u admin --password-stdin" in out
    assert "Plain HTTP, on 127.0.0.1 alone" in out


def test_the_secrets_are_those_of_the_table_and_flux_reads_git_as_the_reader(machine, slipway, port):
    slipway("up", "--no-wait", "--host-port", port)

    facts = Place(name="slipway").facts()
    wanted = {secret.name for secret in secrets_for(Composition.of(facts).parts)}
    made = machine.secrets()
    assert {key.split("/")[2] for key in made if key.startswith("harbor/")} == wanted
    identities, reader = made["slipway-git/Secret/git-identities"], made["flux-system/Secret/flux-system"]
    assert reader == {"username": "git", "password": identities["reader"]}
    assert identities["reader"] != identities["writer"]


def test_no_secret_is_an_argument_a_file_or_an_output(machine, slipway, port):
    _, out, err = slipway("up", "--no-wait", "--host-port", port)

    values = [value for data in machine.secrets().values() for key, value in data.items() if key != "username"]
    kept = "".join(path.read_text() for path in machine.data.rglob("*") if path.is_file())
    arguments = json.dumps([one["command"] for one in machine.state["log"]])
    everywhere = out + err + kept + arguments + json.dumps(files_in_git(machine))
    assert [value for value in values if value in everywhere] == []


def test_a_second_run_makes_nothing_twice(machine, slipway, port):
    slipway("up", "--no-wait", "--host-port", port)
    secrets, commit = machine.secrets(), files_in_git(machine)
    machine.forget()

    code, _, err = slipway("up", "--no-wait", "--host-port", port)

    assert code == 0, err
    assert machine.secrets() == secrets
    assert files_in_git(machine) == commit
    verbs = [one[:2] for one in machine.changes()]
    assert ["kubectl", "create"] not in verbs
    assert ["kind", "create"] not in verbs


CHANGES = (
    ("kind", "create", "cluster"),
    ("kubectl", "apply"),
    ("kubectl", "create"),
    ("kubectl", "rollout"),
    ("kubectl", "get", "secrets"),
    ("kubectl", "port-forward"),
)


#: Before each command's work, and after it; nothing is done after a port was forwarded.
STOPS = [
    (command, after) for command in CHANGES for after in (False, True) if not (after and "port-forward" in command)
]


@pytest.mark.parametrize(
    ("command", "after"), STOPS, ids=[f"{'after' if it else 'before'} {' '.join(c)}" for c, it in STOPS]
)
def test_a_run_that_stopped_goes_on(machine, slipway, port, command, after):
    machine.answer(*command, err="killed\n", times=1, after=after)
    code, _, err = slipway("up", "--no-wait", "--host-port", port)
    assert code == 1
    assert "killed" in err
    before = machine.secrets() if machine.state["clusters"] else {}
    machine.forget()

    code, _, err = slipway("up", "--no-wait", "--host-port", port)

    assert code == 0, err
    assert "clusters/slipway/harbor.yaml" in files_in_git(machine)
    # What was made stays made, unless the cluster itself was half.
    assert command[:2] == ("kind", "create") or before.items() <= machine.secrets().items()


def test_every_command_sees_the_clusters_own_kubeconfig(machine, slipway, port):
    slipway("up", "--no-wait", "--host-port", port)

    assert {one["kubeconfig"] for one in machine.state["log"]} == {str(machine.data / "kind/slipway/kubeconfig")}


def test_an_own_remote_gets_the_files_and_flux_its_token(machine, slipway, port, monkeypatch):
    monkeypatch.setenv("SLIPWAY_GIT_READ_TOKEN", "read-only")
    pushes = []
    monkeypatch.setattr("infra.delivery.publish.publish", lambda remote, inputs, **_: pushes.append((remote, inputs)))

    code, _, err = slipway("up", "--no-wait", "--host-port", port, "--remote", "https://git.example.com/gitops.git")

    assert code == 0, err
    ((remote, inputs),) = pushes
    assert (remote.repository, inputs.name) == ("https://git.example.com/gitops.git", "slipway")
    assert machine.secrets()["flux-system/Secret/flux-system"]["password"] == "read-only"
    assert "slipway-git/Deployment/git" not in machine.objects()
    sync = machine.objects()["flux-system/FluxInstance/flux"]["spec"]["sync"]
    assert (sync["url"], sync["pullSecret"]) == ("https://git.example.com/gitops.git", "flux-system")


def test_direct_hands_helm_what_the_release_would(machine, slipway, port):
    code, _, err = slipway("up", "--direct", "--host-port", port)

    assert code == 0, err
    releases = machine.state["releases"]
    assert list(releases) == ["harbor-support", "harbor"]
    values = yaml.safe_load(releases["harbor"]["values"])
    password = yaml.safe_load(machine.secrets()["harbor/Secret/harbor-db-internal"]["values.yaml"])
    assert values["database"]["internal"]["password"] == password["database"]["internal"]["password"]
    assert values["externalURL"] == f"http://localhost:{port}"
    assert {"--server-side=true", "--force-conflicts", "--wait"} <= set(releases["harbor"]["arguments"])
    assert "flux-system/FluxInstance/flux" not in machine.objects()
    assert "harbor/ServiceAccount/harbor-core" in machine.objects()


def test_two_owners_of_one_release_are_refused(machine, slipway, port):
    slipway("up", "--direct", "--host-port", port)

    code, _, err = slipway("up", "--no-wait", "--host-port", port)

    assert code == 1
    assert "delivered there by Helm alone" in err
    assert "flux-system/FluxInstance/flux" not in machine.objects()


def test_ingress_brings_a_certificate_that_only_the_local_authority_vouches_for(machine, slipway, port):
    code, _, err = slipway("up", "--no-wait", "--expose", "ingress", "--host-port", port)
    assert (code, "no ingress controller" in err) == (1, True)
    add = {"/IngressClass/nginx": {"kind": "IngressClass"}}
    machine.change(lambda state: state["clusters"]["slipway"]["objects"].update(add))

    code, out, err = slipway("up", "--no-wait", "--expose", "ingress", "--host-port", port)

    assert code == 0, err
    authority = machine.data / "kind-authority"
    assert oct((authority / "ca.key").stat().st_mode & 0o777) == "0o600"
    assert f"/etc/docker/certs.d/registry.localhost:{port}/ca.crt" in out
    assert "hosts.toml" in out
    tls = machine.secrets()["harbor/Secret/harbor-tls"]
    leaf = machine.folder / "leaf.pem"
    leaf.write_text(tls["tls.crt"])
    openssl = subprocess.run(
        ["/usr/bin/env", "PATH=/usr/bin:/bin", "openssl", "verify", "-CAfile", str(authority / "ca.crt"),
         "-verify_hostname", "registry.localhost", "-x509_strict", str(leaf)], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert openssl.returncode == 0, openssl.stderr
    values = yaml.safe_load(files_in_git(machine)["apps/harbor/slipway/release/values/common.yaml"])
    assert values["externalURL"] == f"https://registry.localhost:{port}"
    assert values["expose"]["tls"]["secret"]["secretName"] == "harbor-tls"


def test_the_authority_is_made_once_and_another_host_gets_another_certificate(machine, slipway, port):
    options = ("up", "--no-wait", "--expose", "ingress", "--host-port", port, "--host")
    slipway(*options, "one.localhost")
    first = machine.secrets()["harbor/Secret/harbor-tls"]
    slipway(*options, "one.localhost")
    assert machine.secrets()["harbor/Secret/harbor-tls"] == first

    slipway(*options, "two.localhost")

    other = machine.secrets()["harbor/Secret/harbor-tls"]
    assert other["ca.crt"] == first["ca.crt"]
    assert other["tls.crt"] != first["tls.crt"]
