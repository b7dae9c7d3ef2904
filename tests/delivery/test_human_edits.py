"""Generated files that a person edited: nothing is lost, all of it is shown, and there is a way on."""

import pytest

from infra.delivery.publish import publish
from infra.errors import HumanEdit
from tests.delivery.repositories import inputs

PORTAL = "apps/harbor/ha/release/values/portal.yaml"
CLUSTER = "clusters/ha/harbor.yaml"
LOCK = "apps/harbor/ha/.slipway.lock.json"
OVERRIDE = "apps/harbor/ha/release/values/override-mine.yaml"


def test_the_message_names_the_file_shows_the_diff_and_says_what_to_do(repository, remote):
    publish(remote, inputs())
    repository.write(PORTAL, repository.read(PORTAL) + "edited: by hand")

    with pytest.raises(HumanEdit) as caught:
        publish(remote, inputs())

    first, fix, *diff = str(caught.value).splitlines()
    assert first == f"{PORTAL}: is a generated file, and was edited by hand"
    assert fix == "    move the change to stacks/ha/values/, or give it up: slipway publish ha --take-over"
    assert diff[:2] == [f"--- {PORTAL} (in the branch)", f"+++ {PORTAL} (generated)"]
    assert diff[-1] == "-edited: by hand"


def test_all_edited_files_are_named_at_once(repository, remote):
    publish(remote, inputs())
    repository.write(PORTAL, "a: 1\n")
    repository.write(CLUSTER, None)

    with pytest.raises(HumanEdit) as caught:
        publish(remote, inputs())

    assert [(problem.where, problem.what.split()[-3]) for problem in caught.value.problems] == [
        (PORTAL, "edited"),
        (CLUSTER, "removed"),
    ]


def test_a_difference_in_line_ends_alone_is_shown(repository, remote):
    publish(remote, inputs())
    repository.write(PORTAL, repository.read(PORTAL).replace("\n", "\r\n"))

    with pytest.raises(HumanEdit) as caught:
        publish(remote, inputs())

    assert "\r\n" in caught.value.detail


def test_taking_over_keeps_the_edit_in_the_history(repository, remote):
    publish(remote, inputs())
    repository.write(PORTAL, "edited: by hand\n")
    edited = repository.head()

    publish(remote, inputs(), take_over=True)

    assert repository.git("rev-parse", "main^") == edited
    assert not publish(remote, inputs()).created


def test_an_edited_file_that_is_rendered_no_longer_is_not_removed(repository, remote):
    publish(remote, inputs(overrides={"mine": "portal: {replicas: 3}"}))
    repository.write(OVERRIDE, "portal: {replicas: 4}\n")

    with pytest.raises(HumanEdit, match="override-mine"):
        publish(remote, inputs())

    assert repository.read(OVERRIDE) == "portal: {replicas: 4}\n"


def test_an_edit_in_another_environment_is_not_ours_to_judge(repository, remote):
    publish(remote, inputs("ha"))
    publish(remote, inputs("dev"))
    repository.write(PORTAL, "edited: by hand\n")

    assert publish(remote, inputs("dev", overrides={"mine": "portal: {replicas: 3}"})).created


def test_a_dry_run_reports_edits_too(repository, remote):
    publish(remote, inputs())
    repository.write(PORTAL, "edited: by hand\n")

    with pytest.raises(HumanEdit):
        publish(remote, inputs(), dry_run=True)


def test_a_lost_lock_is_written_again_where_the_files_are_still_ours(repository, remote):
    publish(remote, inputs())
    repository.write(LOCK, None)

    published = publish(remote, inputs())

    assert (published.created, published.changed) == (True, ())
    assert LOCK in repository.files()


def test_a_branch_that_was_reset_gets_everything_back(repository, remote):
    repository.write("README.md", "ours\n")
    before = repository.head()
    publish(remote, inputs())
    repository.git("update-ref", "refs/heads/main", before)

    assert set(publish(remote, inputs()).changed) == set(inputs().files())
