"""Generated files that a person edited: nothing is lost, and the message shows what stands against what."""

import pytest

from infra.delivery.publish import publish, withdraw
from infra.errors import HumanEdit
from tests.delivery.conftest import inputs_of

PORTAL = "apps/harbor/dev/release/values/portal.yaml"
CLUSTER = "clusters/dev/harbor.yaml"


def edit(bare, path: str) -> str:
    text = bare.text(path) + "edited: by hand\n"
    bare.by_hand({path: text})
    return text


def test_an_edited_file_stops_with_a_diff_and_a_way_on(bare):
    publish(bare.remote, inputs_of())
    edit(bare, PORTAL)
    head = bare.head

    with pytest.raises(HumanEdit) as raised:
        publish(bare.remote, inputs_of())

    message = str(raised.value)
    assert message.startswith(f"{PORTAL}: is a generated file, and was edited by hand\n")
    assert f"--- {PORTAL} (in the branch)\n+++ {PORTAL} (generated)\n" in message
    assert "\n-edited: by hand\n" in message
    assert "stacks/dev/values/" in message
    assert "slipway publish dev --take-over" in message
    assert bare.head == head


def test_all_edited_files_are_named_at_once(bare):
    publish(bare.remote, inputs_of())
    bare.by_hand({PORTAL: "a: 1\n", CLUSTER: None})

    with pytest.raises(HumanEdit) as raised:
        publish(bare.remote, inputs_of())

    message = str(raised.value)
    assert f"{PORTAL}: is a generated file, and was edited by hand" in message
    assert f"{CLUSTER}: is a generated file, and was removed by hand" in message


def test_the_difference_in_line_ends_alone_is_shown(bare):
    publish(bare.remote, inputs_of())
    bare.by_hand({PORTAL: bare.text(PORTAL).replace("\n", "\r\n")})

    with pytest.raises(HumanEdit) as raised:
        publish(bare.remote, inputs_of())

    assert "\r\n" in raised.value.detail


def test_taking_over_writes_ours_and_keeps_the_edit_in_the_history(bare):
    publish(bare.remote, inputs_of())
    ours = bare.text(PORTAL)
    edit(bare, PORTAL)
    edited = bare.head

    published = publish(bare.remote, inputs_of(), take_over=True)

    assert published.changed == (PORTAL,)
    assert bare.text(PORTAL) == ours
    assert bare.git("rev-parse", "main^") == edited
    assert not publish(bare.remote, inputs_of()).created


def test_a_file_that_was_there_before_us_is_not_overwritten(bare):
    bare.by_hand({CLUSTER: "of: the team\n"})

    with pytest.raises(HumanEdit, match="-of: the team"):
        publish(bare.remote, inputs_of())

    assert bare.text(CLUSTER) == "of: the team\n"


def test_an_edit_to_exactly_what_is_rendered_now_is_no_conflict(bare):
    publish(bare.remote, inputs_of())
    wanted = inputs_of(host="registry.example.org").files()
    bare.by_hand({path: wanted[path] for path in wanted if wanted[path] != inputs_of().files()[path]})

    published = publish(bare.remote, inputs_of(host="registry.example.org"))

    assert published.changed == ()


def test_an_edited_stale_file_is_not_removed(bare):
    publish(bare.remote, inputs_of(overrides={"mail": "core:\n  replicas: 2\n"}))
    edit(bare, "apps/harbor/dev/release/values/override-mail.yaml")

    with pytest.raises(HumanEdit, match="override-mail"):
        publish(bare.remote, inputs_of())


def test_a_dry_run_reports_edits_too(bare):
    publish(bare.remote, inputs_of())
    edit(bare, PORTAL)

    with pytest.raises(HumanEdit):
        publish(bare.remote, inputs_of(), dry_run=True)


def test_withdrawing_does_not_remove_an_edited_file(bare):
    publish(bare.remote, inputs_of())
    edit(bare, PORTAL)
    head = bare.head

    with pytest.raises(HumanEdit, match="edited by hand"):
        withdraw(bare.remote, gitops_path="", environment="dev")

    assert bare.head == head


def test_an_edit_in_another_environment_is_not_ours_to_judge(bare):
    publish(bare.remote, inputs_of("dev"))
    publish(bare.remote, inputs_of("prod"))
    edit(bare, PORTAL)

    assert publish(bare.remote, inputs_of("prod", host="registry.example.org")).created


def test_a_lock_with_a_merge_conflict_stops(bare):
    publish(bare.remote, inputs_of())
    lock = "apps/harbor/dev/.slipway.lock.json"
    bare.by_hand({lock: f"<<<<<<< HEAD\n{bare.text(lock)}"})

    with pytest.raises(HumanEdit, match="is not the lock that Slipway wrote"):
        publish(bare.remote, inputs_of(), take_over=True)
