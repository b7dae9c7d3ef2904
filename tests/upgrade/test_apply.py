"""An upgrade that is done: stack file and commit, a run that stopped, and the way back. No cluster takes part here."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.delivery.order import Published
from infra.delivery.status.chain import Chain, Link
from infra.errors import UpgradeError
from slipway.cli import run
from slipway.steps import run_steps
from slipway.upgrade import procedure
from tests.delivery.repositories import IDENTITY

ROOT = Path(__file__).parents[2]
APPLY = ("upgrade", "ha", "--to", "1.19.1", "--apply", "--yes", "--no-cluster")


def applied(capsys, *arguments: str) -> str:
    code = run([*APPLY, *arguments])
    err = capsys.readouterr().err
    assert code == 0, err
    return err


def test_the_stack_file_and_the_branch_have_the_new_version(project, capsys):
    said = applied(capsys)

    assert project.says("1.19.1")
    assert project.delivered_chart() == "1.19.1"
    assert "chartVersion 1.18.3 → 1.19.1" in said
    assert "follow it: slipway status ha --wait" in said
    assert 'version: "1.19.1"' in project.repository.read("apps/harbor/ha/release/release.yaml")


def test_nothing_but_the_chart_version_is_in_the_facts(project, capsys):
    before = project.repository.read("apps/harbor/ha/facts.json")

    applied(capsys)

    assert project.repository.read("apps/harbor/ha/facts.json") == before.replace("1.18.3", "1.19.1")


def test_a_second_run_has_nothing_to_do(project, capsys):
    applied(capsys)
    head = project.repository.head()

    assert run([*APPLY]) == 0

    out, err = capsys.readouterr()
    assert "the branch delivers chart 1.19.1 (Harbor 2.15.1) already" in out
    assert "says 1.19.1 already" in err
    assert project.repository.head() == head


def test_without_a_terminal_and_without_yes_nothing_is_done(project, capsys):
    head = project.repository.head()

    assert run(["upgrade", "ha", "--to", "1.19.1", "--apply", "--no-cluster"]) == 1

    assert "was not confirmed; nothing is changed" in capsys.readouterr().err
    assert project.repository.head() == head
    assert project.says("1.18.3")


def test_a_branch_that_cannot_be_read_stops_it_before_the_stack_file(project, capsys):
    project.repository.path.rename(project.root / "away.git")

    assert run([*APPLY]) == 1

    assert "--apply: the branch could not be read" in capsys.readouterr().err
    assert project.says("1.18.3")


def test_a_refused_push_leaves_a_run_that_goes_on(project, capsys):
    project.repository.hook("pre-receive", "echo 'frozen until Monday' >&2; exit 1")
    assert run([*APPLY]) == 1
    assert "frozen until Monday" in capsys.readouterr().err
    assert project.says("1.19.1")
    assert project.delivered_chart() == "1.18.3"

    project.repository.hook("pre-receive", "exit 0")
    applied(capsys)

    assert project.delivered_chart() == "1.19.1"
    assert project.says("1.19.1")


def test_a_stack_file_that_stayed_behind_is_brought_along(project, capsys):
    """Somebody else's clone published; in this one the file still has the old version."""
    project.publish("1.19.1")
    head = project.repository.head()
    capsys.readouterr()

    applied(capsys)

    assert project.says("1.19.1")
    assert project.repository.head() == head


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_killed_in_its_push_goes_on(project, capsys, number):
    project.repository.hook("pre-receive", "touch ../pushing; sleep 2; exit 1")
    program = "import sys; from slipway.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, *APPLY],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (project.root / "pushing").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)

    assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 1)
    assert "Traceback" not in said
    if number != signal.SIGKILL:
        assert "slipway upgrade ha --to 1.19.1 --apply goes on from here" in said
    assert project.delivered_chart() == "1.18.3"
    project.repository.hook("pre-receive", "exit 0")

    applied(capsys)

    assert project.delivered_chart() == "1.19.1"
    assert project.says("1.19.1")


def test_the_way_back_is_a_revert_that_the_publisher_takes(project, capsys):
    """docs/upgrading-harbor.md: with the commit its lock is reverted, and so the older chart is no downgrade."""
    applied(capsys)
    assert run(["publish", "ha", "--facts", str(project.facts("1.18.3"))]) == 1
    assert "this would go back to 1.18.3" in capsys.readouterr().err
    clone = project.root / "clone"
    subprocess.run(["git", "clone", "-q", str(project.repository.path), str(clone)], check=True)
    env = {**os.environ, **IDENTITY}
    for arguments in (["revert", "--no-edit", "HEAD"], ["push", "-q", "origin", "main"]):
        subprocess.run(["git", "-C", str(clone), *arguments], check=True, env=env, capture_output=True)

    assert run(["publish", "ha", "--facts", str(project.facts("1.18.3"))]) == 0

    assert "nothing to change" in capsys.readouterr().out
    assert project.delivered_chart() == "1.18.3"


class Watcher:
    """Shows nothing."""

    def begin(self, name: str) -> None: ...
    def tell(self, text: str) -> None: ...
    def note(self, text: str) -> None: ...
    def end(self, name: str, seconds: float) -> None: ...


def chain(commit: str, state: str = "done", says: str = "") -> Chain:
    return Chain(commit=commit, links=[Link(name="HelmRelease harbor/harbor", state=state, says=says, next="look")])


def plan_of(project, to: str = "1.19.1"):
    from infra.delivery.git import Remote
    from infra.stack_config import from_stack_file
    from slipway.upgrade.plan import Target, make_plan

    settings = from_stack_file(project.stack_file)
    remote = Remote.of(settings.gitops, None, project.root)
    return make_plan(Target(root=project.root, settings=settings, to=to), remote, progress=lambda _: None)


def steps(project, look: Chain, end: Chain):
    return procedure.upgrade_steps(
        plan_of(project), project.root, look=lambda: look, follow=lambda: end, note=lambda _: None
    )


@pytest.mark.parametrize("state", ["moving", "failed"])
def test_what_is_not_delivered_now_is_not_upgraded(project, state):
    look = chain(project.repository.head(), state, "its pods are not ready")

    with pytest.raises(UpgradeError, match="is not what the cluster has: HelmRelease harbor/harbor: its pods"):
        run_steps(steps(project, look, look), Watcher())

    assert project.says("1.18.3")
    assert project.delivered_chart() == "1.18.3"


def test_a_branch_that_moved_since_the_plan_is_planned_again(project):
    look = chain("f" * 40)

    with pytest.raises(UpgradeError, match="is no longer the branch's last, which is ffffffffffff: plan again"):
        run_steps(steps(project, look, look), Watcher())

    assert project.says("1.18.3")


def test_a_delivery_that_fails_is_told_and_stays(project):
    look, end = chain(project.repository.head()), chain("e" * 40, "failed", "timed out waiting")

    with pytest.raises(UpgradeError, match="HelmRelease harbor/harbor: failed: timed out waiting") as failed:
        run_steps(steps(project, look, end), Watcher())

    assert "nothing is rolled back" in str(failed.value)
    assert project.delivered_chart() == "1.19.1"


def test_a_run_whose_commit_is_made_only_follows_it(project, capsys):
    applied(capsys)
    head = project.repository.head()
    moving = chain(head, "moving")

    done = run_steps(steps(project, moving, chain(head)), Watcher())

    assert [one.step for one in done] == ["stack file", "publish", "deliver"]
    assert project.repository.head() == head


def test_files_only_are_written_and_wait_for_a_commit(project, capsys):
    """Mode files: what is delivered stands in the folder, and nobody waits for what somebody else commits."""
    text = project.stack_file.read_text()
    project.stack_file.write_text(f"{text}    mode: files\n    folder: clone\n")
    (project.root / "clone").mkdir()
    project.publish("1.18.3")
    capsys.readouterr()
    plan, head = plan_of(project), project.repository.head()
    assert (plan.before, plan.commit) == ("1.18.3", "")

    done = run_steps(
        procedure.upgrade_steps(plan, project.root, look=lambda: chain(head), follow=never, note=lambda _: None),
        Watcher(),
    )

    assert [one.step for one in done] == ["look", "stack file", "publish", "deliver"]
    assert "wait for somebody's commit" in done[2].says
    release = project.root / "clone" / "apps" / "harbor" / "ha" / "release" / "release.yaml"
    assert 'version: "1.19.1"' in release.read_text()


def test_a_pull_request_is_not_waited_for(project, monkeypatch):
    """GitHub is played by tests/delivery; here it is what it answers."""
    waiting = Published(commit="c" * 40, changed=("a",), created=True, pull_request="https://github.test/pull/7")
    monkeypatch.setattr(procedure, "publish_environment", lambda *_, **__: waiting)
    look = chain(project.repository.head())

    done = run_steps(
        procedure.upgrade_steps(plan_of(project), project.root, look=lambda: look, follow=never, note=lambda _: None),
        Watcher(),
    )

    assert done[2].says == "waits for somebody to merge it: https://github.test/pull/7"
    assert done[3].says == "afterwards: slipway status ha --wait"


def never() -> Chain:
    raise AssertionError("it was followed")
