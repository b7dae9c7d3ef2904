"""The judge itself, and that every operation of the server is one of Harbor's."""

import pytest

from tests.harbor import openapi
from tests.harbor.server.operations import LOADED
from tests.harbor.server.routes import OPERATIONS

if not openapi.FILE.exists():
    pytest.skip(f"Harbor's API file is not at {openapi.FILE}", allow_module_level=True)


@pytest.fixture(scope="module")
def document():
    return openapi.load()


def test_every_operation_of_the_server_is_one_of_harbors(document):
    assert LOADED
    paths = document["paths"]
    unknown = [
        f"{each.method} {each.path}"
        for each in OPERATIONS
        if each.method.lower() not in (paths.get(each.path) or paths.get(f"{each.path}/") or {})
    ]
    assert unknown == []


def exchange(**changes):
    usual = {
        "method": "GET",
        "template": "/labels",
        "path": "/labels",
        "query": {},
        "body": "",
        "status": 200,
        "answer": [],
    }
    return usual | changes


def test_the_judge_sees_a_field_that_harbor_does_not_have(document):
    assert openapi.problems(document, exchange(answer=[{"id": 1, "colour": "red"}])) == [
        "GET /labels -> 200: 0: Additional properties are not allowed ('colour' was unexpected)"
    ]


def test_the_judge_sees_a_wrong_type_an_unknown_status_and_an_unknown_parameter(document):
    assert "'1' is not of type 'integer'" in openapi.problems(document, exchange(answer=[{"id": "1"}]))[0]
    assert "does not know this answer" in openapi.problems(document, exchange(status=204))[0]
    assert "unknown query parameter colour" in openapi.problems(document, exchange(query={"colour": "red"}))[0]


def test_the_judge_takes_what_harbor_says_about_nothing(document):
    assert openapi.problems(document, exchange(answer=[{"id": 1, "name": "stable", "scope": "g"}])) == []
