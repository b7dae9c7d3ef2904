"""An environment's files as the branch holds them, read in one go from real repositories."""

import pytest

from infra.delivery.git import Git, Remote
from infra.delivery.git import repository as repository_of
from infra.delivery.inputs import Inputs
from infra.delivery.present import present
from infra.delivery.publish import publish
from infra.errors import RemoteUnavailable
from tests.delivery.repositories import TOKEN
from tests.values.conftest import facts_of

HOME = "apps/harbor/ha"
INPUTS = Inputs(facts_of("ha").to_json(), {"umlaute": "caSecretName: größe\n"})


def there(remote: Remote, **options):
    return present(remote, gitops_path="", environment="ha", **options)


def test_nothing_before_the_first_publish(remote):
    found = there(remote)

    assert (found.commit, found.lock, found.texts, found.edited) == ("", None, {}, ())


def test_every_file_with_its_text(remote, repository):
    publish(remote, INPUTS)

    found = there(remote)

    assert found.texts == INPUTS.files()
    assert found.commit == repository.head()
    assert found.lock
    assert found.lock.chart == "1.19.1"
    assert found.edited == ()


def test_over_http_texts_come_in_one_connection(repository, http_remote, monkeypatch):
    remote = Remote(repository=http_remote, branch="main", token=TOKEN)
    publish(remote, INPUTS)
    commands = []
    attempt = Git.attempt

    def counted(git, *arguments, **options):
        commands.append(arguments[0] if arguments[0] != "-c" else arguments[2])
        return attempt(git, *arguments, **options)

    monkeypatch.setattr(Git, "attempt", counted)

    assert there(remote).texts == INPUTS.files()
    assert commands.count("fetch") == 2
    assert commands.count("cat-file") == 2  # the lock, then everything


def test_the_texts_are_all_there_after_one_fetch(repository, http_remote):
    """Without the remote, whatever the one fetch left out would be missed."""
    remote = Remote(repository=http_remote, branch="main", token=TOKEN)
    publish(remote, INPUTS)
    with repository_of(remote) as git:
        base = git.fetch()
        blobs = sorted(set(git.blobs(base, list(INPUTS.files())).values()))
        assert missing(git, blobs) == len(blobs)
        git.read_blobs(blobs)

        assert missing(git, blobs) == 0


def missing(git: Git, blobs: list[str]) -> int:
    """Count blobs that are not in the scratch repository: its remote is away for the time of asking."""
    git.run("remote", "set-url", "origin", "/nowhere")
    listed = [git.attempt("cat-file", "-e", blob).code for blob in blobs]
    git.run("remote", "set-url", "origin", git.remote.repository)
    return sum(map(bool, listed))


def test_an_edited_and_a_removed_file_are_told(remote, repository):
    publish(remote, INPUTS)
    repository.write(f"{HOME}/release/values/core.yaml", "edited: true\n")
    repository.write(f"{HOME}/release/values/trivy.yaml", None)

    found = there(remote)

    assert set(found.edited) == {f"{HOME}/release/values/core.yaml", f"{HOME}/release/values/trivy.yaml"}
    assert found.texts[f"{HOME}/release/values/core.yaml"] == "edited: true\n"
    assert f"{HOME}/release/values/trivy.yaml" not in found.texts


def test_a_file_that_is_no_text_does_not_shift_the_others(remote, repository):
    publish(remote, INPUTS)
    work = repository.path.parent / "binary"
    work.write_bytes(b"\xff\xfe\x00 binary \xff")
    blob = repository.git("hash-object", "-w", str(work))
    listed = repository.git("ls-tree", "-r", "main")
    other = next(line.split()[2] for line in listed.splitlines() if line.endswith("values/core.yaml"))

    with repository_of(remote) as git:
        git.fetch()
        texts = git.read_blobs([blob, other])

    assert texts[other] == INPUTS.files()[f"{HOME}/release/values/core.yaml"]
    assert "binary" in texts[blob]


def test_more_paths_are_read_where_they_exist(remote, repository):
    repository.write("apps/harbor/ha/release/release.yaml", "theirs: true\n")

    found = there(remote, also=lambda _lock: ["apps/harbor/ha/release/release.yaml", "nowhere"])

    assert found.texts == {"apps/harbor/ha/release/release.yaml": "theirs: true\n"}
    assert found.edited == ()


def test_a_remote_that_is_not_there(tmp_path):
    with pytest.raises(RemoteUnavailable):
        there(Remote(repository=(tmp_path / "nowhere").as_uri(), branch="main"))
