"""The lock: what is ours, what was edited, what is stale. Pure."""

import subprocess

import pytest

from infra.delivery.inputs import lock_path
from infra.delivery.lock import Changes, Lock, blob_id, compare
from infra.errors import HumanEdit

LOCK = Lock(environment="dev", slipway="0.1.0", chart="1.19.1", inputs="sha256:0", files={"b": "2", "a": "1"})


@pytest.mark.parametrize(
    ("owned", "present", "wanted", "write", "remove", "edited"),
    [
        pytest.param({}, {}, {"a": "1"}, ["a"], [], [], id="first publish"),
        pytest.param({"a": "1"}, {"a": "1"}, {"a": "1"}, [], [], [], id="nothing changed"),
        pytest.param({"a": "1"}, {"a": "1"}, {"a": "2"}, ["a"], [], [], id="rendered anew"),
        pytest.param({"a": "1"}, {"a": "1"}, {}, [], ["a"], [], id="stale"),
        pytest.param({"a": "1"}, {}, {}, [], [], [], id="stale and already gone"),
        pytest.param({"a": "1"}, {"a": "9"}, {"a": "1"}, ["a"], [], ["a"], id="edited by hand"),
        pytest.param({"a": "1"}, {"a": "9"}, {"a": "2"}, ["a"], [], ["a"], id="edited by hand and rendered anew"),
        pytest.param({"a": "1"}, {"a": "2"}, {"a": "2"}, [], [], [], id="edited by hand to what is rendered now"),
        pytest.param({"a": "1"}, {}, {"a": "1"}, ["a"], [], ["a"], id="removed by hand"),
        pytest.param({"a": "1"}, {"a": "9"}, {}, [], ["a"], ["a"], id="stale but edited"),
        pytest.param({}, {"a": "9"}, {"a": "1"}, ["a"], [], ["a"], id="in the way"),
        pytest.param({}, {"a": "1"}, {"a": "1"}, [], [], [], id="there already with the same content"),
    ],
)
def test_compare(owned, present, wanted, write, remove, edited):
    changes = compare(owned, present, wanted)

    assert (changes.write, changes.remove, changes.edited) == (tuple(write), tuple(remove), tuple(edited))


def test_the_paths_of_changes_are_sorted_and_named_once():
    assert Changes(write=("c", "a"), remove=("b",), edited=("a",)).paths == ("a", "b", "c")


@pytest.mark.parametrize("text", ["", "key: value\n", "naïve: ✓\n", "no newline"])
def test_a_blob_id_is_gits(text):
    hashed = subprocess.run(["git", "hash-object", "--stdin"], input=text, capture_output=True, text=True, check=True)

    assert blob_id(text) == hashed.stdout.strip()


def test_a_lock_is_stable_text_and_reads_back():
    text = LOCK.to_json()

    assert Lock.from_json(text, "lock") == LOCK
    assert Lock.from_json(text, "lock").to_json() == text
    assert text.index('"a"') < text.index('"b"')
    assert "edit neither them nor this" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("<<<<<<< HEAD", "is not the lock that Slipway wrote", id="merge conflict"),
        pytest.param("[]", "is not the lock that Slipway wrote", id="a list"),
        pytest.param("{}", "is not the lock that Slipway wrote", id="no version"),
        pytest.param('{"version": 1}', "is not the lock that Slipway wrote", id="fields missing"),
        pytest.param(LOCK.to_json().replace('"a": "1"', '"a": 1'), "files.a", id="a number for a blob"),
        pytest.param(LOCK.to_json().replace("1.19.1", "newest"), "chart", id="no chart version"),
        pytest.param('{"version": 2}', "version 2, this Slipway knows 1", id="newer Slipway"),
    ],
)
def test_a_lock_that_we_did_not_write_stops_with_its_path(text, message):
    with pytest.raises(HumanEdit) as raised:
        Lock.from_json(text, "apps/harbor/dev/.slipway.lock.json")

    assert "apps/harbor/dev/.slipway.lock.json" in str(raised.value)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("gitops_path", "path"),
    [("", "apps/harbor/dev/.slipway.lock.json"), ("fleet/eu", "fleet/eu/apps/harbor/dev/.slipway.lock.json")],
)
def test_where_the_lock_stands(gitops_path, path):
    assert lock_path(gitops_path, "dev") == path
