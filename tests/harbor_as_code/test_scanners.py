"""Scanners and the default one, end to end."""

from dataclasses import replace

import pytest

from infra.errors import SpecError
from slipway.harbor.client.api import scanners
from slipway.harbor.kinds.scanners import Scanners

SCANNERS = """
system:
  scanners:
    - name: ext
      url: https://trivy.example.com/
      description: another
      auth: Bearer
      access_credential: {secretRef: {env: SCANNER}}
      use_internal_addr: true
    - {name: plain, url: "https://plain.example.com"}
  default_scanner: ext
projects: {payments: {scanner: plain}}
"""


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    monkeypatch.setenv("SCANNER", "s3cret-of-the-scanner")


def there(place):
    return {each["name"]: each for each in place.api.api("GET", "/scanners").json}


def test_scanners_are_registered_chosen_and_then_nothing_is_left_to_do(place):
    assert place.apply(SCANNERS).good
    found = there(place)
    assert found["ext"]["is_default"]
    assert (found["ext"]["auth"], found["ext"]["use_internal_addr"]) == ("Bearer", True)
    assert place.api.api("GET", "/projects/2/scanner").json["name"] == "plain"
    assert place.plan(SCANNERS).actions == []


def changed(place, **how):
    ext = there(place)["ext"]
    names = ("name", "url", "description", "auth", "use_internal_addr", "skip_certVerify", "disabled")
    body = {key: ext[key] for key in names} | {"access_credential": "x"} | how
    return place.api.api("PUT", f"/scanners/{ext['uuid']}", body).status


DRIFTS = {
    "url": (lambda place: changed(place, url="https://other.example.com"), "scanner", "url"),
    "description": (lambda place: changed(place, description=""), "scanner", "description"),
    "auth": (lambda place: changed(place, auth="Basic"), "scanner", "auth"),
    "inside": (lambda place: changed(place, use_internal_addr=False), "scanner", "use_internal_addr"),
    "default": (
        lambda place: place.api.api("PATCH", f"/scanners/{there(place)['Trivy']['uuid']}", {"is_default": True}).status,
        "default-scanner",
        "name",
    ),
    "the project's": (
        lambda place: place.api.api("PUT", "/projects/2/scanner", {"uuid": there(place)["Trivy"]["uuid"]}).status,
        "project",
        "scanner",
    ),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_what_is_changed_by_hand_is_seen_and_brought_back(place, name):
    drift, kind, field = DRIFTS[name]
    place.apply(SCANNERS)
    assert drift(place) == 200
    [action] = place.plan(SCANNERS).actions
    assert (action.ref.kind, [change.field for change in action.changes]) == (kind, [field])
    assert place.apply(SCANNERS).good
    assert place.plan(SCANNERS).actions == []


def test_scanners_that_leave_the_file_go_and_the_built_in_one_stays(place):
    place.apply(SCANNERS)
    assert place.apply("system: {scanners: [], default_scanner: Trivy}\nprojects: {payments: {scanner: Trivy}}").good
    assert list(there(place)) == ["Trivy"]
    assert there(place)["Trivy"]["is_default"]


def test_the_default_scanner_is_not_deleted_while_there_is_another(place):
    """Harbor would do it and have none: 412 to whatever scans."""
    place.apply(SCANNERS)
    applied = place.apply("system: {scanners: []}\nprojects: {payments: {scanner: Trivy}}")
    [failed] = [each for each in applied.outcomes if each.state != "done"]
    assert (failed.action.ref.key, failed.problems[0].fix) == ("ext", "name another by default_scanner: Trivy, plain")
    assert sorted(there(place)) == ["Trivy", "ext"]
    assert place.apply("system: {scanners: [], default_scanner: Trivy}").good


def test_scanners_are_made_one_after_the_other(place, monkeypatch):
    """A real Harbor makes each the default that finds no other: two at the same time both were."""
    original, busy, most = Scanners.create, [], []

    async def create(self, site, wanted):
        busy.append(wanted.key)
        most.append(len(busy))
        try:
            return await original(self, site, wanted)
        finally:
            busy.remove(wanted.key)

    monkeypatch.setattr(Scanners, "create", create)
    place.api.no_scanner()
    several = ", ".join(f"{{name: s{number}, url: 'https://s{number}.example.com'}}" for number in range(4))
    assert place.apply(f"system: {{scanners: [{several}], default_scanner: s2}}").good
    assert most == [1, 1, 1, 1]


def test_two_default_scanners_are_a_difference(place, monkeypatch):
    place.apply(SCANNERS)
    every = scanners.every()
    monkeypatch.setattr(
        scanners, "every", lambda: replace(every, first=replace(every.first, read=_both(every.first.read)))
    )
    [action] = place.plan(SCANNERS).actions
    assert [(change.field, change.before) for change in action.changes] == [("name", "Trivy, ext")]


def _both(read):
    """Give the answer of a Harbor in which two people made the first scanner at the same time."""

    def changed(answer):
        page = read(answer)
        rows = [each.model_copy(update={"is_default": each.name in {"Trivy", "ext"}}) for each in page.items]
        return replace(page, items=rows)

    return changed


def test_a_scanner_that_does_not_answer_is_told_and_all_else_is_done(place):
    text = "system: {scanners: [{name: x, url: 'http://away.invalid'}]}\nlabels: [{name: approved}]"
    applied = place.apply(text)
    assert {each.action.ref.kind: each.state for each in applied.outcomes} == {"label": "done", "scanner": "failed"}


@pytest.mark.parametrize(
    ("scanner", "said"),
    [
        ("{name: Trivy, url: 'http://x'}", "Harbor's own scanner"),
        ("{name: x, url: x}", "https?"),
        ("{name: x, url: 'http://x', auth: Basic}", "needs an access_credential"),
        ("{name: x, url: 'http://x', access_credential: {secretRef: {env: A}}}", "needs an auth"),
    ],
)
def test_what_harbor_would_refuse_is_refused_first(place, scanner, said):
    with pytest.raises(SpecError, match=said):
        place.wanted(f"system: {{scanners: [{scanner}]}}")


def test_a_default_that_is_not_there_stands_in_the_way(place):
    plan = place.plan("system: {default_scanner: Trivi}")
    assert "did you mean" in plan.problems[0].what


def test_the_default_scanner_is_not_disabled_until_another_is(place):
    place.apply(SCANNERS)
    off = SCANNERS.replace(
        "use_internal_addr: true", "use_internal_addr: true, disabled: true".replace(", ", "\n      ")
    )
    [problem] = place.plan(off).problems
    assert "name another default_scanner" in problem.fix
    assert place.apply(SCANNERS.replace("default_scanner: ext", "default_scanner: plain")).good
    assert place.apply(off.replace("default_scanner: ext", "default_scanner: plain")).good
    assert there(place)["ext"]["disabled"]
