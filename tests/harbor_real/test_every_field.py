"""Everything on a real Harbor: apply makes it and plans empty; every field changed is seen and undone.

The fields and their values are those of tests/harbor_as_code.
"""

import pytest
import yaml

from tests.harbor_as_code import test_every_field as objects
from tests.harbor_as_code import test_every_field_of_policies as policies
from tests.harbor_real.real import PREFIX, Api, Before, RealPlace, renamed


def told(applied):
    return [(str(each.action.ref), *map(str, each.problems)) for each in applied.outcomes if each.state != "done"]


def a_default_scanner(there):
    """Make one where there is none: the first becomes it, and it can then not be disabled."""
    if not Api().call("GET", "/scanners"):
        Api().call("POST", "/scanners", {"name": f"{PREFIX}first", "url": f"{there.url}/first"})


def filled(there, folders, whole):
    """Give a Harbor with the whole in it, and somebody else with another ledger who may change everything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALICE", "Password1")
        patch.setenv("KEY", "user:s3cret-of-the-scanner")
        patch.setenv("LOGIN", "harbor:s3cret")
        before = Before(Api())
        before.put_back()
        here, other = (RealPlace(folders.mktemp(name)) for name in ("here", "other"))
        text = yaml.safe_dump(renamed(whole, there))
        try:
            a_default_scanner(there)
            applied = here.apply(text, adopt=True)
            assert applied.good, told(applied)
            assert here.plan(text).actions == []
            yield here, other, text
        finally:
            before.put_back()


@pytest.fixture(scope="module")
def with_objects(there, tmp_path_factory):
    yield from filled(there, tmp_path_factory, objects.WHOLE)


@pytest.fixture(scope="module")
def with_policies(there, tmp_path_factory):
    yield from filled(there, tmp_path_factory, policies.WHOLE)


def seen_and_undone(two, data):
    here, other, text = two
    changed = other.apply(yaml.safe_dump(data), adopt=True)
    assert changed.good, told(changed)
    [action] = here.plan(text).actions
    assert action.verb == "update"
    undone = here.apply(text)
    assert undone.good, told(undone)
    plan = here.plan(text)
    assert (plan.actions, plan.problems) == ([], [])


@pytest.mark.parametrize(("model", "place", "name"), objects.CASES)
def test_a_change_of_an_object_is_seen_and_undone(with_objects, there, model, place, name):
    data = yaml.safe_load(objects.changed(place, name, objects.values(model, name)[1]))
    seen_and_undone(with_objects, renamed(data, there))


@pytest.mark.parametrize(("place", "values"), policies.CASES)
def test_a_change_of_a_policy_is_seen_and_undone(with_policies, there, place, values):
    seen_and_undone(with_policies, renamed(policies.changed(place, values), there))
