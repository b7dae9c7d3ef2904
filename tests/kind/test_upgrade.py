"""A chart's other version on a cluster that has one: its own database would move with it."""

import pytest

NEWER, OLDER = "1.19.2", "1.18.3"


@pytest.mark.parametrize("way", ["--no-wait", "--direct"])
def test_a_newer_chart_is_taken_on_request_alone(machine, slipway, port, way):
    slipway("up", way, "--host-port", port)
    machine.forget()

    code, _, err = slipway("up", way, "--host-port", port, "--chart-version", NEWER)
    assert code == 1
    assert (
        "--chart-version 1.19.2: the cluster slipway has 1.19.1, and the chart's own database is upgraded with it"
        in err
    )
    assert "add --upgrade; or keep it: --chart-version 1.19.1" in err
    assert machine.changes() == []

    code, _, err = slipway("up", way, "--host-port", port, "--chart-version", NEWER, "--upgrade")
    assert code == 0, err


@pytest.mark.parametrize("way", ["--no-wait", "--direct"])
def test_an_older_chart_is_not_taken_at_all(machine, slipway, port, way):
    slipway("up", way, "--host-port", port)
    machine.forget()

    code, _, err = slipway("up", way, "--host-port", port, "--chart-version", OLDER, "--upgrade")

    assert code == 1
    assert "the cluster slipway has 1.19.1, and its database goes forward only" in err
    assert machine.changes() == []
