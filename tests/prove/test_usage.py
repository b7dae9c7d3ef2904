"""Wrong usage is one clear message, with exit code 2 and nothing made."""

import json

import pytest

from infra.errors import ProofError
from infra.stack_config import from_stack_file
from slipway.prove.part import pulumi_says, verify_says
from slipway.prove.record import own_name
from slipway.prove.stack import chart_versions, own_domain


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dev", "--on", "rehearsal"), "a rehearsal runs no Harbor that could be verified"),
        (("dev", "--on", "rehearsal", "--registry", "registry"), "'registry' is no address of a registry"),
        (("dev", "--on", "rehearsal", "--registry", "https://a:b@c"), "is no address of a registry"),
        (("dev", "--on", "aws", "--registry", "https://registry.example.com"), "is for the rehearsal, and this is aws"),
        (("dev", "--on", "aws", "--skip", "teardown"), "--skip teardown: is no step that may be left out"),
        (("nowhere", "--on", "aws"), "no such stack file"),
        (("Dev", "--on", "aws"), "'Dev' is no name"),
        (("dev",), "--on"),
    ],
)
def test_it_is_refused(played, prove, arguments, said):
    code, _, err = prove(*arguments)

    assert code == 2
    assert said in err
    assert played.state["log"] == []


def test_nothing_to_end_is_said(played, prove):
    code, _, err = prove("dev", "--on", "aws", "--teardown")

    assert code == 1
    assert "no proof of dev on aws has left anything" in err


def test_a_broken_record_is_not_guessed_at(played, prove):
    folder = played.root / ".slipway" / "prove" / "prove-dev"
    folder.mkdir(parents=True)
    (folder / "record.json").write_text('{"environment": "dev"}')

    code, _, err = prove("dev", "--on", "aws", "--limit", "5")

    assert code == 1
    assert "is no record of a proof" in err
    assert played.state["log"] == []


@pytest.mark.parametrize("on", ["aws", "kind", "rehearsal"])
@pytest.mark.parametrize("environment", ["dev", "a-very-long-name-one", "prod-eu-1"])
def test_names_fit_and_are_never_the_environments_own(on, environment):
    name = own_name(environment, on)

    assert len(name) <= 20
    assert name.startswith("prove-")
    assert not name.endswith("-")
    assert (own_name(environment, on) == name) is (on != "aws")  # AWS keeps deleted names for a month


@pytest.mark.parametrize(
    ("dns", "domain"),
    [
        ({"delegate_from": "dev.example.com"}, "prove-registry.dev.example.com"),
        ({"existing_zone": "registry.dev.example.com"}, "prove.registry.dev.example.com"),
        ({}, "prove-registry.dev.example.com"),
    ],
)
def test_the_registrys_name_is_in_the_zone_and_another(played, dns, domain):
    settings = from_stack_file(played.root / "stacks" / "Pulumi.dev.yaml")
    bare = settings.dns.model_copy(update={"delegate_from": "", "existing_zone": "", **dns})

    assert own_domain(settings.model_copy(update={"dns": bare})) == domain


def test_the_upgrade_is_to_the_environments_chart_or_from_the_oldest_to_the_next():
    assert chart_versions("1.19.2") == ("1.19.1", "1.19.2")
    assert chart_versions("1.19.1") == ("1.18.3", "1.19.1")
    assert chart_versions("1.18.3") == ("1.18.3", "1.19.1")


def test_no_way_is_an_error(monkeypatch):
    monkeypatch.setattr("slipway.prove.stack.SUPPORTED_CHART_VERSIONS", ("1.19.2",))
    with pytest.raises(ProofError, match="no upgrade to or from chart"):
        chart_versions("1.19.2")


def test_what_programs_say_is_a_line():
    said = "Updating (dev):\n\nOutputs:\n    url: x\n\nResources:\n    + 3 created\n    1 unchanged\n\nDuration: 12s\n"
    assert pulumi_says(said) == "+ 3 created, 1 unchanged, 12s"
    assert pulumi_says("error: no login") == ""
    counts = {"passed": 1, "failed": 0, "skipped": 0, "undecided": 1}
    check = {"id": "a.b", "state": "undecided", "says": "no answer", "fix": "wait"}
    assert verify_says(json.dumps({"counts": counts, "checks": [check]})) == (
        "1 passed, 1 undecided; a.b: no answer (do: wait)"
    )
    assert verify_says("") == ""
