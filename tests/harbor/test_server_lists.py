"""Pages, filters and names as a real Harbor reads them."""

import pytest


@pytest.fixture
def many(api):
    api.seed(23, prefix="team")
    return api


def names(reply):
    return [each["name"] for each in reply.json]


def test_a_page_has_ten_and_the_headers_tell_of_the_rest(many):
    page = many.api("GET", "/projects")

    assert (len(page.json), page.headers["x-total-count"]) == (10, "24")
    assert page.headers["link"] == '</api/v2.0/projects?page=2&page_size=10>; rel="next"'
    assert many.api("GET", "/projects", page=3).headers["link"].endswith('page=2&page_size=10>; rel="prev"')
    assert len(many.api("GET", "/projects", page=3).json) == 4


def test_a_page_has_a_hundred_at_most_and_zero_means_all(many):
    assert many.api("GET", "/projects", page_size=101).status == 422
    assert len(many.api("GET", "/projects", page_size=0).json) == 24
    assert len(many.api("GET", "/projects", page_size=-1).json) == 24
    assert len(many.api("GET", "/quotas", page_size=0).json) == 24


def test_what_it_does_not_know_it_ignores_and_the_whole_list_comes(many):
    assert len(many.api("GET", "/projects", q="colour=red", sort="colour", page_size=100).json) == 24


def test_filters_by_name_exact_in_part_and_among(many):
    assert names(many.api("GET", "/projects", q="name=team-00003")) == ["team-00003"]
    assert len(names(many.api("GET", "/projects", q="name=~team-0000", page_size=100))) == 10
    assert len(names(many.api("GET", "/projects", name="team-0000", page_size=100))) == 10
    assert names(many.api("GET", "/projects", q="name={team-00001 team-00002}")) == ["team-00001", "team-00002"]
    assert names(many.api("GET", "/projects", q="project_id={1 2}")) == ["library", "team-00000"]
    assert many.api("GET", "/projects", q="name").status == 400


def test_of_several_names_one_of_digits_needs_quotes(api):
    for name in ("123", "other"):
        api.api("POST", "/projects", {"project_name": name})
    assert api.api("GET", "/projects", q="name={123 other}").status == 500
    assert names(api.api("GET", "/projects", q='name={"123" other}')) == ["123", "other"]


def test_sorts_by_name_backwards(many):
    assert names(many.api("GET", "/projects", sort="-name"))[0] == "team-00022"


def test_a_name_of_digits_is_an_id_unless_said_otherwise(api):
    for name in ("123", "other"):
        assert api.api("POST", "/projects", {"project_name": name}).status == 201

    assert api.api("GET", "/projects/123").status == 404
    assert api.api("GET", "/projects/123", headers={"X-Is-Resource-Name": "true"}).json["name"] == "123"
    assert api.api("GET", "/projects/3").json["name"] == "other"


def test_nothing_has_an_etag(api):
    reply = api.api("GET", "/projects/library", headers={"If-Match": '"x"'})

    assert reply.status == 200
    assert not {"etag", "last-modified"} & reply.headers.keys()


def test_errors_have_a_code_and_a_message(api):
    assert api.api("GET", "/projects/nothing").json == {
        "errors": [{"code": "NOT_FOUND", "message": "project nothing not found"}]
    }


def test_a_body_without_its_type_is_422_and_one_that_is_no_json_400(api):
    sent = b'{"project_name": "x"}'

    assert api.api("POST", "/projects", sent, headers={"Content-Type": "text/plain"}).status == 422
    assert api.api("POST", "/projects", b"{", headers={"Content-Type": "application/json"}).status == 400
    assert api.api("POST", "/projects").status == 422


def test_an_unknown_path_is_404_and_another_method_405(api):
    assert api.api("GET", "/colours").status == 404
    assert api.api("GET", "/projects/library/immutabletagrules/1").status == 405
