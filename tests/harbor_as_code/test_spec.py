"""harbor.yaml: every problem at once with its place; files put together; what a project is in the end."""

import json

import pytest
import yaml
from jsonschema import Draft202012Validator

from infra.errors import SpecError
from slipway.harbor.plan import Wanted
from slipway.harbor.spec import files, load
from slipway.harbor.spec.schema import harbor_schema
from tests.harbor.process import ROOT
from tests.harbor_as_code.test_kinds import WHOLE


def problems(tmp_path, *texts):
    paths = []
    for number, text in enumerate(texts):
        paths.append(tmp_path / f"{number}.yaml")
        paths[-1].write_text(text)
    with pytest.raises(SpecError) as caught:
        Wanted.of(load(paths))
    return [str(each).replace(f"{tmp_path}/", "") for each in caught.value.problems]


def whole(tmp_path, text):
    path = tmp_path / "harbor.yaml"
    path.write_text(text)
    return load([path])


#: What is written → what is said of it.
BAD = {
    "unknown key": ("label: []", "0.yaml:1 label: 'label' is no key here; did you mean 'labels'?"),
    "key of a project": (
        "projects: {a: {metdata: {}}}",
        "0.yaml:1 projects.a.metdata: 'metdata' is no key here; did you mean 'metadata'?",
    ),
    "text for a truth value": (
        "projects: {a: {metadata: {public: 'true'}}}",
        "0.yaml:1 projects.a.metadata.public: input should be a valid boolean, got 'true'",
    ),
    "setting that is never emptied": (
        "system: {config: {ldap_url: null}}",
        "0.yaml:1 system.config: harbor keeps no empty ldap_url: take the key out; auth_mode says whether it counts",
    ),
    "no certificate": (
        "registries: [{name: hub, type: harbor, url: 'https://x', ca_certificate: pem}]",
        "0.yaml:1 registries.0.ca_certificate: there is no certificate in it that can be read; give one or several as PEM, got 'pem'",
    ),
    "unit": (
        "projects: {a: {storage_quota: 5GB}}",
        "0.yaml:1 projects.a.storage_quota: write a size as 50Gi (Ki, Mi, Gi, Ti), bytes as a number, or unlimited, got '5GB'",
    ),
    "no size": (
        "projects: {a: {storage_quota: 0}}",
        "0.yaml:1 projects.a.storage_quota: a size is more than nothing and at most 1024Ti; unlimited (-1) is the other way, got 0",
    ),
    "name": (
        "projects: {Payments: }",
        "0.yaml:1 projects.Payments: string should match pattern '^[a-z0-9]+(?:[._-][a-z0-9]+)*$', got 'Payments'",
    ),
    "profile": (
        "profiles: {team: {}}\nprojects: {a: taem}",
        "0.yaml:2 projects.a.profile: there is no profile 'taem'; did you mean 'team'?\n    profiles here: team",
    ),
    "secret in clear": (
        "registries: [{name: h, type: harbor, url: x, credential: {access_secret: hunter2}}]",
        "0.yaml:1 registries.0.credential.access_secret: a secret is named here, never written\n"
        "    write {secretRef: {env: NAME}}, or awsSecretsManager or file in place of env",
    ),
    "two places of a secret": (
        "system: {config: {oidc_client_secret: {secretRef: {env: A, file: B}}}}",
        "0.yaml:1 system.config.oidc_client_secret.secretRef: name one of awsSecretsManager, env and file",
    ),
    "duplicate": (
        "labels: [{name: a}, {name: a}]",
        "0.yaml:1 labels.1: label a is declared twice, first at 0.yaml:1 labels.0\n    keep one of them",
    ),
    "duplicate in a project": (
        "projects: {a: {labels: [{name: x}, {name: x}]}}",
        "0.yaml:1 projects.a: 'x' stands here twice",
    ),
    "duplicate project": (
        "projects: [{name: a}, a]",
        "0.yaml:1 projects.1: project a stands here a second time",
    ),
    "admin": (
        "users: [{username: admin}]",
        "0.yaml:1 users.0.username: admin is Harbor's own; its password is the environment's secret, "
        "and it is not managed here, got 'admin'",
    ),
    "of a cache only": (
        "profiles: {t: {metadata: {proxy_speed_kb: 5}}}\nprojects: {a: t}",
        "0.yaml:2 projects.a: metadata.proxy_speed_kb is for caches of another registry, and a names no registry",
    ),
    "role": (
        "projects: {a: {members: {users: [{username: x, role: admin}]}}}",
        "0.yaml:1 projects.a.members.users.0.role: input should be 'projectadmin', 'maintainer', 'developer', 'guest' or 'limitedguest', got 'admin'",
    ),
    "no YAML": ("a: [", "0.yaml:2: is not YAML: did not find expected node content\n    correct the syntax"),
    "twice": ("labels: []\nlabels: []", "0.yaml:2 labels: stands here a second time\n    keep one of them"),
    "a list": ("[]", "0.yaml: must be a mapping, got list"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said_with_its_place(tmp_path, name):
    text, expected = BAD[name]
    assert problems(tmp_path, text) == [expected]
    assert "hunter2" not in expected


def test_all_problems_at_once(tmp_path):
    text = "labels: [{name: ''}, {name: a, color: red}]\nprojects: {a: {storage_quota: 5GB, members: {users: 3}}}"
    assert len(problems(tmp_path, text)) == 4


def test_a_key_that_stands_twice_hides_no_other_problem(tmp_path):
    text = "labels: []\nlabels: [{name: a, color: red}]\nprojects: {a: {storage_quota: 5GB}}"
    assert [each.partition(" ")[0] for each in problems(tmp_path, text)] == ["0.yaml:2", "0.yaml:2", "0.yaml:3"]


def test_names_that_are_no_text_to_yaml_are_told_where_they_stand(tmp_path):
    text = "projects:\n  a:\n  42:\n  yes:\n  1.5:\n"
    found = problems(tmp_path, text)
    assert [each.partition(" ")[0] for each in found] == ["0.yaml:3", "0.yaml:4", "0.yaml:5"]
    assert all("put it into quotation marks" in each for each in found)


def test_the_end_of_an_allowlist_may_stand_in_quotation_marks(tmp_path):
    for written in ("2030-01-01T00:00:00Z", "'2030-01-01T00:00:00Z'", "2030-01-01", "'2030-01-01'", "1893456000"):
        spec = whole(tmp_path, f"projects: {{a: {{cve_allowlist: {{expires_at: {written}}}}}}}")
        assert spec.all_projects["a"].cve_allowlist.expires_at == 1893456000


def test_several_files_are_one_and_conflicts_are_named(tmp_path):
    first = "system: {config: {session_timeout: 60}}\nlabels: [{name: a}]\nprojects: {a: }"
    second = "system: {config: {session_timeout: 90, read_only: true}}\nlabels: [{name: b}]\nprojects: {a: , b: }"
    assert problems(tmp_path, first, second) == [
        "1.yaml:1 system.config.session_timeout: is set in another file as well: 0.yaml:1 system.config.session_timeout\n    keep one of them",
        "1.yaml:3 projects.a: is set in another file as well: 0.yaml:3 projects.a\n    keep one of them",
    ]


def test_a_folder_is_read_whole(tmp_path):
    (tmp_path / "teams").mkdir()
    (tmp_path / "a.yaml").write_text("labels: [{name: a}]\nprofiles: {t: {storage_quota: 5Gi}}")
    (tmp_path / "teams" / "b.yml").write_text("labels: [{name: b}]\nprojects: {x: t}")
    spec = load(files(tmp_path))
    assert [each.name for each in spec.labels] == ["a", "b"]
    assert spec.all_projects["x"].storage_quota == 5 << 30
    assert spec.place(("labels", 1)) == f"{tmp_path}/teams/b.yml:1 labels.0"


def test_defaults_profile_and_project_become_one(tmp_path):
    spec = whole(
        tmp_path,
        """
project_defaults:
  metadata: {public: false, severity: critical}
  members: {groups: [{group_name: admins, role: projectadmin}]}
  cve_allowlist: {items: [CVE-1]}
profiles:
  team: {storage_quota: 50Gi, metadata: {auto_scan: true}}
projects:
  plain:
  payments:
    profile: team
    metadata: {severity: null}
    members: {groups: [{group_name: devs, role: developer}], users: []}
    cve_allowlist: {items: [CVE-2]}
""",
    )
    plain, payments = spec.all_projects["plain"], spec.all_projects["payments"]
    assert not plain.has("storage_quota")
    assert payments.storage_quota == 50 << 30
    assert dict(payments.metadata.given()) == {"public": False, "severity": None, "auto_scan": True}
    assert [each.group_name for each in payments.members.groups] == ["admins", "devs"], "named things are put together"
    assert payments.members.users == []
    assert payments.cve_allowlist.items == ["CVE-2"], "other lists are replaced"


@pytest.mark.parametrize(
    "text",
    ["projects: {a: {storage_quota: 5Gi}}", "projects: [{name: a, storage_quota: 5Gi}]", "profiles: {t: {storage_quota: 5Gi}}\nprojects: {a: t}"],
)  # fmt: skip
def test_a_project_may_be_written_in_each_of_these_ways(tmp_path, text):
    assert whole(tmp_path, text).all_projects["a"].storage_quota == 5 << 30


def test_a_thousand_projects_are_read_in_a_moment(tmp_path):
    lines = "\n".join(f"  team-{number}: t" for number in range(1000))
    spec = whole(tmp_path, f"profiles: {{t: {{labels: [{{name: x}}]}}}}\nprojects:\n{lines}")
    assert len(Wanted.of(spec).objects) == 2000


def test_the_committed_schema_is_current_and_takes_what_the_loader_takes(tmp_path):
    schema = json.loads((ROOT / "stacks" / "harbor-schema.json").read_text())
    assert schema == harbor_schema(), "run: slipway schema"
    validator = Draft202012Validator(schema)
    for text in (WHOLE, "projects: [a, {name: b, storage_quota: 5Gi}]", "projects: {a: team, b: }"):
        assert not list(
            validator.iter_errors(
                yaml.safe_load(text.replace("2030-01-31T00:00:00Z", "1").replace("2031-01-01T00:00:00Z", "2"))
            )
        )
    for text in ("label: []", "projects: {a: {metdata: {}}}", "projects: {a: {storage_quota: 5GB}}"):
        assert list(validator.iter_errors(yaml.safe_load(text))), text
