"""Renames that would uninstall, and things in the way: refused with what would happen and how to go on."""

import pytest

from infra.delivery.inputs import Inputs
from infra.delivery.publish import publish, publish_all, withdraw
from infra.errors import HumanEdit, WouldUninstall
from tests.delivery.repositories import fleet, inputs

LOCK = "apps/harbor/ha/.slipway.lock.json"


def as_if(source: Inputs, **changes) -> Inputs:
    return Inputs(source.facts.model_copy(update=changes).to_json())


def test_a_renamed_environment_is_refused_and_told_what_would_happen(repository, remote):
    publish(remote, inputs())
    head = repository.head()

    with pytest.raises(WouldUninstall) as caught:
        publish(remote, as_if(inputs(), environment="prod"))

    message = str(caught.value)
    assert "registry.ha.example.com is delivered by apps/harbor/ha already. Perhaps ha was renamed to prod" in message
    assert "this is a second registry" in message
    assert "keep the name ha, or give prod a domain of its own" in message
    assert "clusters/ha and apps/harbor/ha" in message
    assert repository.head() == head


def test_taking_over_does_not_get_past_it(remote):
    publish(remote, inputs())

    with pytest.raises(WouldUninstall):
        publish(remote, as_if(inputs(), environment="prod"), take_over=True)


def test_another_gitops_path_is_refused(remote):
    publish(remote, inputs())

    with pytest.raises(WouldUninstall, match=r"Perhaps gitops\.path of ha was changed") as caught:
        publish(remote, as_if(inputs(), gitops_path="fleet/eu"))

    assert "set gitops.path back so that it is apps/harbor/ha again" in str(caught.value)


def test_when_the_old_one_is_gone_the_new_name_is_free(repository, remote):
    publish(remote, inputs())
    withdraw(remote, gitops_path="", environment="ha")

    assert publish(remote, as_if(inputs(), environment="prod")).created


def test_one_name_in_two_folders_with_two_hosts_is_fine(remote):
    publish(remote, as_if(inputs(), gitops_path="eu"))

    assert publish(remote, as_if(inputs(), gitops_path="us", host="us.example.com")).created


def test_a_host_that_moves_to_one_that_is_taken(remote):
    publish_all(remote, fleet(2))
    first, second = fleet(2)

    with pytest.raises(WouldUninstall, match=r"env1\.example\.com is delivered by apps/harbor/env1 already"):
        publish(remote, as_if(first, host=second.facts.host))


def test_two_environments_of_one_publish_with_one_host(remote):
    first, second = fleet(2)

    with pytest.raises(WouldUninstall, match="is delivered by apps/harbor/env0 already"):
        publish_all(remote, [first, as_if(second, host=first.facts.host)])


def test_neighbours_are_read_for_new_environments_only(remote, monkeypatch):
    publish_all(remote, fleet(3))
    monkeypatch.setattr(
        "infra.delivery.ground.BranchGround.neighbours", lambda _: pytest.fail("the neighbours were read")
    )

    publish_all(remote, fleet(3, overrides={"mine": "core: {replicas: 3}"}))


def test_facts_of_a_neighbour_that_nobody_can_read_do_no_harm(repository, remote):
    repository.write("apps/harbor/broken/facts.json", "{")
    repository.write("elsewhere/apps/harbor/list/facts.json", "[]")

    assert publish(remote, inputs()).created


@pytest.mark.parametrize("release", ["registry/harbor", "harbor/registry"])
def test_another_release_or_namespace_is_refused(repository, remote, release):
    publish(remote, inputs())
    repository.write(LOCK, repository.read(LOCK).replace('"release": "harbor/harbor"', f'"release": "{release}"'))

    with pytest.raises(WouldUninstall, match=f"delivers the release {release}, this would be harbor/harbor") as caught:
        publish(remote, inputs())

    assert "the registry is gone until" in str(caught.value)


def test_a_lock_of_before_host_and_release_were_kept_is_fine(repository, remote):
    publish(remote, inputs())
    kept = [line for line in repository.read(LOCK).splitlines() if '"host"' not in line and '"release"' not in line]
    repository.write(LOCK, "\n".join(kept) + "\n")

    assert publish(remote, inputs(overrides={"mine": "core: {replicas: 3}"})).created


def test_a_folder_that_was_renamed_by_hand(repository, remote):
    publish(remote, inputs())
    repository.write("apps/harbor/prod/.slipway.lock.json", repository.read(LOCK))

    with pytest.raises(WouldUninstall, match="is the lock of environment ha with files like apps/harbor/ha/"):
        publish(remote, as_if(inputs(), environment="prod", host="prod.example.com"))


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("clusters", "clusters: is a file, where a generated file or its folder has to be"),
        ("apps/harbor", "apps/harbor: is a file"),
        ("apps/harbor/ha/release", "apps/harbor/ha/release: is a file"),
        ("clusters/ha/harbor.yaml/notes.txt", "clusters/ha/harbor.yaml: is a folder"),
    ],
)
def test_what_is_in_the_way_is_not_replaced(repository, remote, path, what):
    repository.write(path, "theirs\n")

    with pytest.raises(HumanEdit) as caught:
        publish(remote, inputs(), take_over=True)

    assert what in str(caught.value)
    assert repository.read(path) == "theirs\n"
