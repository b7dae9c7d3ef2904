"""`slipway diff` as a user meets it: real git, Helm's engine, the official chart where it is at hand."""

import json
import shutil

import pytest

from infra.delivery.inputs import Inputs
from slipway.cli import run
from slipway.diff.sides import side
from slipway.rendering import write_files
from tests.values.conftest import facts_of


def objects_of(capsys) -> dict[str, dict]:
    found = json.loads(capsys.readouterr().out)
    return {f"{one['kind']}/{one['name']}": one for one in found["objects"]}


def test_nothing_would_change(project, chart, capsys):
    assert run(["diff", "ha"]) == 0
    assert "ha: nothing would change" in capsys.readouterr().out


def test_a_setting_is_shown_as_value_and_as_object(project, chart, capsys):
    project.settings(harbor={"replicas": {"core": 4}})
    project.override("mine", "core: {replicas: 4}\n")

    assert run(["diff", "ha"]) == 2

    out = capsys.readouterr().out
    assert "the team's own: stacks/ha/values/mine.yaml: core.replicas" in out
    assert "    -  replicas: 2\n    +  replicas: 4" in out
    assert "Deployment harbor-core: changed" in out
    assert "AWS's answers: the delivered ones, renewed by the stack file" in out
    assert "\x1b" not in out


def test_a_claim_template_that_would_be_refused(project, chart, capsys):
    project.override("mine", "persistence: {persistentVolumeClaim: {trivy: {size: 50Gi}}}\n")

    assert run(["diff", "ha"]) == 2
    assert "WOULD FAIL: StatefulSet/harbor-trivy" in capsys.readouterr().out


@pytest.mark.parametrize("chart", ["1.19.2"], indirect=True)
def test_each_side_is_rendered_with_its_own_chart(project, chart, capsys):
    project.settings(chartVersion="1.19.2")

    assert run(["diff", "ha", "--output", "json"]) == 2

    found = json.loads(capsys.readouterr().out)
    objects = {f"{one['kind']}/{one['name']}": one for one in found["objects"]}
    assert found["charts"] == {"before": "1.19.1", "after": "1.19.2"}
    assert objects["Deployment/harbor-core"]["rolls"]
    assert "+        image: docker.io/goharbor/harbor-core:v2.15.2" in objects["Deployment/harbor-core"]["diff"]
    assert objects["Service/harbor-core"]["diff"] == []
    assert not any(one["immutable"] for one in found["objects"])
    assert found["notes"] == found["refusals"] == []


def test_another_content_is_told_before_publish_refuses_it(project, chart, capsys):
    project.settings(gitops={"repository": project.repository.path.as_uri(), "content": "manifests"})

    assert run(["diff", "ha", "--summary"]) == 2
    assert "publish would stop: the branch delivers values, this would be manifests" in capsys.readouterr().out


def test_a_new_redis_host_rolls_every_pod_that_reads_it(project, chart, capsys):
    facts = facts_of("ha", chartRepository="https://127.0.0.1:1/charts")
    moved = facts.model_copy(update={"cache": facts.cache.model_copy(update={"host": "other.cache.amazonaws.com"})})
    (project.folder / "facts.json").write_text(moved.to_json())

    assert run(["diff", "ha", "--facts", "facts.json", "--output", "json"]) == 2

    objects = objects_of(capsys)
    rolled = {name for name, one in objects.items() if one["rolls"]}
    assert rolled >= {"Deployment/harbor-core", "Deployment/harbor-jobservice", "Deployment/harbor-registry"}
    assert objects["Deployment/harbor-core"]["diff"] == []
    assert "checksum/configmap" in objects["Deployment/harbor-core"]["noise"]
    # The URL of Trivy's cache is in a Secret: that it changes is told, what it is is not.
    assert any("(hidden, " in line for line in objects["Secret/harbor-trivy"]["diff"])


def test_the_first_publish_is_all_new(project, chart, capsys):
    project.settings(gitops={"repository": project.repository.path.as_uri(), "path": "elsewhere"})

    assert run(["diff", "ha", "--output", "json"]) == 2

    found = json.loads(capsys.readouterr().out)
    assert {one["what"] for one in found["objects"]} == {"added"}
    assert found["charts"]["before"] is None
    assert found["refusals"] == ["these are example facts: publishing refuses them until AWS has answered"]


def test_without_the_chart_values_and_fluxs_objects_are_still_there(project, without_charts, capsys):
    project.override("mine", "portal: {replicas: 4}\n")

    assert run(["diff", "ha"]) == 2

    out = capsys.readouterr().out
    assert "+ portal.replicas: 4" in out
    assert "HelmRelease harbor: changed" in out
    assert "Harbor's objects are left out" in out
    assert "helm pull harbor --repo https://127.0.0.1:1/charts --version 1.19.1" in out
    assert "harbor-core" not in out


def test_a_chart_of_one_side_only_is_no_reason_to_call_everything_new(project, chart, tmp_path, monkeypatch, capsys):
    (tmp_path / "one").mkdir()
    shutil.copy(chart, tmp_path / "one")
    monkeypatch.setenv("SLIPWAY_CHART_CACHE", str(tmp_path / "one"))
    project.settings(chartVersion="1.19.2")

    assert run(["diff", "ha", "--output", "json"]) == 2
    assert {one["component"] for one in json.loads(capsys.readouterr().out)["objects"]} == {"flux"}


def test_edits_by_hand_are_told_because_publish_would_stop(project, chart, capsys):
    path = "apps/harbor/ha/release/values/core.yaml"
    project.repository.write(path, "core: {replicas: 9}\n")

    assert run(["diff", "ha"]) == 2

    out = capsys.readouterr().out
    assert f"publish would stop: {path}: was edited by hand" in out
    assert "core.replicas: 9 → 2" in out


def test_what_is_there_need_not_render(project, chart, capsys):
    project.repository.write("apps/harbor/ha/release/values/core.yaml", "expose: {ingress: broken}\n")

    assert run(["diff", "ha"]) == 2
    assert "what is there now does not render" in capsys.readouterr().out


def test_against_a_folder(project, chart, capsys):
    write_files(
        Inputs(facts_of("ha", chartRepository="https://127.0.0.1:1/charts").to_json()).files(), project.folder / "built"
    )

    assert run(["diff", "ha", "--against", "built"]) == 0
    project.override("mine", "portal: {replicas: 5}\n")
    assert run(["diff", "ha", "--against", "built", "--summary"]) == 2
    out = capsys.readouterr().out
    assert "Deployment harbor-portal: changed" in out
    assert "@@" not in out
    assert "publish would stop" not in out
    assert run(["diff", "ha", "--against", "nowhere"]) == 1
    assert "nowhere: is no folder" in capsys.readouterr().err


def test_json_holds_no_secret_and_markdown_fits_a_comment(project, chart, capsys):
    path = "apps/harbor/ha/release/values/core.yaml"
    held = project.repository.read(path)
    # An override would be refused before anything is compared; the branch may hold one from before.
    project.repository.write(path, f"{held}  extraEnvVars: [{{name: URL, value: 'https://user:pa55word@host'}}]\n")

    for output in ("json", "markdown", "text"):
        assert run(["diff", "ha", "--output", output, "--without-checks"]) == 2
        out = capsys.readouterr().out
        assert len(out) < 65_536
        assert "it looks like a secret" in out


def test_markdown_has_forecast_and_rules_beside_it(project, chart, capsys):
    project.override("mine", "portal: {replicas: 4}\n")

    assert run(["diff", "ha", "--output", "markdown"]) == 2

    out = capsys.readouterr().out
    assert out.startswith("### ha: ")
    assert "**Forecast** $" in out
    assert "**Rules** " in out
    assert "| override-mine | `portal.replicas` |  | `4` |" in out
    assert "```diff\n" in out
    assert out.count("<details>") == out.count("</details>") > 0


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda project: project.settings(region="nowhere"), "region"),
        (lambda project: project.override("mine", "core: {replcas: 1}\n"), "did you mean 'replicas'?"),
        (lambda project: shutil.rmtree(project.repository.path), "there is no such repository"),
        (lambda project: project.override("mine", "logLevel: null\n"), "the template fails"),
        (lambda project: project.override("mine", "portal: {image: {tag: null}}\n"), "gives no YAML"),
    ],
)
def test_failures_end_with_one_and_a_message(project, chart, capsys, prepare, message):
    prepare(project)

    assert run(["diff", "ha"]) == 1
    assert message in capsys.readouterr().err


def test_facts_of_another_form_in_the_branch(project, capsys):
    project.repository.write("apps/harbor/ha/facts.json", '{"schemaVersion": 0}\n')

    assert run(["diff", "ha"]) == 1
    assert "give --facts FILE" in capsys.readouterr().err


def test_files_only_are_compared_with_their_folder(project, chart, capsys):
    facts = facts_of("ha", chartRepository="https://127.0.0.1:1/charts")
    write_files(Inputs(facts.to_json()).files(), project.folder / "delivered")
    project.settings(
        gitops={"repository": project.repository.path.as_uri(), "mode": "files", "folder": "delivered"},
    )

    assert run(["diff", "ha"]) == 0
    assert "delivered" in capsys.readouterr().out


def test_a_setting_of_harbor_reaches_its_objects(project, chart, capsys):
    project.settings(harbor={"logging": {"level": "debug"}})

    assert run(["diff", "ha", "--output", "json"]) == 2

    found = json.loads(capsys.readouterr().out)
    assert {"component": "common", "key": "logLevel", "before": '"info"', "after": '"debug"'} in found["values"]
    assert "Deployment/harbor-core" in {f"{one['kind']}/{one['name']}" for one in found["objects"] if one["rolls"]}


def test_post_renderer_patches_are_in_the_objects_or_said_to_be_missing(project, chart, capsys, monkeypatch, tmp_path):
    project.override("mine", "portal: {replicas: 4}\n")
    monkeypatch.setattr("slipway.diff.post_render.shutil.which", lambda _name: None)

    assert run(["diff", "ha"]) == 2
    assert "the post-renderer's patches are left out, for want of kustomize or kubectl" in capsys.readouterr().out


def test_a_patch_of_the_post_renderer_is_shown(project, chart, capsys):
    if not (shutil.which("kubectl") or shutil.which("kustomize")):
        pytest.skip("neither kubectl nor kustomize on PATH")
    path = "apps/harbor/ha/release/release.yaml"
    text = project.repository.read(path)
    assert "seconds: 60" in text
    project.repository.write(path, text.replace("seconds: 60", "seconds: 5"))

    assert run(["diff", "ha", "--output", "json"]) == 2
    changed = objects_of(capsys)["Deployment/harbor-core"]
    assert changed["rolls"]
    assert [line.strip("+- ") for line in changed["diff"] if line[0] in "+-"] == ["seconds: 5", "seconds: 60"]


def test_every_patched_object_still_has_its_component(chart, project):
    files = Inputs(facts_of("ha").to_json()).files()
    made = side(files, lambda _release: chart, only=["harbor"]).made["harbor"]

    assert made
    assert {one.component for one in made} == {
        "core",
        "portal",
        "registry",
        "jobservice",
        "trivy",
        "exporter",
        "ingress",
    }
