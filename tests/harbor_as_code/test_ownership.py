"""Labels of the system and of projects, end to end."""


def told(plan):
    return [(each.verb, str(each.ref)) for each in plan.actions]


def test_a_label_is_made_changed_and_pruned(place):
    first = "labels: [{name: approved, color: '#00AB9A'}]"
    assert told(place.plan(first)) == [("create", "label approved")]
    assert place.apply(first).good
    assert place.plan(first).actions == []
    second = "labels: [{name: approved, color: '#00AB9B', description: fit}]"
    assert [each.field for each in place.plan(second).actions[0].changes] == ["color", "description"]
    assert place.apply(second).good
    assert told(place.plan("labels: []")) == [("delete", "label approved")]
    assert place.apply("labels: []").good
    assert place.api.api("GET", "/labels", scope="g").json == []


def test_projects_with_labels(place):
    text = """
projects:
  payments: {metadata: {public: true, severity: high, prevent_vul: true}, storage_quota: 5Gi, cve_allowlist: {items: [CVE-1]}, labels: [{name: hot}]}
  billing:
"""
    applied = place.apply(text)
    assert applied.good, applied
    assert place.plan(text).actions == []
    assert told(place.plan("projects: {billing: }")) == [("delete", "project payments")]
    assert place.apply("projects: {billing: }").good
    assert [each["name"] for each in place.api.api("GET", "/projects").json] == ["library", "billing"]
