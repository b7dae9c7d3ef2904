"""Killed by -9 after any request to a real Harbor, the next apply ends where an undisturbed one would have ended."""

import random

import pytest
import yaml

from tests.harbor_as_code.test_resume import SECRETS, TEXT
from tests.harbor_as_code.world import kill_at
from tests.harbor_real.real import PREFIX, renamed

_KILLS = 8


@pytest.fixture
def text(there, monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return yaml.safe_dump(renamed(yaml.safe_load(TEXT), there))


def end_state(place, text):
    """How much there is under our names; and nothing is left to do."""
    plan = place.plan(text)
    assert (plan.actions, plan.problems, plan.claims) == ([], [], [])
    counts = {}
    for path, name in (
        ("/projects", "name"),
        ("/registries", "name"),
        ("/users", "username"),
        ("/labels?scope=g", "name"),
    ):
        rows = place.api.call("GET", f"{path}{'&' if '?' in path else '?'}page_size=0")
        counts[path] = sorted(each[name] for each in rows if each[name].startswith(PREFIX))
    members = place.api.call("GET", f"/projects/{PREFIX}b/members", page_size=0)
    owned = {str(ref): sorted(entry.secrets) for ref, entry in place.store.load().entries.items()}
    return counts, sorted(each["entity_name"] for each in members), owned


@pytest.fixture
def expected(place, text):
    assert place.apply(text).good
    return end_state(place, text)


@pytest.mark.parametrize("seed", range(_KILLS))
def test_killed_at_any_request_the_next_run_finishes(place, text, expected, seed):
    chosen = random.Random(seed)
    assert place.apply(yaml.safe_dump(_NOTHING)).good
    kill_at(place, text, chosen.randrange(6, 70), answered=bool(seed % 2))
    applied = place.apply(text)
    assert applied.good, [each for each in applied.outcomes if each.state != "done"]
    assert end_state(place, text) == expected


_NOTHING = {
    "policy": {"max_deletes": 100},
    **{kind: [] for kind in ("labels", "registries", "user_groups", "users")},
    "projects": {},
}
