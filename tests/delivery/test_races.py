"""The branch moves under us: between fetch and push, inside the server, from eight publishers, from one that was killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import stamina

from infra.delivery.inputs import Inputs
from infra.delivery.publish import ATTEMPTS, publish, withdraw
from infra.errors import HumanEdit, PushRaceLost
from tests.delivery.conftest import ROOT, Bare, facts_of, inputs_of

PORTAL = "apps/harbor/dev/release/values/portal.yaml"
#: Enters once: the first push waits in the server until the file `go` is there.
WAITS_ONCE = 'mkdir first 2>/dev/null && { touch entered; until [ -e go ]; do sleep 0.02; done; touch left; }; exit 0'  # fmt: skip


@dataclass(frozen=True)
class Racing(Inputs):
    """Inputs whose rendering, which comes after the fetch, lets somebody else push first."""

    somebody: Callable[[int], object] = lambda _: None
    renderings: list[int] = field(default_factory=list)

    def files(self) -> dict[str, str]:
        self.renderings.append(1)
        self.somebody(len(self.renderings))
        return super().files()


def racing(somebody: Callable[[int], object]) -> Racing:
    return Racing(facts_of().to_json(), somebody=somebody)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited 30 seconds in vain"
        time.sleep(0.02)


def test_after_a_lost_race_it_renders_again_and_commits_on_the_new_base(bare):
    publish(bare.remote, inputs_of(host="old.example.org"))
    said = []
    inputs = racing(lambda turn: turn == 1 and bare.by_hand({"README.md": "meanwhile\n"}))

    published = publish(bare.remote, inputs, progress=said.append)

    assert len(inputs.renderings) == 2
    assert bare.head == published.commit
    assert bare.git("log", "--format=%s", "main").splitlines() == [
        "Deliver Harbor for dev",
        "by hand",
        "Deliver Harbor for dev",
    ]
    assert bare.text("README.md") == "meanwhile\n"
    assert said == [f"{bare.remote.repository} main moved under us; again on its new state"]


def test_two_root_commits_at_once_give_one_history(bare):
    inputs = racing(lambda turn: turn == 1 and bare.by_hand({"README.md": "first\n"}))

    publish(bare.remote, inputs)

    assert bare.git("rev-list", "--count", "--max-parents=0", "main") == "1"
    assert bare.text("README.md") == "first\n"


def test_an_edit_that_comes_in_between_is_found_on_the_new_base(bare):
    publish(bare.remote, inputs_of(host="old.example.org"))
    inputs = racing(lambda turn: turn == 1 and bare.by_hand({PORTAL: "edited: meanwhile\n"}))

    with pytest.raises(HumanEdit, match="edited: meanwhile"):
        publish(bare.remote, inputs)


def test_somebody_who_made_the_same_commit_first_leaves_nothing_to_do(bare):
    inputs = racing(lambda turn: turn == 1 and publish(bare.remote, inputs_of()))

    published = publish(bare.remote, inputs)

    assert not published.created
    assert bare.commits == 1


def test_a_branch_that_never_rests_ends_after_bounded_attempts(bare):
    inputs = racing(lambda turn: bare.by_hand({"README.md": f"{turn}\n"}))

    with stamina.set_testing(True, attempts=ATTEMPTS), pytest.raises(PushRaceLost) as raised:
        publish(bare.remote, inputs)

    assert len(inputs.renderings) == ATTEMPTS
    assert f"others pushed first, {ATTEMPTS} times in a row" in str(raised.value)
    assert raised.value.exit_code == 3
    assert "Deliver" not in bare.git("log", "--format=%s", "main")


def test_withdrawing_wins_the_race_as_well(bare):
    publish(bare.remote, inputs_of())
    bare.hook(
        "pre-receive",
        "mkdir first 2>/dev/null || exit 0\n"
        "other=$(git commit-tree -p main -m meanwhile main^{tree})\n"
        "env -u GIT_QUARANTINE_PATH git update-ref refs/heads/main $other",
    )

    withdraw(bare.remote, gitops_path="", environment="dev")

    assert bare.git("log", "--format=%s", "main").splitlines()[:2] == ["Withdraw Harbor from dev", "meanwhile"]


def test_a_branch_that_moves_inside_the_server_is_a_lost_race_too(bare):
    bare.by_hand({"README.md": "ours\n"})
    moved = bare.git("commit-tree", "-p", "main", "-m", "meanwhile", "main^{tree}")
    # The server has told us its refs already; this is what only its own compare-and-swap can notice.
    bare.hook(
        "pre-receive",
        f"mkdir first 2>/dev/null || exit 0\nenv -u GIT_QUARANTINE_PATH git update-ref refs/heads/main {moved}",
    )

    publish(bare.remote, inputs_of())

    assert bare.git("log", "--format=%s", "main").splitlines() == ["Deliver Harbor for dev", "meanwhile", "by hand"]


def test_eight_environments_at_once(bare):
    names = [f"env{number}" for number in range(8)]

    with ThreadPoolExecutor(8) as pool:
        published = list(pool.map(lambda name: publish(bare.remote, inputs_of(name)), names))

    assert all(one.created for one in published)
    assert bare.commits == 8
    assert {path.split("/")[1] for path in bare.files if path.startswith("clusters/")} == set(names)
    bare.git("fsck", "--strict")


def test_eight_publishers_of_the_same_environment_make_one_commit(bare):
    with ThreadPoolExecutor(8) as pool:
        published = list(pool.map(lambda _: publish(bare.remote, inputs_of()), range(8)))

    assert sum(one.created for one in published) == 1
    assert {one.commit for one in published} == {bare.head}
    assert bare.commits == 1


def publishing(bare: Bare, scratch: Path) -> subprocess.Popen:
    """Publish in a process of its own whose temporary files are in `scratch`."""
    scratch.mkdir()
    (scratch / "facts.json").write_text(facts_of().to_json())
    code = (
        "import sys; from pathlib import Path\n"
        "from infra.delivery.git import Remote; from infra.delivery.inputs import Inputs\n"
        "from infra.delivery.publish import publish\n"
        "publish(Remote(repository=sys.argv[1], branch='main'), Inputs(Path(sys.argv[2]).read_text()))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, bare.path.as_uri(), str(scratch / "facts.json")],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch)},
        stderr=subprocess.DEVNULL,
    )


def test_an_interrupt_in_the_middle_of_a_push_leaves_nothing(bare, tmp_path):
    bare.hook("pre-receive", WAITS_ONCE)
    with publishing(bare, tmp_path / "scratch") as process:
        until((bare.path / "entered").exists)
        process.send_signal(signal.SIGINT)
    assert process.returncode == -signal.SIGINT

    assert [path.name for path in (tmp_path / "scratch").iterdir()] == ["facts.json"]
    assert bare.head == ""
    assert publish(bare.remote, inputs_of()).created
    # Its push died with it: nobody is left who could go on once the hook would let them.
    (bare.path / "go").touch()
    assert not (bare.path / "left").exists()


def test_a_push_that_outlives_its_killed_publisher_overwrites_nothing(bare, tmp_path):
    bare.hook("pre-receive", WAITS_ONCE)
    with publishing(bare, tmp_path / "scratch") as process:
        until((bare.path / "entered").exists)
        process.kill()

    published = publish(bare.remote, inputs_of(host="newer.example.org"))
    (bare.path / "go").touch()
    until((bare.path / "left").exists)
    until(lambda: not list(bare.path.glob("objects/tmp_objdir-incoming-*")))

    assert bare.head == published.commit
    assert bare.commits == 1
    assert not publish(bare.remote, inputs_of(host="newer.example.org")).created
