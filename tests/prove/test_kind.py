"""A proof on kind: a cluster of its own, whose password never shows; programs are played as in tests/kind."""

import base64
import json
import sys

import pytest

PASSWORD = "made-in-the-cluster"
#: kind, docker and kubectl, as far as a proof itself asks them; the rest is `slipway kind`'s, and tested there.
SHIM = """\
#!{python}
import json, sys
state = json.load(open("{state}"))
words = ["{name}", *sys.argv[1:]]
if words == ["kind", "get", "clusters"]:
    print(*state["clusters"], sep="\\n")
elif words[:2] == ["kubectl", "version"]:
    print("Client Version: v1.34.2")
elif words[:3] == ["kubectl", "get", "secret"]:
    print(json.dumps({{"data": {{"HARBOR_ADMIN_PASSWORD": "{password}"}}}}))
elif words[:3] == ["kubectl", "get", "nodes"]:
    pass
elif words[1:2] == ["version"]:
    print("{name} version 1")
elif words[:3] != ["kind", "export", "kubeconfig"] and words[:2] != ["docker", "ps"]:
    sys.exit("unknown: " + " ".join(words))
"""


@pytest.fixture
def machine(played, tmp_path, monkeypatch):
    encoded = base64.b64encode(PASSWORD.encode()).decode()
    for name in ("docker", "kind", "kubectl"):
        shim = tmp_path / "bin" / name
        shim.write_text(SHIM.format(python=sys.executable, state=played.path, name=name, password=encoded))
        shim.chmod(0o755)
    monkeypatch.setenv("SLIPWAY_DATA", str(tmp_path / "data"))
    return played


def test_the_whole_way_in_a_cluster_of_its_own(machine, prove):
    code, out, err = prove("trial", "--on", "kind")

    assert code == 0, err
    assert machine.verbs == [
        "slipway kind",
        "slipway kind",
        "slipway verify",
        "slipway kind",
        "slipway verify",
        "slipway kind",
    ]
    up, _, _, upgrade, _, down = machine.asked
    name_and_port = ["--name", "prove-trial", "--host-port", str(machine.record["port"])]
    assert up[3:] == [*name_and_port, "--chart-version", "1.18.3", "--output", "json"]
    assert upgrade[3:] == [*name_and_port, "--chart-version", "1.19.1", "--output", "json"]
    assert down[2:] == ["down", "--name", "prove-trial", "--yes"]
    assert machine.state["clusters"] == []
    report = machine.report
    assert report["cost"]["limit"] is None
    assert report["versions"]["kind"] == "kind version 1"
    assert "Nothing of it is left." in out


def test_the_password_is_given_to_verify_and_written_nowhere(machine, prove):
    machine.answer("slipway", "verify", err=f"error: refused admin:{PASSWORD}\n")

    _, out, err = prove("trial", "--on", "kind")

    asked = [one for one in machine.state["log"] if one["command"][1] == "verify"]
    assert [one["given"] for one in asked] == [{"SLIPWAY_HARBOR_PASSWORD": PASSWORD}] * 2
    written = "".join(path.read_text() for path in machine.folder.rglob("*") if path.is_file())
    assert PASSWORD not in written + out + err
    assert "refused admin:***" in written


def test_a_password_that_cannot_be_read_is_a_failed_check_and_the_upgrade_is_played_all_the_same(
    machine, prove, tmp_path
):
    shim = tmp_path / "bin" / "kubectl"
    shim.write_text(shim.read_text().replace("HARBOR_ADMIN_PASSWORD", "OTHER"))

    code, _, _ = prove("trial", "--on", "kind")

    assert code == 1
    assert machine.verbs == ["slipway kind"] * 4
    results = {step["name"]: step["result"] for step in machine.report["steps"]}
    assert results["verify"] == results["verify again"] == "failed"
    assert results["upgrade"] == "passed"


def test_a_cluster_of_that_name_that_no_proof_made_is_left_alone(machine, prove):
    machine.change(lambda state: state["clusters"].append("prove-trial"))

    code, _, err = prove("trial", "--on", "kind")

    assert code == 1
    assert "there is a kind cluster prove-trial that no proof made" in err
    assert machine.asked == []
    assert machine.state["clusters"] == ["prove-trial"]


def test_a_cluster_that_stays_is_named(machine, prove):
    machine.answer("slipway", "kind", "down", err="error: docker does not answer\n", times=1)

    code, out, _ = prove("trial", "--on", "kind")

    assert code == 1
    assert machine.report["remains"] == ["the kind cluster prove-trial"]
    assert "End it: slipway prove trial --on kind --teardown" in out

    code, out, _ = prove("trial", "--on", "kind", "--teardown")
    assert "Nothing of it is left." in out
    assert machine.state["clusters"] == []


def test_without_kind_the_message_is_kinds(machine, prove, tmp_path):
    (tmp_path / "bin" / "kind").unlink()

    code, _, err = prove("trial", "--on", "kind")

    assert code == 1
    assert "kind is not on it" in err
    assert "install kind: https://kind.sigs.k8s.io" in err
    assert json.loads((machine.folder / "report.json").read_text())["verdict"] == "failed"
