"""The publisher against real repositories: what it writes, what it leaves alone, and what it refuses."""

import json
import shutil

import pytest

from infra.delivery import publish as publisher
from infra.delivery.git import Remote
from infra.delivery.inputs import Inputs, read_inside, read_overrides
from infra.delivery.publish import present_files, publish, withdraw
from infra.errors import (
    ChartDowngrade,
    HumanEdit,
    PublishError,
    SettingsError,
)
from tests.delivery.repositories import inputs
from tests.values.conftest import facts_of

CORE = "apps/harbor/ha/release/values/core.yaml"
LOCK = "apps/harbor/ha/.slipway.lock.json"


def test_an_empty_repository_gets_a_root_commit_with_everything(repository, remote):
    published = publish(remote, inputs())

    assert published.created
    assert published.commit == repository.head()
    assert repository.git("rev-list", "--count", "main") == "1"
    assert set(repository.files()) == {*inputs().files(), LOCK}
    assert repository.read(CORE) == inputs().files()[CORE]


def test_the_second_publish_makes_no_commit(repository, remote):
    first = publish(remote, inputs())

    second = publish(remote, inputs())

    assert (second.created, second.changed, second.commit) == (False, (), first.commit)
    assert repository.head() == first.commit


def test_a_change_writes_only_what_changed(repository, remote):
    publish(remote, inputs())

    published = publish(remote, inputs(sizes={"databaseClass": "db.m7g.xlarge"}))

    assert published.changed == ("apps/harbor/ha/facts.json", "apps/harbor/ha/release/values/common.yaml")
    assert set(repository.git("show", "--name-only", "--format=", "main").split()) == {*published.changed, LOCK}


def test_a_dry_run_says_what_would_change_and_pushes_nothing(repository, remote):
    published = publish(remote, inputs(), dry_run=True)

    assert (published.created, len(published.changed)) == (False, len(inputs().files()))
    assert repository.head() == ""


def test_what_is_rendered_no_longer_is_removed_and_other_peoples_files_stay(repository, remote):
    publish(remote, inputs(overrides={"mine": "portal: {replicas: 3}"}))
    repository.write("apps/harbor/ha/release/values/notes.txt", "ours\n")
    repository.write("README.md", "hello\n")

    published = publish(remote, inputs())

    assert "apps/harbor/ha/release/values/override-mine.yaml" in published.changed
    assert "apps/harbor/ha/release/values/override-mine.yaml" not in repository.files()
    assert {"README.md", "apps/harbor/ha/release/values/notes.txt"} <= set(repository.files())


def test_a_second_environment_in_the_same_repository_and_folder(repository, remote):
    publish(remote, inputs("ha", gitops={"repository": "https://x.example.com/y.git", "path": "registries"}))
    publish(remote, inputs("dev", gitops={"repository": "https://x.example.com/y.git", "path": "registries"}))

    assert {path.split("/")[3] for path in repository.files() if path.startswith("registries/apps")} == {"ha", "dev"}
    assert not publish(
        remote, inputs("ha", gitops={"repository": "https://x.example.com/y.git", "path": "registries"})
    ).created


def test_the_commit_says_what_it_is(repository, remote):
    publish(remote, inputs())
    message = repository.git("log", "-1", "--format=%B")
    lock = json.loads(repository.read(LOCK))

    assert message.splitlines()[0] == "Deliver Harbor for ha"
    assert f"write {CORE}" in message
    assert f"Slipway-Input-Digest: {lock['inputs']}" in message
    assert "Slipway-Environment: ha" in message
    assert "Slipway-Version: 0.1.0" in message
    assert lock["chart"] == "1.19.1"


def test_a_hand_edited_file_stops_it_with_a_diff_and_nothing_is_pushed(repository, remote):
    publish(remote, inputs())
    repository.write(CORE, repository.read(CORE).replace("replicas: 2", "replicas: 9"))
    before = repository.head()

    with pytest.raises(HumanEdit) as caught:
        publish(remote, inputs())

    message = str(caught.value)
    assert f"{CORE}: is a generated file, and was edited by hand" in message
    assert "-  replicas: 9\n+  replicas: 2\n" in message
    assert "stacks/ha/values/" in message
    assert repository.head() == before


def test_a_generated_file_removed_by_hand_stops_it_as_well(repository, remote):
    publish(remote, inputs())
    repository.write(CORE, None)

    with pytest.raises(HumanEdit, match="removed by hand"):
        publish(remote, inputs())


def test_a_file_that_was_there_before_us_is_not_overwritten(repository, remote):
    repository.write("clusters/ha/harbor.yaml", "kind: TheirOwn\n")

    with pytest.raises(HumanEdit, match=r"clusters/ha/harbor\.yaml"):
        publish(remote, inputs())


def test_taking_over_overwrites_the_edit(repository, remote):
    publish(remote, inputs())
    repository.write(CORE, "edited: true\n")

    assert publish(remote, inputs(), take_over=True).changed == (CORE,)
    assert repository.read(CORE) == inputs().files()[CORE]


def test_an_edit_that_is_what_we_would_write_anyway_is_fine(repository, remote):
    publish(remote, inputs())
    wanted = inputs(overrides={"mine": "portal: {replicas: 3}"})
    path = "apps/harbor/ha/release/kustomization.yaml"
    repository.write(path, wanted.files()[path])

    assert path not in publish(remote, wanted).changed


def test_a_lock_that_cannot_be_read_stops_it(repository, remote):
    publish(remote, inputs())
    repository.write(LOCK, "{broken")

    with pytest.raises(HumanEdit, match="is not the lock that Slipway wrote"):
        publish(remote, inputs())


def test_a_newer_slipways_lock_stops_it(repository, remote):
    publish(remote, inputs())
    repository.write(LOCK, repository.read(LOCK).replace('"version": 1', '"version": 2'))

    with pytest.raises(HumanEdit, match="or a newer one"):
        publish(remote, inputs())


def test_an_older_chart_is_refused(remote):
    publish(remote, inputs(chartVersion="1.19.2"))

    with pytest.raises(ChartDowngrade, match=r"delivers chart 1\.19\.2, this would go back to 1\.19\.1"):
        publish(remote, inputs(chartVersion="1.19.1"))


def test_example_facts_are_refused_before_anything_is_asked():
    example = facts_of("ha").model_copy(update={"example": True})

    with pytest.raises(PublishError, match="these are example facts"):
        publish(Remote(repository="file:///nowhere", branch="main"), Inputs(example.to_json()))


def test_withdrawing_removes_our_files_and_nothing_else(repository, remote):
    repository.write("README.md", "hello\n")
    publish(remote, inputs("ha"))
    publish(remote, inputs("dev"))

    commit = withdraw(remote, gitops_path="", environment="ha")

    assert commit == repository.head()
    assert not [path for path in repository.files() if "/ha/" in path]
    assert {"README.md", "clusters/dev/harbor.yaml"} <= set(repository.files())
    assert withdraw(remote, gitops_path="", environment="ha") is None


def test_withdrawing_keeps_what_was_edited(repository, remote):
    publish(remote, inputs())
    repository.write(CORE, "edited: true\n")

    with pytest.raises(HumanEdit):
        withdraw(remote, gitops_path="", environment="ha")


def test_what_is_present_shows_edits_and_gaps(repository, remote):
    publish(remote, inputs())
    before = present_files(remote, gitops_path="", environment="ha")
    repository.write(CORE, None)

    after = present_files(remote, gitops_path="", environment="ha")

    assert set(before) - set(after) == {CORE}
    assert set(before) == set(inputs().files())


def test_only_the_lock_is_fetched_when_nothing_changed(repository, remote, monkeypatch):
    publish(remote, inputs())
    for number in range(50):
        repository.write(f"many/{number}.txt", f"{number}\n")
    counted = []
    leave = publisher.repository

    def counting(target):
        context = leave(target)

        class Counting:
            def __enter__(self):
                self.git = context.__enter__()
                return self.git

            def __exit__(self, *error):
                counted.append(
                    self.git.run("cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").split().count("blob")
                )
                return context.__exit__(*error)

        return Counting()

    monkeypatch.setattr(publisher, "repository", counting)
    publish(remote, inputs())

    assert counted == [1]


def test_nothing_is_left_behind(remote, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    publish(remote, inputs())
    with pytest.raises(PublishError):
        publish(Remote(repository="file:///nowhere", branch="main"), inputs())

    assert list(scratch.iterdir()) == []


def test_overrides_are_read_in_the_order_of_their_names(tmp_path):
    folder = tmp_path / "stacks" / "prod" / "values"
    folder.mkdir(parents=True)
    (folder / "b.yaml").write_text("core: {}\n")
    (folder / "a.yaml").write_text("portal: {}\n")
    (folder / "notes.txt").write_text("not a value")

    assert list(read_overrides(tmp_path, "prod")) == ["a", "b"]
    (folder / "c.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"c\.yaml: is not UTF-8 text"):
        read_overrides(tmp_path, "prod")


def test_what_lives_inside_harbor_is_one_file_or_the_files_of_a_folder(tmp_path):
    home = tmp_path / "stacks" / "prod"
    (home / "harbor" / "teams").mkdir(parents=True)
    assert read_inside(tmp_path, "stage") == {}
    (home / "harbor.yaml").write_text("labels: []\n")
    (home / "harbor" / "a.yaml").write_text("users: []\n")
    (home / "harbor" / "teams" / "b.yml").write_text("robots: []\n")
    (home / "harbor" / "notes.txt").write_text("no file of ours")

    # As the command looks for it: the folder first.
    assert read_inside(tmp_path, "prod") == {"a.yaml": "users: []\n", "teams--b.yml": "robots: []\n"}
    shutil.rmtree(home / "harbor")
    assert read_inside(tmp_path, "prod") == {"harbor.yaml": "labels: []\n"}
    (home / "harbor.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"harbor\.yaml: is not UTF-8 text"):
        read_inside(tmp_path, "prod")


def test_what_lives_inside_harbor_counts_only_where_a_job_reads_it():
    without, layer3 = inputs(), {"enabled": True, "image": "registry.example.com/slipway:1"}
    one, other = ({"harbor.yaml": f"policy: {{ledger: {{type: configmap, name: {name}}}}}\n"} for name in ("a", "b"))
    with_job = inputs(harbor={"layer3": layer3})

    assert Inputs(without.facts_json, {}, one).digest() == without.digest()
    assert Inputs(with_job.facts_json, {}, one).digest() != Inputs(with_job.facts_json, {}, other).digest()
