"""Files only: the same files below a folder, owned by the same lock, and nothing half-written."""

import pytest

from infra.delivery.git import Remote
from infra.delivery.inputs import Inputs
from infra.delivery.publish import present_files, publish, publish_all, withdraw
from infra.errors import ChartDowngrade, HumanEdit, PublishError, WouldUninstall
from tests.delivery.repositories import fleet, inputs
from values.errors import ValuesError

CORE = "apps/harbor/ha/release/values/core.yaml"
OVERRIDE = "apps/harbor/ha/release/values/override-mine.yaml"
LOCK = "apps/harbor/ha/.slipway.lock.json"
MINE = {"mine": "core: {replicas: 3}"}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "gitops"


@pytest.fixture
def remote(folder) -> Remote:
    return Remote(repository="https://git.example.com/x.git", branch="main", mode="files", folder=str(folder))


def listed(folder) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_files_are_those_of_a_commit(folder, remote):
    published = publish(remote, inputs())

    assert (published.created, published.commit) == (True, "")
    assert listed(folder) == {*inputs().files(), LOCK}
    assert (folder / CORE).read_text() == inputs().files()[CORE]


def test_again_nothing_is_written(folder, remote):
    publish(remote, inputs())
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}

    again = publish(remote, inputs())

    assert (again.created, again.changed) == (False, ())
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path != folder} == {
        path: time for path, time in before.items() if path != folder
    }


def test_what_is_stale_goes_and_other_peoples_files_stay(folder, remote):
    publish(remote, inputs(overrides=MINE))
    (folder / "README.md").write_text("ours\n")
    (folder / "apps/harbor/ha/release/values/notes.txt").write_text("ours\n")

    assert OVERRIDE in publish(remote, inputs()).changed

    assert OVERRIDE not in listed(folder)
    assert {"README.md", "apps/harbor/ha/release/values/notes.txt"} <= listed(folder)


def test_an_edit_stops_it_until_it_is_taken_over(folder, remote):
    publish(remote, inputs())
    (folder / CORE).write_text("edited: by hand\n")

    with pytest.raises(HumanEdit, match="was edited by hand") as caught:
        publish(remote, inputs())
    assert "-edited: by hand" in str(caught.value)
    assert publish(remote, inputs(), take_over=True).changed == (CORE,)


def test_the_other_refusals_hold_as_well(folder, remote):
    publish(remote, inputs(chartVersion="1.19.2"))
    before = {path: (folder / path).read_bytes() for path in listed(folder)}

    with pytest.raises(ChartDowngrade):
        publish(remote, inputs())
    with pytest.raises(WouldUninstall):
        publish(
            remote,
            Inputs(
                inputs(chartVersion="1.19.2").facts.model_copy(update={"environment": "prod"}).to_json(),
            ),
        )
    with pytest.raises(ValuesError):
        publish(remote, inputs(overrides={"typo": "core: {replicsa: 2}"}, chartVersion="1.19.2"))
    assert {path: (folder / path).read_bytes() for path in listed(folder)} == before


def test_one_of_many_that_is_refused_leaves_all_as_they_were(folder, remote):
    publish_all(remote, fleet(2))
    (folder / "clusters/env1/harbor.yaml").write_text("edited: true\n")
    before = {path: (folder / path).read_bytes() for path in listed(folder)}

    with pytest.raises(HumanEdit):
        publish_all(remote, fleet(3, overrides=MINE))

    assert {path: (folder / path).read_bytes() for path in listed(folder)} == before
    assert not list(folder.glob(".slipway-*"))


def test_withdrawing_leaves_no_empty_folders(folder, remote):
    publish(remote, inputs())

    withdraw(remote, gitops_path="", environment="ha")

    assert list(folder.iterdir()) == []


def test_what_is_present(folder, remote):
    publish(remote, inputs())
    (folder / CORE).unlink()

    assert set(present_files(remote, gitops_path="", environment="ha")) == set(inputs().files()) - {CORE}


def test_a_dry_run_does_not_even_make_the_folder(folder, remote):
    assert publish(remote, inputs(), dry_run=True).changed
    assert not folder.exists()


def test_a_link_that_leads_out_of_the_folder_is_not_followed(folder, remote, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    folder.mkdir()
    (folder / "clusters").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(HumanEdit, match="clusters: is a link, where a generated file or its folder has to be"):
        publish(remote, inputs())
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("path", ["clusters", "clusters/ha/harbor.yaml/x"])
def test_what_is_in_the_way(folder, remote, path):
    (folder / path).parent.mkdir(parents=True)
    (folder / path).write_text("theirs\n")

    with pytest.raises(HumanEdit, match="where a generated file or its folder has to be"):
        publish(remote, inputs(), take_over=True)


def test_a_folder_that_cannot_be_made_is_one_error(tmp_path):
    (tmp_path / "file").write_text("")
    remote = Remote(
        repository="https://git.example.com/x.git", branch="main", mode="files", folder=str(tmp_path / "file" / "x")
    )

    with pytest.raises(PublishError, match="cannot be written: Not a directory"):
        publish(remote, inputs())
