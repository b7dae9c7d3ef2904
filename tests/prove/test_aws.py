"""A proof in an account: every step in order, whatever fails on the way, and the end of all of them."""

import json

import pytest
import typer
import yaml

from slipway.cli import app

WHOLE = [
    "pulumi stack",
    "pulumi up",
    "aws eks",
    "slipway status",
    "slipway verify",
    "slipway upgrade",
    "slipway verify",
    "slipway teardown",
    "pulumi stack",
]


def stacks(played) -> set[str]:
    return {path.name for path in (played.root / "stacks").iterdir()}


def test_the_whole_way_in_a_stack_of_its_own_that_is_gone_at_the_end(played, prove):
    before = stacks(played)

    code, out, err = prove("dev", "--on", "aws", "--limit", "5")

    assert code == 0, err
    assert played.verbs == WHOLE
    assert stacks(played) == before
    assert played.state["stacks"] == {}
    report = played.report
    assert report["verdict"] == "passed"
    assert report["remains"] == []
    assert report["finish"] == ""
    assert [step["result"] for step in report["steps"]] == ["passed"] * 9
    assert report["steps"][1]["says"] == "+ 150 created, 14m3s"
    assert report["steps"][4]["says"] == "40 passed, 1 skipped"
    assert "Nothing of it is left." in out
    assert str(played.folder / "report.md") in out
    page = (played.folder / "report.md").read_text()
    assert "Chart 1.18.3 (Harbor 2.14.3) → 1.19.1 (Harbor 2.15.1)" in page
    assert "- pulumi: v3.259.0" in page


def test_the_stack_is_the_environments_but_in_what_makes_it_its_own(played, prove):
    played.answer("pulumi", "up", also=True, code=0, times=1)
    values = played.root / "stacks" / "dev" / "values"
    values.mkdir(parents=True)
    (values / "team.yaml").write_text("core: {podAnnotations: {team: registry}}\n")
    seen = {}

    # Looked at when the program is asked for the kubeconfig: the stack is there then.
    played.answer("aws", "eks", code=1, err="error: look now\n")
    played.answer("slipway", "teardown", code=1, err="error: stays for the look\n")
    played.answer("pulumi", "destroy", code=1, err="error: stays for the look\n")
    prove("dev", "--on", "aws", "--limit", "5")

    name = played.record["name"]
    seen = yaml.safe_load((played.root / "stacks" / f"Pulumi.{name}.yaml").read_text())["config"]
    own = yaml.safe_load((played.root / "stacks" / "Pulumi.dev.yaml").read_text())["config"]
    assert name.startswith("prove-dev-")
    assert len(name) <= 20
    different = {key for key in {*seen, *own} if seen.get(key) != own.get(key)}
    assert different == {
        f"slipway:{key}"
        for key in ("domain", "chartVersion", "deletionProtection", "keepData", "gitops", "deliver", "alarms", "tags")
    }
    assert seen["slipway:domain"] == "prove-registry.dev.example.com"
    assert seen["slipway:tags"] == {"slipway-proof": name}
    assert seen["slipway:gitops"] == {**own["slipway:gitops"], "withdrawOnDestroy": True}
    assert (played.root / "stacks" / name / "values" / "team.yaml").exists()


@pytest.mark.parametrize(
    ("broken", "left_out"),
    [
        (("pulumi", "up"), ["aws eks", "slipway status", "slipway verify", "slipway upgrade"]),
        (("aws", "eks"), ["slipway status", "slipway verify", "slipway upgrade"]),
        (("slipway", "status"), ["slipway verify", "slipway upgrade"]),
        (("slipway", "upgrade"), []),
    ],
)
def test_a_step_that_fails_is_reported_with_its_last_words_and_everything_is_torn_down(played, prove, broken, left_out):
    played.answer(*broken, code=3, err="first line\nerror: the account has no such right\n")

    code, out, _ = prove("dev", "--on", "aws", "--limit", "5")

    assert code == 1
    assert not set(left_out) & set(played.verbs)
    assert played.verbs[-2:] == ["slipway teardown", "pulumi stack"]
    report = played.report
    assert report["verdict"] == "failed"
    (failed,) = (step for step in report["steps"] if step["result"] == "failed")
    assert failed["code"] == 3
    assert failed["says"] == "error: the account has no such right"
    assert failed["tail"] == ["first line", "error: the account has no such right"]
    assert report["remains"] == []
    assert "the account has no such right" in out


def test_without_a_cluster_the_teardown_leaves_it_out(played, prove):
    played.answer("pulumi", "up", err="error: no capacity\n")

    prove("dev", "--on", "aws", "--limit", "5")

    teardown = next(one for one in played.asked if one[:2] == ["slipway", "teardown"])
    assert "--skip-cluster" in teardown


def test_a_registry_that_fails_its_checks_is_upgraded_all_the_same_and_the_proof_has_failed(played, prove):
    bad = {"id": "outside.tls", "state": "failed", "says": "expired", "fix": "renew it"}
    counts = {"passed": 39, "failed": 1, "skipped": 0, "undecided": 0}
    played.answer("slipway", "verify", out=json.dumps({"counts": counts, "checks": [bad]}), times=1)

    code, out, _ = prove("dev", "--on", "aws", "--limit", "5")

    assert code == 1
    assert played.verbs == WHOLE
    assert played.report["verdict"] == "failed"
    assert "outside.tls: expired (do: renew it)" in out


def test_a_teardown_that_fails_is_finished_by_pulumi_itself_and_is_no_pass(played, prove):
    played.answer("slipway", "teardown", code=1, err="error: Ingress harbor: still there\n")

    code, _, _ = prove("dev", "--on", "aws", "--limit", "5")

    assert code == 1
    assert played.verbs[-3:] == ["slipway teardown", "pulumi destroy", "pulumi stack"]
    assert played.report["verdict"] == "failed"
    assert played.report["remains"] == []


def test_what_cannot_be_torn_down_is_named_and_ended_by_the_next_run(played, prove):
    played.answer("slipway", "teardown", err="error: no way\n", times=1)
    played.answer("pulumi", "destroy", err="error: no way\n", times=1)

    code, out, _ = prove("dev", "--on", "aws", "--limit", "5")

    assert code == 1
    report = played.report
    assert report["verdict"] == "not finished"
    assert report["remains"][0] == "aws:eks/cluster:Cluster cluster"
    assert report["finish"] == "slipway prove dev --on aws --teardown"
    assert "Left: aws:eks/cluster:Cluster cluster" in out
    assert "End it: slipway prove dev --on aws --teardown" in out

    played.forget()
    code, out, err = prove("dev", "--on", "aws")  # no limit is asked for: nothing more is made

    assert played.verbs == ["slipway teardown", "pulumi stack"], err
    assert "Nothing of it is left." in out
    assert played.state["stacks"] == {}


def test_a_stack_that_could_not_even_be_made_needs_no_end(played, prove):
    played.answer("pulumi", "stack", "init", code=255, err="error: PULUMI_ACCESS_TOKEN must be set\n")

    code, out, _ = prove("dev", "--on", "aws", "--limit", "5")

    assert code == 1
    assert played.verbs == ["pulumi stack"]
    assert "Nothing of it is left." in out


def test_a_stack_file_of_that_name_that_no_proof_made_is_left_alone(played, prove, monkeypatch):
    monkeypatch.setattr("slipway.prove.prove.own_name", lambda *_: "prove-dev")
    theirs = played.root / "stacks" / "Pulumi.prove-dev.yaml"
    theirs.write_text("config: {slipway:domain: theirs.example.com}\n")

    code, _, err = prove("dev", "--on", "aws", "--limit", "5")

    assert code == 1
    assert "is there, and no proof made it" in err
    assert played.asked == []
    assert theirs.read_text() == "config: {slipway:domain: theirs.example.com}\n"


def test_a_run_that_was_killed_goes_on_where_it_was(played, prove):
    prove("dev", "--on", "aws", "--limit", "5")
    record = played.record
    at = next(number for number, step in enumerate(record["steps"]) if step["name"] == "status")
    name = record["name"]

    # As kill -9 leaves it: the step that ran is written down as running, and the stack is there.
    record |= {"status": "playing", "ended": "", "steps": record["steps"][: at + 1]}
    record["steps"][at]["result"] = "running"
    (played.folder / "record.json").write_text(json.dumps(record))
    played.change(lambda state: state["stacks"].update({name: []}))
    (played.root / "stacks" / f"Pulumi.{name}.yaml").write_text(
        f"config: {{slipway:tags: {{slipway-proof: {name}}}}}\n"
    )
    played.forget()

    code, _, err = prove("dev", "--on", "aws")

    assert code == 0, err
    assert f"going on with {name}" in err
    assert played.verbs == WHOLE[3:]
    report = played.report
    assert report["runs"] == 2
    assert "the run was killed in it" in [step["says"] for step in report["steps"]]


def test_left_out_is_said(played, prove):
    code, out, _ = prove("dev", "--on", "aws", "--limit", "5", "--skip", "upgrade,verify")

    assert code == 0
    assert played.verbs == [
        "pulumi stack",
        "pulumi up",
        "aws eks",
        "slipway status",
        "slipway teardown",
        "pulumi stack",
    ]
    assert played.report["leftOut"] == ["upgrade", "verify", "verify again"]
    assert "Not proved: upgrade, verify, verify again" in out


def test_the_secrets_provider_of_the_environment_encrypts_the_copy(played, prove):
    path = played.root / "stacks" / "Pulumi.dev.yaml"
    path.write_text(f"secretsprovider: awskms://alias/harbor-state\n{path.read_text()}")

    prove("dev", "--on", "aws", "--limit", "5")

    init = played.asked[0]
    assert init[init.index("--secrets-provider") + 1] == "awskms://alias/harbor-state"
    assert "--no-select" in init


def test_what_needs_a_person_in_the_middle_is_refused_at_once(played, prove):
    path = played.root / "stacks" / "Pulumi.dev.yaml"
    text = path.read_text().replace("delegateFrom: dev.example.com", "healthCheck: false")
    path.write_text(text.replace("gitops.git\n", "gitops.git\n    mode: pull-request\n"))

    code, _, err = prove("dev", "--on", "aws", "--limit", "5")

    assert code == 1
    assert "is pull-request: a person comes between commit and delivery" in err
    assert "somebody else delegates the domain" in err
    assert played.asked == []


def test_dry_run_prints_what_would_run_and_makes_nothing(played, prove):
    code, out, _ = prove("dev", "--on", "aws", "--dry-run", "--output", "json")

    assert code == 0
    plan = json.loads(out)
    assert [" ".join(one.split()[:2]) for one in plan["commands"]] == WHOLE
    assert plan["cost"]["planned"] == pytest.approx(plan["cost"]["hourly"] * plan["cost"]["hours"], abs=0.01)
    assert played.state["log"] == []
    assert not (played.root / ".slipway").exists()


@pytest.mark.parametrize("on", ["aws", "kind", "rehearsal"])
def test_every_command_of_ours_is_one_that_the_command_line_takes(played, prove, on):
    more = ("--registry", "https://registry.example.com") if on == "rehearsal" else ()
    _, out, _ = prove("dev", "--on", on, "--dry-run", "--output", "json", *more)

    ours = [one.split()[1:] for one in json.loads(out)["commands"] if one.startswith("slipway ")]
    assert len(ours) >= 5
    for words in ours:
        takes(words)


def takes(words: list[str]) -> None:
    """Parse a command line without running it; wrong options raise."""
    if words[0] == "-C":
        words = words[2:]
    command = typer.main.get_command(app)
    while hasattr(command, "commands"):
        name, *words = words
        command = command.commands[name]
    command.make_context("slipway", list(words))
