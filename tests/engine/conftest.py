"""The real engine, and a project for each test."""

import sys

import pytest

from slipway.tools.find import find
from tests.engine.project import Project


@pytest.fixture(scope="session", autouse=True)
def pulumi():
    """The engine; building it takes minutes where there is none yet."""
    return find("pulumi", progress=sys.stderr.write, announce=sys.stderr.write)


@pytest.fixture
def project(tmp_path):
    """A project with the three ready stacks."""
    return Project(tmp_path)
