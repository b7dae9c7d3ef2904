"""A control plane with Flux for the scenarios; all of them share it, one after the other."""

import os
from pathlib import Path

import pytest

from tests.cluster.world import ROOT, World

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """Mark every test of this folder: `pytest -m cluster` runs just these, on two workers at most."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            group = "cluster" if "world" in getattr(item, "fixturenames", ()) else "rehearsal"
            item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def shared_world(tmp_path_factory):
    """A cluster to which a first commit was delivered."""
    before = dict(os.environ)
    world = World(tmp_path_factory.mktemp("rehearsals") / "dev")
    world.fill_secrets_manager()
    world.start()
    try:
        world.publish()
        world.bootstrap()
        world.first = world.follow()
        yield world
    finally:
        world.stop()
        for variable in os.environ.keys() - before.keys():
            del os.environ[variable]
        os.environ.update(before)


@pytest.fixture
def world(shared_world, monkeypatch):
    """The shared cluster, brought back to the first commit's content and delivered."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("SLIPWAY_REHEARSALS", str(shared_world.folder.parent))
    shared_world.mourned = False
    yield shared_world
    shared_world.start()
    shared_world.fill_secrets_manager()
    shared_world.publish(take_over=True)
    assert shared_world.follow().verdict == "delivered"
