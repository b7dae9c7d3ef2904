"""`slipway kind down` and `status` where they do not reach a delivered Harbor; tests/cluster/test_kind.py does."""

import json


def test_down_deletes_the_cluster_and_its_files_and_keeps_the_authority(machine, slipway, port):
    slipway("up", "--no-wait", "--expose", "ingress", "--host-port", port)  # stops: no controller there
    assert (machine.data / "kind/slipway/kubeconfig").parent.exists()

    code, out, err = slipway("down", "--yes")

    assert (code, out, "slipway is gone" in err) == (0, "", True)
    assert machine.state["clusters"] == {}
    assert not (machine.data / "kind/slipway").exists()
    assert (machine.data / "kind-authority/ca.crt").exists()


def test_down_again_is_done_already(machine, slipway):
    code, _, err = slipway("down", "--yes", "--output", "json")

    assert code == 0, err
    assert machine.changes() == []


def test_down_says_what_it_did_as_json(machine, slipway, port):
    slipway("up", "--no-wait", "--host-port", port)

    first, second = slipway("down", "--yes", "--output", "json"), slipway("down", "--yes", "--output", "json")

    assert json.loads(first[1]) == {"name": "slipway", "deleted": True}
    assert json.loads(second[1]) == {"name": "slipway", "deleted": False}


def test_down_unasked_is_refused(machine, slipway, port):
    slipway("up", "--no-wait", "--host-port", port)
    machine.forget()

    code, _, err = slipway("down")

    assert code == 1
    assert "--yes: deleting slipway was not confirmed\n      type slipway, or give --yes" in err
    assert machine.changes() == []


def test_down_leaves_other_clusters_alone(machine, slipway, port):
    slipway("up", "--no-wait", "--host-port", port)
    other = {"nodes": [], "ports": {}, "containers": {}, "objects": {}}
    machine.change(lambda state: state["clusters"].update(other=other))

    slipway("down", "--yes")

    assert machine.state["clusters"] == {"other": other}


def test_down_takes_a_half_made_cluster_too(machine, slipway, port):
    machine.answer("kind", "create", "cluster", err="killed\n", after=True, times=1)
    slipway("up", "--no-wait", "--host-port", port)
    assert machine.state["clusters"]

    code, _, err = slipway("down", "--yes")

    assert (code, machine.state["clusters"]) == (0, {}), err


def test_status_of_what_is_not_there(machine, slipway):
    code, out, err = slipway("status", "--output", "json")

    assert (code, out) == (1, "")
    assert "--name slipway: there is none of that name\n      slipway kind up --name slipway" in err


def test_status_of_a_half_made_cluster(machine, slipway, port):
    machine.answer("kind", "create", "cluster", err="killed\n", after=True, times=1)
    slipway("up", "--no-wait", "--host-port", port)

    code, _, err = slipway("status")

    assert (code, "it is half made" in err) == (1, True)


def test_status_of_containers_that_stand_still_starts_none(machine, slipway, port):
    slipway("up", "--no-wait", "--host-port", port)
    stop(machine)
    machine.forget()

    code, _, err = slipway("status")

    assert (code, "it does not answer" in err) == (1, True)
    assert machine.changes() == []


def test_up_starts_containers_that_stand_still(machine, slipway, port):
    slipway("up", "--no-wait", "--host-port", port)
    stop(machine)
    machine.forget()

    code, _, err = slipway("up", "--no-wait", "--host-port", port)

    assert code == 0, err
    assert ["docker", "start", "slipway-control-plane", "slipway-worker", "slipway-worker2"] in machine.asked
    assert ["kind", "create"] not in [one[:2] for one in machine.asked]


def stop(machine) -> None:
    """As after the machine was off."""

    def change(state):
        containers = state["clusters"]["slipway"]["containers"]
        containers.update(dict.fromkeys(containers, "exited"))

    machine.change(change)
