"""Somebody's end is reached, theirs or ours: each is one clear message, and the remote is as it was."""

import os
import resource
import signal
import subprocess
import sys

import pytest

from infra.delivery.failures import refuse_limit, way_on
from infra.delivery.git import Remote
from infra.delivery.publish import publish, publish_all
from infra.errors import PublishError, PushRefused
from tests.delivery.conftest import ROOT
from tests.delivery.repositories import TOKEN, fleet, inputs
from tests.delivery.test_races import WAIT_ONCE, until

CODE = """
import resource, signal, sys
from infra.delivery.git import Remote
from infra.delivery.publish import publish_all
from infra.errors import SlipwayError
from tests.delivery.repositories import fleet

if sys.argv[2] != "-":
    # git starts with the signal's default, as it does from a shell; Python itself would have ignored it.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    publish_all(Remote(repository=sys.argv[1], branch="main"), fleet(int(sys.argv[3])))
except SlipwayError as error:
    sys.exit(str(error))
"""


def publishing(repository, scratch, *, limit: str = "-", count: int = 3) -> subprocess.Popen:
    """Publish a fleet in a process of its own."""
    scratch.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", CODE, repository.path.as_uri(), limit, str(count)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch), "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(params=["file", "http"])
def large_remote(request, repository, http_remote) -> Remote:
    url = repository.path.as_uri() if request.param == "file" else http_remote
    return Remote(repository=url, branch="main", token=TOKEN)


def test_a_server_that_takes_no_more_than_a_few_bytes(repository, large_remote):
    repository.git("config", "receive.maxInputSize", "2000")

    with pytest.raises(PushRefused) as caught:
        publish_all(large_remote, fleet(5))

    assert "larger than the host takes: publish fewer environments at once" in str(caught.value)
    assert "exceeds maximum allowed size" in str(caught.value)
    assert repository.head() == ""
    repository.git("config", "--unset", "receive.maxInputSize")
    assert publish_all(large_remote, fleet(5)).created


def test_a_hook_that_takes_no_large_files(repository, remote):
    repository.hook(
        "pre-receive", "echo 'remote: error: GH001: Large files detected. This exceeds the file size limit'; exit 1"
    )

    with pytest.raises(PushRefused, match="larger than the host takes"):
        publish(remote, inputs())
    assert repository.head() == ""


def test_a_server_without_space_is_told_as_the_servers(repository, remote):
    repository.hook("pre-receive", "echo 'fatal: write error: No space left on device' >&2; exit 1")

    with pytest.raises(PushRefused) as caught:
        publish(remote, inputs())
    assert "No space left on device" in str(caught.value)


def test_our_own_limit_on_the_size_of_files(repository, tmp_path):
    with publishing(repository, tmp_path / "scratch", limit="20000", count=20) as process:
        said = process.stderr.read()

    assert process.returncode == 1, said
    assert "git may not write files as large as this commit needs; nothing was pushed" in said
    assert "ulimit -f unlimited" in said
    assert "Traceback" not in said
    assert list((tmp_path / "scratch").iterdir()) == []
    assert repository.head() == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small file system")
def test_no_space_on_our_side(repository, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(scratch)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small file system: {mounted.stderr.strip()}")
    try:
        with publishing(repository, scratch, count=60) as process:
            said = process.stderr.read()
        assert process.returncode == 1, said
        assert "no space left for git's scratch repository; nothing was pushed" in said
        assert "TMPDIR" in said
        assert list(scratch.iterdir()) == []
    finally:
        subprocess.run(["umount", str(scratch)], check=True)
    assert repository.head() == ""


@pytest.mark.parametrize(
    "words", ["fatal: write error: No space left on device", "Out of diskspace", "error: Disk quota exceeded"]
)
def test_the_words_of_a_full_disk(words):
    with pytest.raises(PublishError, match="no space left"):
        refuse_limit(128, words, "/scratch")
    refuse_limit(1, f"remote: {words}", "/scratch")  # theirs, not ours


def test_a_publisher_that_is_killed_in_the_middle_of_a_push_leaves_all_or_nothing(repository, remote, tmp_path):
    publish(remote, fleet(1)[0])
    before = repository.head()
    repository.hook("pre-receive", WAIT_ONCE)
    with publishing(repository, tmp_path / "scratch") as process:
        until((repository.path / "entered").exists)
        process.send_signal(signal.SIGKILL)
    assert repository.head() == before

    (repository.path / "go").touch()
    until((repository.path / "left").exists)
    until(lambda: not list(repository.path.glob("objects/tmp_objdir-incoming-*")))
    # Its push was already with the server, which may end it: then as a whole.
    assert repository.git("rev-list", "--count", f"{before}..main") in {"0", "1"}
    repository.git("fsck", "--strict", "--full")
    publish_all(remote, fleet(3))
    assert len([path for path in repository.files() if path.startswith("clusters/")]) == 3


def test_a_dead_remote_is_one_error_for_a_fleet(repository, tmp_path):
    repository.path.rename(tmp_path / "elsewhere.git")

    with publishing(repository, tmp_path / "scratch") as process:
        said = process.stderr.read()

    assert process.returncode == 1
    assert "there is no such repository" in said
    assert said.count("\n    check gitops.repository") == 1


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        ("remote: error: GH006: Protected branch update failed for refs/heads/main.", "pull-request"),
        ("remote: GitLab: You are not allowed to push code to protected branches on this project.", "pull-request"),
        ("remote: error: GH013: Repository rule violations found for refs/heads/main.", "pull-request"),
        ("TF402455: Pushes to this branch are not permitted; you must use a pull request", "pull-request"),
        ("remote: Permission to push to branch main is denied", "pull-request"),
        ("remote: error: Commits must have verified signatures.", "signingKey"),
        ("remote: error: GH001: Large files detected.", "larger than the host takes"),
        ("error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413", "larger than the host takes"),
        ("remote: fatal: pack exceeds maximum allowed size (2.00 GiB)", "larger than the host takes"),
    ],
)
def test_what_a_refusal_suggests(words, fix):
    assert fix in way_on(words)


def test_the_limit_of_this_process_is_none():
    """The test of our own limit would prove nothing under another one."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
