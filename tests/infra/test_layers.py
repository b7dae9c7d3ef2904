"""Settings in layers: what wins, which file a report names, what may not be shared, and that both readers agree."""

import contextvars
import json
from pathlib import Path

import pytest
import yaml
from pulumi.runtime.config import set_all_config

from infra.errors import SettingsError
from infra.stack_config import from_pulumi_config, from_stack_file, whole_stack_file
from slipway.graph.record import configuration

STACK = """config:
  slipway:domain: harbor.example.com
  slipway:gitops: {path: prod}
"""
SHARED = """region: eu-central-1
gitops: {repository: "https://git.example.com/gitops.git", branch: live}
"""


@pytest.fixture
def stacks(tmp_path):
    """A project's folder of stacks, with an environment prod and what it shares."""
    folder = tmp_path / "stacks"
    (folder / "groups").mkdir(parents=True)
    (folder / "Pulumi.prod.yaml").write_text(STACK)
    (folder / "defaults.yaml").write_text(SHARED)
    return folder


def settings_of(stacks: Path):
    """Give the settings of prod, after both readers agreed on them."""
    path = stacks / "Pulumi.prod.yaml"
    from_file = from_stack_file(path)
    config = configuration(yaml.safe_load(path.read_text()))

    def in_the_program():
        set_all_config(config)
        return from_pulumi_config("prod", stacks)

    assert contextvars.copy_context().run(in_the_program) == from_file
    return from_file


def report(stacks: Path) -> str:
    """Give what is wrong with prod, with paths as a person of the project writes them."""
    with pytest.raises(SettingsError) as caught:
        from_stack_file(stacks / "Pulumi.prod.yaml")
    return str(caught.value).replace(f"{stacks.parent}/", "")


def stack(stacks: Path, text: str) -> None:
    (stacks / "Pulumi.prod.yaml").write_text(STACK + text)


def test_mappings_are_put_together_key_by_key(stacks):
    (stacks / "groups" / "emea.yaml").write_text("gitops: {branch: emea}\ntags: {team: emea, cost: shared}\n")
    stack(stacks, "  slipway:group: emea\n  slipway:tags: {team: prod}\n")

    settings = settings_of(stacks)

    assert settings.gitops.repository == "https://git.example.com/gitops.git"
    assert (settings.gitops.branch, settings.gitops.path) == ("emea", "prod")
    assert settings.tags == {"team": "prod", "cost": "shared"}
    assert settings.group == "emea"


def test_a_list_or_a_single_value_replaces_the_one_below(stacks):
    (stacks / "defaults.yaml").write_text(f"{SHARED}profile: dev\nnetwork: {{peerCidrs: [10.1.0.0/16, 10.2.0.0/16]}}\n")
    stack(stacks, "  slipway:network: {peerCidrs: [10.3.0.0/16]}\n  slipway:profile: ha\n")

    settings = settings_of(stacks)

    assert settings.network.peer_cidrs == ("10.3.0.0/16",)
    assert settings.profile == "ha"


def test_null_takes_a_shared_choice_back_and_an_empty_value_is_no_choice(stacks):
    (stacks / "defaults.yaml").write_text(f"{SHARED}network: {{nat: single}}\nowner: shared\ntags: {{a: b}}\n")
    stack(stacks, '  slipway:network: {nat: null}\n  slipway:owner: ""\n  slipway:tags: {}\n')

    settings = settings_of(stacks)

    assert settings.nat == "per-zone"
    assert (settings.owner, settings.tags) == ("shared", {"a": "b"})


def test_a_boolean_of_the_shared_file_reaches_the_program(stacks):
    (stacks / "defaults.yaml").write_text(f"{SHARED}keepData: false\n")

    assert settings_of(stacks).keep_data is False


def test_without_shared_files_a_stack_file_stands_alone(stacks):
    (stacks / "defaults.yaml").unlink()

    assert "slipway:region: region is missing" in report(stacks)


@pytest.mark.parametrize(
    ("shared", "own", "expected"),
    [
        pytest.param(
            "network: {cidr: 10.0.0.0/30}\n",
            "",
            'stacks/defaults.yaml:3 network.cidr: "10.0.0.0/30" is not a /16, /17 or /18',
            id="shared",
        ),
        pytest.param(
            "network: {cidr: 10.0.0.0/16}\n",
            "  slipway:network:\n    cidr: 10.0.0.0/30\n",
            'stacks/Pulumi.prod.yaml:5 slipway:network.cidr: "10.0.0.0/30" is not',
            id="own over shared",
        ),
        pytest.param(
            "regoin: x\n",
            "",
            "stacks/defaults.yaml:3 regoin: unknown setting 'regoin'; did you mean 'region'?",
            id="typo",
        ),
        pytest.param(
            "harbor:\n  expose:\n    tpye: alb\n",
            "",
            "stacks/defaults.yaml:5 harbor.expose.tpye: unknown setting 'tpye'; did you mean 'type'?",
            id="typo in depth",
        ),
        pytest.param(
            "dns: {delegateFrom: example.org}\n",
            "",
            "stacks/defaults.yaml:3 dns: delegateFrom: the domain harbor.example.com is not below the zone example.org",
            id="two layers that do not agree",
        ),
        pytest.param(
            "zones: [eu-central-1a, eu-central-1b, us-east-1a]\n",
            "",
            "stacks/defaults.yaml:3 zones: us-east-1a is not in region eu-central-1",
            id="list",
        ),
        pytest.param(
            "gitToken: ghp_abc\n",
            "",
            "stacks/defaults.yaml:3 gitToken: is a secret in plain text\n    take it out of the file and of Git's history",
            id="secret",
        ),
        pytest.param(
            "gitToken: {secure: v1:abc}\n",
            "",
            "stacks/defaults.yaml:3 gitToken: is encrypted, with the key of one stack\n    only that stack's file can hold"
            " it: pulumi config set --secret slipway:gitToken --stack ENV",
            id="encrypted",
        ),
        pytest.param(
            "tags: {a: {secure: v1:abc}}\n",
            "",
            "stacks/defaults.yaml:3 tags: is encrypted, with the key of one stack",
            id="encrypted inside",
        ),
        pytest.param(
            "environment: prod\n",
            "",
            "stacks/defaults.yaml:3 environment: the environment is nothing to share\n    remove the key: the file's name",
            id="environment",
        ),
        pytest.param(
            "group: emea\n", "", "stacks/defaults.yaml:3 group: the group is nothing to share", id="group of all"
        ),
        pytest.param(
            "config: {}\n",
            "",
            "stacks/defaults.yaml:3 config: 'config' is no setting: here they stand without config: and without slipway:",
            id="config",
        ),
        pytest.param(
            "slipway:owner: me\n",
            "",
            "stacks/defaults.yaml:3 slipway:owner: 'slipway:owner' is no setting",
            id="prefix",
        ),
        pytest.param(
            "",
            "  slipway:group: emae\n",
            "stacks/Pulumi.prod.yaml:4 slipway:group: there is no stacks/groups/emae.yaml; did you mean 'emea'?\n    groups",
            id="unknown group",
        ),
        pytest.param(
            "",
            "  slipway:group: ../../etc/passwd\n",
            "stacks/Pulumi.prod.yaml:4 slipway:group: '../../etc/passwd' is no name of a group",
            id="group as a path",
        ),
        pytest.param("- a\n", "", "stacks/defaults.yaml:3: is not YAML", id="syntax"),
    ],
)
def test_a_report_names_the_file_that_holds_the_bad_value(stacks, shared, own, expected):
    (stacks / "groups" / "emea.yaml").write_text("{}\n")
    (stacks / "defaults.yaml").write_text(SHARED + shared)
    stack(stacks, own)

    said = report(stacks)

    assert expected in said
    assert "abc" not in said


def test_all_files_are_reported_at_once(stacks):
    (stacks / "groups" / "emea.yaml").write_text("gitToken: x\nstorage: nfs\n")
    (stacks / "defaults.yaml").write_text(f"{SHARED}colour: red\n")
    stack(stacks, "  slipway:group: emea\n  slipway:zones: 3\n")

    said = report(stacks)

    for part in (
        "groups/emea.yaml:1 gitToken",
        "groups/emea.yaml:2 storage",
        "defaults.yaml:3 colour",
        "prod.yaml:5 slipway:zones",
    ):
        assert part in said


def test_a_shared_file_that_is_no_mapping(stacks):
    (stacks / "defaults.yaml").write_text("- region\n")

    assert report(stacks) == "stacks/defaults.yaml: must be a mapping of settings, got ['region']"


def test_an_alias_that_leads_back_to_itself_ends_in_a_message(stacks):
    (stacks / "defaults.yaml").write_text("tags: &a {b: *a}\n")

    assert report(stacks) == "stacks/defaults.yaml: holds an alias that leads back to itself"


def test_a_merge_key_of_yaml_has_a_place(stacks):
    stack(stacks, "  slipway:sizes: &sizes\n    nodeType: nonsense\n  slipway:tags: {}\n")
    assert "stacks/Pulumi.prod.yaml:5 slipway:sizes.nodeType" in report(stacks)
    (stacks / "defaults.yaml").write_text(f"{SHARED}harbor:\n  x: &x\n    nodeType: nonsense\nsizes: {{<<: *x}}\n")
    stack(stacks, "")

    assert "stacks/defaults.yaml:5 sizes.nodeType" in report(stacks)


def test_a_secret_of_the_stack_file_stays_one(stacks):
    stack(stacks, "  slipway:gitToken: {secure: v1:abc}\n")

    settings = from_stack_file(stacks / "Pulumi.prod.yaml")

    assert settings.git_token is not None
    assert "abc" not in repr(settings)


def test_a_report_of_the_program_names_the_shared_file_as_well(stacks):
    (stacks / "defaults.yaml").write_text(f"{SHARED}storage: nfs\n")

    def in_the_program():
        set_all_config({"slipway:domain": "x", "slipway:region": "", "slipway:gitops": "{}"})
        return from_pulumi_config("prod", stacks)

    with pytest.raises(SettingsError) as caught:
        contextvars.copy_context().run(in_the_program)

    said = str(caught.value)
    assert f"{stacks}/defaults.yaml:3 storage: input should be 'efs' or 's3', got \"nfs\"" in said
    assert 'stacks/Pulumi.prod.yaml slipway:domain: "x" is not a domain name' in said


def test_the_whole_stack_file_holds_what_is_shared_and_reads_the_same(stacks, tmp_path):
    (stacks / "groups" / "emea.yaml").write_text("owner: emea\n")
    stack(stacks, "  slipway:group: emea\n  aws:skipMetadataApiCheck: true\n  slipway:gitToken: {secure: v1:abc}\n")
    whole = whole_stack_file(stacks / "Pulumi.prod.yaml")
    alone = tmp_path / "elsewhere" / "Pulumi.prod.yaml"
    alone.parent.mkdir()
    alone.write_text(yaml.safe_dump(whole))

    assert from_stack_file(alone) == from_stack_file(stacks / "Pulumi.prod.yaml").model_copy(update={"group": ""})
    assert whole["config"]["aws:skipMetadataApiCheck"] is True
    # Over the shared files once more, as the program of a rehearsal in the project's folder would, nothing changes.
    (stacks / "Pulumi.prod.yaml").write_text(yaml.safe_dump(whole))
    assert whole_stack_file(stacks / "Pulumi.prod.yaml") == whole


def test_a_shared_file_is_parsed_once_for_many_stacks_and_again_when_it_changes(stacks, monkeypatch):
    from infra import layers

    read = []
    parsed = layers.parsed
    monkeypatch.setattr(layers, "parsed", lambda path, content: read.append(path.name) or parsed(path, content))
    for number in range(20):
        (stacks / f"Pulumi.t{number}.yaml").write_text(STACK)
        from_stack_file(stacks / f"Pulumi.t{number}.yaml")
    assert read.count("defaults.yaml") == 1

    (stacks / "defaults.yaml").write_text(f"{SHARED}owner: changed\n")

    assert from_stack_file(stacks / "Pulumi.t1.yaml").owner == "changed"


def test_the_schema_of_a_shared_file_takes_what_the_reader_takes():
    import jsonschema

    from infra.schema import shared_file_schema

    schema = shared_file_schema()
    committed = Path(__file__).parents[2] / "stacks" / "shared-schema.json"
    assert json.loads(committed.read_text()) == schema, "run: slipway schema"
    jsonschema.validate(
        {"region": "eu-central-1", "gitops": {"branch": "live"}, "harbor": {"internalTls": True}}, schema
    )
    for wrong in (
        {"gitToken": "x"},
        {"regoin": "x"},
        {"group": "x"},
        {"config": {}},
        {"harbor": {"expose": {"tpye": "x"}}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
