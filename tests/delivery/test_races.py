"""The branch moves under us: inside the server, from eight publishers, from one that was interrupted or killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra.delivery.publish import publish, withdraw
from tests.delivery.conftest import ROOT
from tests.delivery.repositories import Repository, inputs

#: The first push that gets here waits in the server until the file `go` is there.
WAIT_ONCE = "mkdir first 2>/dev/null && { touch entered; until [ -e go ]; do sleep 0.02; done; touch left; }; exit 0"
#: The first push finds that the branch moved after the server had told its refs: only the server's own
#: compare-and-swap can notice. (A hook may not touch refs while it looks at quarantined objects, hence `env -u`.)
MOVE_ONCE = (
    "mkdir first 2>/dev/null || exit 0\n"
    "other=$(git -c user.name=x -c user.email=x commit-tree -p main -m meanwhile 'main^{tree}')\n"
    "env -u GIT_QUARANTINE_PATH git update-ref refs/heads/main $other"
)


def subjects(repository: Repository) -> list[str]:
    return repository.git("log", "--format=%s", "main").splitlines()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited 30 seconds in vain"
        time.sleep(0.02)


def test_a_branch_that_moves_inside_the_server_is_a_lost_race(repository, remote):
    repository.write("README.md", "ours\n")
    repository.hook("pre-receive", MOVE_ONCE)
    told = []

    publish(remote, inputs(), progress=told.append)

    assert subjects(repository) == ["Deliver Harbor for ha", "meanwhile", "by hand"]
    assert told == [f"{remote.repository} main moved under us; again on its new state"]


def test_withdrawing_goes_on_after_a_lost_race_as_well(repository, remote):
    publish(remote, inputs())
    repository.hook("pre-receive", MOVE_ONCE)

    withdraw(remote, gitops_path="", environment="ha")

    assert subjects(repository) == ["Withdraw Harbor from ha", "meanwhile", "Deliver Harbor for ha"]
    assert repository.files() == []


def test_eight_environments_at_once(repository, remote):
    def as_environment(name: str):
        source = inputs("dev")
        changes = {"environment": name, "host": f"{name}.example.com"}
        return type(source)(source.facts.model_copy(update=changes).to_json())

    names = [f"env{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        published = list(pool.map(lambda name: publish(remote, as_environment(name)), names))

    assert all(one.created for one in published)
    assert sorted(subjects(repository)) == [f"Deliver Harbor for {name}" for name in names]
    assert {path.split("/")[1] for path in repository.files() if path.startswith("clusters/")} == set(names)


def test_eight_publishers_of_one_environment_make_one_commit(repository, remote):
    with ThreadPoolExecutor(8) as pool:
        published = list(pool.map(lambda _: publish(remote, inputs()), range(8)))

    assert sum(one.created for one in published) == 1
    assert {one.commit for one in published} == {repository.head()}


def publishing(repository: Repository, scratch: Path) -> subprocess.Popen:
    """Publish in a process of its own whose temporary files are in `scratch`."""
    scratch.mkdir()
    facts = scratch.parent / "facts.json"
    facts.write_text(inputs().facts_json)
    code = (
        "import sys; from pathlib import Path\n"
        "from infra.delivery.git import Remote; from infra.delivery.inputs import Inputs\n"
        "from infra.delivery.publish import publish\n"
        "publish(Remote(repository=sys.argv[1], branch='main'), Inputs(Path(sys.argv[2]).read_text()))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, repository.path.as_uri(), str(facts)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch)},
        stderr=subprocess.DEVNULL,
    )


def test_an_interrupt_in_the_middle_of_a_push_leaves_nothing(repository, remote, tmp_path):
    repository.hook("pre-receive", WAIT_ONCE)
    with publishing(repository, tmp_path / "scratch") as process:
        until((repository.path / "entered").exists)
        process.send_signal(signal.SIGINT)
    (repository.path / "go").touch()

    assert process.returncode == -signal.SIGINT
    assert list((tmp_path / "scratch").iterdir()) == []
    assert repository.head() == ""
    assert publish(remote, inputs()).created
    # Its push died with it: nobody was left to go on when the hook would have let them.
    assert not (repository.path / "left").exists()


def test_a_push_that_outlives_its_killed_publisher_overwrites_nothing(repository, remote, tmp_path):
    repository.hook("pre-receive", WAIT_ONCE)
    with publishing(repository, tmp_path / "scratch") as process:
        until((repository.path / "entered").exists)
        process.kill()

    published = publish(remote, inputs(overrides={"mine": "core: {replicas: 3}"}))
    (repository.path / "go").touch()
    until((repository.path / "left").exists)
    # The server removes the quarantine of the late push when it has decided on it.
    until(lambda: not list(repository.path.glob("objects/tmp_objdir-incoming-*")))

    assert repository.head() == published.commit
    assert subjects(repository) == ["Deliver Harbor for ha"]
