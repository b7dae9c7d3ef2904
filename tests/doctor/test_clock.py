"""The clock, against the Date of a real HTTPS answer."""

from datetime import timedelta

import pytest

from tests.doctor.tls import before, certificate


@pytest.mark.parametrize(
    ("ahead", "state", "told"),
    [
        (timedelta(), "ok", "as https://"),
        (timedelta(seconds=100), "warning", " s behind https://"),
        (timedelta(seconds=-100), "warning", "ahead of https://"),
        (timedelta(minutes=20), "failed", ": AWS refuses such requests"),
        (timedelta(hours=-3), "failed", "AWS refuses such requests"),
    ],
)
def test_a_clock_that_is_off(project, tmp_path, ahead, state, told):
    pem = certificate(tmp_path)
    with before(0, pem, ahead=ahead) as url:
        project.add(f"  slipway:chartRepository: {url}\n")
        found = project.look("machine.clock", ca_file=pem)

    assert found.state == state
    assert told in found.says
    assert found.fix == ("" if state == "ok" else "set it by NTP: timedatectl set-ntp true")


@pytest.mark.parametrize("period", [{"days": -1}, {"since": 1, "days": 2}])
def test_a_clock_outside_of_the_certificates_time(project, tmp_path, period):
    pem = certificate(tmp_path, **period)
    with before(0, pem) as url:
        project.add(f"  slipway:chartRepository: {url}\n")
        found = project.look("machine.clock", ca_file=pem)

    assert found.state == "failed"
    assert "which is outside the time of" in found.says


def test_nobody_to_compare_with(project):
    project.add("  slipway:chartRepository: https://127.0.0.1:9\n")
    found = project.look("machine.clock")

    assert found.state == "warning"
    assert "gives no answer to compare with" in found.says
    assert "date -u" in found.fix


def test_a_time_in_clear_text_is_not_believed(project):
    project.add("  slipway:chartRepository: http://charts.example.com\n")

    assert project.look("machine.clock").state == "skipped"
