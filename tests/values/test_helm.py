"""Helm's engine behind values/helm.py: what it renders, and how its errors read. The small chart is made here."""

import io
import tarfile
from pathlib import Path

import pytest

from tests.values.conftest import facts_of
from values.errors import ValuesError
from values.facts import SUPPORTED_CHART_VERSIONS
from values.helm import ChartError, all_objects, objects, rendered
from values.merge import harbor_values, merged
from values.render import render

TEMPLATE = """\
kind: ConfigMap
metadata: {name: one, namespace: {{ .Release.Namespace }}}
data:
  release: {{ .Release.Name }}
  size: {{ .Values.size }}
  limits: {{ toYaml .Values.size }}
  kubernetes: {{ .Capabilities.KubeVersion.Version }}
  monitors: {{ .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" }}
  core: {{ .Capabilities.APIVersions.Has "apps/v1" }}
"""


def packed(folder: Path, **templates: str) -> Path:
    """Give a chart's archive; a template's name → text."""
    files = {"Chart.yaml": "apiVersion: v2\nname: small\nversion: 1.0.0\n"}
    files |= {f"templates/{name}.yaml": text for name, text in templates.items()}
    path = folder / "small-1.0.0.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"small/{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


def test_only_templates_that_give_something_in_order(tmp_path):
    chart = packed(tmp_path, b="kind: B", a="kind: A", none="{{ if false }}kind: C{{ end }}\n")

    assert rendered(chart, {}) == {"small/templates/a.yaml": "kind: A", "small/templates/b.yaml": "kind: B"}


def test_release_namespace_and_capabilities(tmp_path):
    text = rendered(
        packed(tmp_path, one=TEMPLATE),
        {"size": 1},
        release="mine",
        namespace="there",
        kubernetes_version="1.33.2",
        api_versions=["monitoring.coreos.com/v1"],
    )["small/templates/one.yaml"]
    (item,) = objects(text)

    assert item["metadata"] == {"name": "one", "namespace": "there"}
    assert item["data"] == {
        "release": "mine", "size": 1, "limits": 1, "kubernetes": "v1.33.2", "monitors": True, "core": True,
    }  # fmt: skip


@pytest.mark.parametrize("number", [10485760, 1000000, -12345678, 999999, 4294967296123])
def test_large_integers_are_written_as_flux_writes_them(tmp_path, number):
    (text,) = rendered(packed(tmp_path, one=TEMPLATE), {"size": number}).values()

    assert objects(text)[0]["data"]["size"] == objects(text)[0]["data"]["limits"] == number
    assert f"size: {number}\n" in text


def test_a_date_stays_text_and_a_tab_at_a_lines_end_is_taken():
    assert objects("a: 2026-01-01\nb: 2026-01-01T00:00:00Z\t\n---\n---\nc: 1\n") == [
        {"a": "2026-01-01", "b": "2026-01-01T00:00:00Z"},
        {"c": 1},
    ]


@pytest.mark.parametrize(
    ("template", "values", "line", "variable", "told"),
    [
        ("a: 1\nb: {{ .Values.x.y }}", {"x": None}, 2, ".Values.x.y", "nil pointer evaluating interface {}.y"),
        ('a: {{ required "give x.y, the name" .Values.x }}', {}, 1, "", "give x.y, the name"),
        ('a: {{ fail "no" }}', {}, 1, "", "no"),
        ("a: {{ .Values.x.y.z }}", {"x": {"y": "text"}}, 1, ".Values.x.y.z", "can't evaluate field z"),
        ("a: {{ .Values.x | nosuch }}", {}, 1, "", 'function "nosuch" not defined'),
    ],
)
def test_an_error_names_template_line_and_variable(tmp_path, template, values, line, variable, told):
    with pytest.raises(ChartError) as raised:
        rendered(packed(tmp_path, good="a: 1", one=template), values)

    assert raised.value.template == "small/templates/one.yaml"
    assert (raised.value.line, raised.value.variable) == (line, variable)
    assert told in str(raised.value)
    assert f"small-1.0.0.tgz small/templates/one.yaml:{line}" in str(raised.value)


def test_the_value_that_is_to_blame_is_said(tmp_path):
    with pytest.raises(ChartError) as raised:
        rendered(packed(tmp_path, one="a: {{ .Values.expose.ingress.className }}"), {"expose": {"ingress": "alb"}})

    assert str(raised.value) == (
        "small-1.0.0.tgz small/templates/one.yaml:1 expose.ingress.className: the template fails: can't evaluate field "
        "className in type interface {}\n"
        '    the values hold expose.ingress: "alb"; give it its keys, or leave it out'
    )


def test_values_that_break_the_yaml_around_them(tmp_path):
    texts = rendered(packed(tmp_path, one="a: {{ .Values.x }}\nb: 1"), {"x": "one: two: three"})

    with pytest.raises(ChartError, match=r"one\.yaml, rendered line 1: gives no YAML") as raised:
        all_objects(texts)
    assert "one: two: three" in str(raised.value)


def test_no_chart_and_a_broken_one(tmp_path):
    broken = tmp_path / "harbor-1.0.0.tgz"
    broken.write_bytes(b"not an archive")

    with pytest.raises(ChartError, match="is not a chart"):
        rendered(broken, {})
    with pytest.raises(ChartError, match="No such file or directory"):
        rendered(tmp_path / "nowhere.tgz", {})


def test_an_archive_that_was_replaced_is_read_anew(tmp_path):
    first = rendered(packed(tmp_path, one="kind: A"), {})

    assert first != rendered(packed(tmp_path, one="kind: Another"), {})


def test_a_chart_error_is_a_values_error_so_every_command_shows_it():
    assert issubclass(ChartError, ValuesError)


@pytest.mark.parametrize("chart", SUPPORTED_CHART_VERSIONS, indirect=True)
def test_the_official_chart_gives_its_objects(chart):
    values = harbor_values(render(facts_of("ha", chartVersion=chart.stem.removeprefix("harbor-"))))
    items = all_objects(rendered(chart, merged(values, {"redis": {"external": {"password": "made-up"}}})))

    assert {"Deployment", "StatefulSet", "ConfigMap", "Secret", "Service", "Ingress"} <= {i["kind"] for i in items}
    assert len({(item["kind"], item["metadata"]["name"]) for item in items}) == len(items) > 20


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"expose": {"ingress": "alb"}}, "expose.ingress"),
        ({"persistence": {"imageChartStorage": None}}, "persistence.imageChartStorage"),
        ({"database": {"external": 5, "type": "external"}}, "database.external"),
    ],
)
def test_the_official_chart_with_broken_values(chart, values, named):
    with pytest.raises(ChartError) as raised:
        rendered(chart, values)

    assert raised.value.template.startswith("harbor/templates/")
    assert raised.value.line
    assert raised.value.variable.startswith(f".Values.{named}.")
    assert f"the values hold {named}: " in str(raised.value)
