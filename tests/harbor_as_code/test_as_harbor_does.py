"""What only a real Harbor shows: its caches, its races, and how it keeps what it was given."""

import asyncio

import pytest

from infra.errors import SpecError
from slipway.harbor.client.models import Settings
from slipway.harbor.kinds.base import World
from slipway.harbor.kinds.config import set_settings


def test_settings_are_followed_by_an_empty_change_which_drops_what_harbor_remembered_meanwhile():
    class Harbor:
        sent = ()

        async def send(self, request):
            self.sent += ((request.method, request.path, request.body.wire()),)

    harbor = Harbor()
    asyncio.run(set_settings(harbor, Settings(read_only=True)))
    assert harbor.sent == (("PUT", "/configurations", b'{"read_only":true}'), ("PUT", "/configurations", b"{}"))


def test_whom_harbor_does_not_know_goes_alone_until_one_was_successful():
    """Harbor makes the group: requests at the same time all find none, and all but one break at the unique name."""
    world, seen, now = World(), [], 0

    async def one(*, good):
        nonlocal now
        async with world.first("group devs"):
            now += 1
            seen.append(now)
            await asyncio.sleep(0.01)
            now -= 1
            if not good:
                raise ValueError

    async def several():
        await asyncio.gather(one(good=False), one(good=True), return_exceptions=True)
        assert seen == [1, 1]
        await asyncio.gather(one(good=True), one(good=True))
        assert seen == [1, 1, 1, 2]

    asyncio.run(several())


def test_names_in_ldap_are_in_small_letters_as_harbor_keeps_them(place):
    wanted = place.wanted(
        """
system: {config: {ldap_group_admin_dn: " CN=Admins,DC=Example,DC=com "}}
user_groups: [{group_name: devs, group_type: ldap, ldap_group_dn: "CN=Devs,DC=Example,DC=com"}]
"""
    )
    found = {each.kind: each.fields for each in wanted.objects.values()}
    assert found["config"]["ldap_group_admin_dn"] == "cn=admins,dc=example,dc=com"
    assert found["user-group"]["ldap_group_dn"] == "cn=devs,dc=example,dc=com"


def test_a_schedule_that_harbors_column_is_too_short_for_is_refused(place):
    minutes = ",".join(map(str, range(0, 60, 2)))
    with pytest.raises(SpecError, match="64 characters of a cron expression"):
        place.wanted(f'system: {{schedules: {{gc: {{type: Custom, cron: "0 {minutes} * * * *"}}}}}}')


def test_a_change_of_the_old_default_instance_does_not_take_the_mark_back(place):
    """A change replaces all of one, and one that says it is the default takes that from all others."""
    one = "{name: one, vendor: dragonfly, endpoint: 'https://one.example.com', auth_mode: NONE"
    two = "{name: two, vendor: dragonfly, endpoint: 'https://two.example.com', auth_mode: NONE"
    assert place.apply(f"preheat_instances: [{one}, default: true}}, {two}}}]").good
    changed = f"preheat_instances: [{two}, default: true}}, {one}, description: old}}]"
    assert place.apply(changed).good
    found = {each["name"]: each["default"] for each in place.api.api("GET", "/p2p/preheat/instances").json}
    assert found == {"one": False, "two": True}
    assert place.plan(changed).actions == []


def test_a_change_of_metadata_follows_what_left_it_since_the_cache_layer_would_keep_it_for_a_day(place):
    rules = "rules: [{most_recently_pushed: 5, repo_matching: '**', tag_matching: '**'}]"
    place.apply(f"projects: {{a: {{metadata: {{public: true, severity: high}}, retention_policy: {{{rules}}}}}}}")
    for text in ("retention_policy: null", "metadata: {severity: null}"):
        place.api.clear_counts()
        assert place.apply(f"projects: {{a: {{{text}}}}}").good
        assert place.api.counts()["update_project"] == 1
    assert place.api.api("GET", "/projects/a").json["metadata"] == {"public": "true"}
