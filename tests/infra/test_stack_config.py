"""The stack file's reader: every problem in one report, with file, line, key, value and next step."""

from pathlib import Path

import pytest

from infra.errors import SettingsError
from infra.stack_config import environments, from_stack_file

ROOT = Path(__file__).parents[2]
GOOD = {
    "slipway:domain": "harbor.example.com",
    "slipway:region": "eu-central-1",
    "slipway:gitops": "{repository: https://git.example.com/gitops.git}",
}


@pytest.fixture
def report(tmp_path):
    """Write a stack file and give the report on it."""

    def read(text: str, environment: str = "prod") -> str:
        (tmp_path / "stacks").mkdir(exist_ok=True)
        path = tmp_path / "stacks" / f"Pulumi.{environment}.yaml"
        path.write_text(text)
        with pytest.raises(SettingsError) as caught:
            from_stack_file(path)
        return str(caught.value).replace(f"{path.parent}/", "")

    return read


def stack(**changes: str | None) -> str:
    """Give a good stack file with some keys changed, or left out with None."""
    config = {**GOOD, **{f"slipway:{key}": value for key, value in changes.items()}}
    return "config:\n" + "".join(f"  {key}: {value}\n" for key, value in config.items() if value is not None)


def test_the_three_ready_stacks_are_usable():
    profiles = {name: from_stack_file(ROOT / "stacks" / f"Pulumi.{name}.yaml").profile for name in environments(ROOT)}

    assert {name: profiles[name] for name in ("dev", "ha", "large")} == {"dev": "dev", "ha": "ha", "large": "large"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"domain": None},
            "Pulumi.prod.yaml:1 slipway:domain: domain is missing\n    The registry's host name, harbor.example.com.",
        ),
        (
            {"regoin": "eu-west-1"},
            "Pulumi.prod.yaml:5 slipway:regoin: unknown setting 'regoin'; did you mean 'region'?\n    known: domain, ",
        ),
        (
            {"profile": "huge"},
            "Pulumi.prod.yaml:5 slipway:profile: input should be 'dev', 'ha' or 'large', got \"huge\"",
        ),
        (
            {"account": "111122223333"},
            "Pulumi.prod.yaml:5 slipway:account: must be a string (quote it in YAML), got 111122223333",
        ),
        (
            {"zones": "[eu-central-1a, eu-central-1b]"},
            "Pulumi.prod.yaml:5 slipway:zones: profile ha needs three zones, got 2: eu-central-1a, eu-central-1b",
        ),
        (
            {"zones": "[eu-central-1a, eu-central-1b, eu-west-1c]"},
            "Pulumi.prod.yaml:5 slipway:zones: eu-west-1c is not in region eu-central-1\n    zones look like eu-central-1a",
        ),
        (
            {"network": "{cidr: 10.0.0.0/20}"},
            'Pulumi.prod.yaml:5 slipway:network.cidr: "10.0.0.0/20" is not a /16, /17 or /18\n    AWS takes no larger VPC',
        ),
        (
            {"network": "{cidr: 10.0.0.0/16, peerCidrs: [192.168.0.0/16, 10.0.128.0/20]}"},
            "slipway:network.peerCidrs: 10.0.128.0/20 overlaps cidr 10.0.0.0/16\n    choose networks that share no address",
        ),
        (
            {"network": "{cidr: 172.20.0.0/16}"},
            'slipway:network.serviceCidr: "172.20.0.0/16" overlaps cidr 172.20.0.0/16',
        ),
        (
            {"domain": "registry"},
            'Pulumi.prod.yaml:2 slipway:domain: "registry" is not a domain name\n    use lower-case labels joined by dots',
        ),
        (
            {"kubernetesVersion": '"1.21"'},
            'Pulumi.prod.yaml:5 slipway:kubernetesVersion: "1.21" is outside support\n    supported: 1.3',
        ),
        (
            {"chartVersion": "1.14.0"},
            'Pulumi.prod.yaml:5 slipway:chartVersion: "1.14.0" is outside support\n    supported: 1.19.2, 1.19.1, 1.18.3',
        ),
        (
            {"sizes": "{nodeType: m7g.large}"},
            'slipway:sizes.nodeType: "m7g.large" is arm64 (Graviton), Harbor\'s images are amd64 up to 2.15',
        ),
        (
            {"sizes": "{databaseClass: db.x9.huge}"},
            'slipway:sizes.databaseClass: "db.x9.huge" is not in tables/database.yaml',
        ),
        (
            {"dns": "{delegateFrom: example.org}"},
            "slipway:dns: delegateFrom: the domain harbor.example.com is not below the zone example.org",
        ),
        (
            {"dns": "{delegateFrom: example.com, existingZone: example.com}"},
            "slipway:dns: existingZone and delegateFrom exclude each other\n    keep the one that is meant",
        ),
        ({"signIn": "{mode: oidc}"}, "slipway:signIn: mode oidc and the section oidc belong together"),
        (
            {"cluster": "{publicAccessCidrs: [0.0.0.0/0]}"},
            "slipway:cluster.publicAccessCidrs: 0.0.0.0/0 opens the API server to the world",
        ),
        (
            {"gitops": "{repository: https://git.example.com/x.git, path: ../other}"},
            'slipway:gitops.path: "../other" is not a plain folder inside the repository',
        ),
        (
            {"harbor": "{expose: {allowedCidrs: [10.0.0.0/8, 999.0.0.0/33, 10.0.0.1/8]}}"},
            "slipway:harbor.expose.allowedCidrs: 999.0.0.0/33, 10.0.0.1/8 is no IPv4 network in CIDR notation",
        ),
        (
            {"harbor": "{expose: {type: nginx, tlsSecret: Harbor TLS}}"},
            'slipway:harbor.expose.tlsSecret: "Harbor TLS" does not have the form of tlsSecret',
        ),
        (
            {"harbor": "{pullSecrets: {enabled: true, robots: [ci, ci]}}"},
            "slipway:harbor.pullSecrets.robots: ci, ci: each robot is named once",
        ),
        ({"harbor": "{trivy: {severity: HIHG}}"}, '"HIHG" does not have the form of severity'),
        ({"harbor": "{trivy: {dbRepositories: []}}"}, "slipway:harbor.trivy.dbRepositories: "),
        (
            {"harbor": "{trivy: {dbRepositories: [ghcr.io/a/trivy-db:2, 'https://b/c']}}"},
            "slipway:harbor.trivy.dbRepositories: https://b/c is no repository",
        ),
        ({"harbor": "{trivy: {cacheSize: 0Gi}}"}, '"0Gi" does not have the form of cacheSize'),
        (
            {"harbor": "{expose: {type: nginx, internal: true, allowedCidrs: [10.0.0.0/8]}}"},
            "slipway:harbor.expose: internal and allowedCidrs are not read by type nginx",
        ),
        ({"harbor": "{expose: {tlsSecret: mine}}"}, "slipway:harbor.expose: tlsSecret is not read by type alb"),
        (
            {"harbor": "{logging: {auditForward: 'logs.example.com:70000'}}"},
            'auditForward: "logs.example.com:70000" is not host:port',
        ),
        ({"harbor": "{trace: {endpoint: 'otel.tracing:70000'}}"}, "'otel.tracing:70000' is not host:port"),
        ({"harbor": "{proxy: {https: 'http://proxy:99999'}}"}, "is not a proxy URL without credentials"),
        ({"harbor": "{proxy: {noProxy: ['a b', 'c,d', e]}}"}, "a b, c,d is no host, domain or network"),
        (
            {"harbor": "{scannerAdapter: {name: x, url: 'http://x:0'}}"},
            'url: "http://x:0" is not an http URL without credentials',
        ),
        (
            {"harbor": "{monitoring: {runbooks: our wiki}}"},
            'runbooks: "our wiki" is not an http URL without credentials',
        ),
        ({"harbor": "{monitoring: {labels: {release: our prometheus}}}"}, "release: our prometheus is no label"),
        ({"harbor": "{scheduling: {nodeSelector: {a b: c}}}"}, "a b: c is no label"),
        ({"harbor": "{scheduling: {tolerations: [{efect: NoSchedule}]}}"}, "efect is no key of a toleration"),
        ({"harbor": "{scheduling: {tolerations: [{operator: In}]}}"}, "operator 'In' is not known"),
        (
            {"harbor": "{layer3: {enabled: true, image: our image}}"},
            'layer3.image: "our image" does not have the form of image',
        ),
        (
            {"harbor": "{layer3: {enabled: true, image: x, schedule: daily}}"},
            "'daily' is no time of five fields",
        ),
        (
            {"harbor": "{layer3: {schedule: 0 17 * * * *}}"},
            "'0 17 * * * *' has six fields, as Harbor writes a time, and Kubernetes takes five",
        ),
        ({"harbor": "{layer3: {schedule: 0 25 * * *}}"}, "'25' in '0 25 * * *' is no hour"),
        ({"harbor": "{layer3: {rotate: '*/0 4 * * *'}}"}, "'*/0' in '*/0 4 * * *' is no minute"),
        (
            {"harbor": "{layer3: {enabled: true, image: 'registry.example.com/slipway:latest'}}"},
            "registry.example.com/slipway:latest is another one each day",
        ),
        (
            {"gitops": "{repository: https://git.example.com/x.git, branch: a..b}"},
            'slipway:gitops.branch: "a..b" is not a branch name that git accepts',
        ),
    ],
)
def test_one_bad_setting_is_reported_with_place_value_and_next_step(report, changes, expected):
    assert expected in report(stack(**changes))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("config:\n  1: x\n", "Pulumi.prod.yaml:2 1: 1 is no configuration key"),
        (
            "config:\n  domain: x\n",
            "'domain' is no configuration key\n    Pulumi wants <package>:<name>; did you mean slipway:domain?",
        ),
        ("1: x\nconfig: {}\n", "Pulumi.prod.yaml:1 1: unknown key 1\n    settings stand below config:"),
        ("config: [a]\n", "config must be a mapping, got ['a']"),
        ("hello\n", "must be a mapping with the key config, got 'hello'"),
        ("", "slipway:domain: domain is missing"),
        (
            stack(domain="{secure: v1:abc}"),
            "slipway:domain: is encrypted, and is no secret\n    pulumi config set slipway:domain VALUE",
        ),
        (stack(gitToken="ghp_abc"), "slipway:gitToken: is a secret in plain text\n    take it out of the file"),
        (
            "config:\n  slipway:region: a\n  slipway:region: b\n",
            "Pulumi.prod.yaml:3 slipway:region: stands here a second time\n    keep one of them",
        ),
        (
            "config:\n  slipway:sizes:\n    - {nodeType: a, nodeType: b}\n",
            "Pulumi.prod.yaml:3 nodeType: stands here a second time",
        ),
        (stack(environment="prod"), "slipway:environment: the environment is no setting\n    remove the key"),
    ],
)
def test_odd_files(report, text, expected):
    assert expected in report(text)
    assert "ghp_abc" not in report(text)


def test_a_file_that_is_no_text(tmp_path):
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(SettingsError, match="is not UTF-8 text"):
        from_stack_file(path)


def test_all_problems_come_in_one_report(report):
    text = report(
        stack(domain="x", region=None, profile="huge", chartVersion='"2"', signIn="{mode: 3}") + "colour: red\n"
    )

    for key in ("slipway:domain", "slipway:region", "slipway:profile", "slipway:chartVersion", "signIn.mode", "colour"):
        assert key in text


def test_credentials_in_the_repository_url_are_refused_and_never_shown(report):
    text = report(stack(gitops="{repository: 'https://joe:s3cret@git.example.com/gitops.git'}"))

    assert "carries credentials" in text
    assert "s3cret" not in text
    assert "joe" not in text


def test_an_environment_name_that_aws_names_cannot_hold_is_refused(report):
    assert "does not have the form of an environment name" in report(stack(), environment="Prod_1")


def test_a_missing_stack_file_names_those_that_exist(tmp_path):
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.dev.yaml").write_text(stack())

    with pytest.raises(SettingsError, match="environments here: dev; `slipway init` makes a new one"):
        from_stack_file(tmp_path / "stacks" / "Pulumi.prod.yaml")


def test_broken_yaml_names_its_line(report):
    assert report("config:\n  slipway:domain: [a\n").startswith("Pulumi.prod.yaml:3: is not YAML: ")


def test_what_pulumi_writes_into_a_stack_file_is_accepted(tmp_path):
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text(
        stack(gitToken="{secure: v1:abc}")
        + "  aws:skipMetadataApiCheck: true\nencryptionsalt: v1:x\nsecretsprovider: awskms://alias/x\n"
    )

    settings = from_stack_file(path)

    assert settings.git_token is not None
    assert "v1:abc" not in repr(settings)


def test_settings_are_frozen():
    settings = from_stack_file(ROOT / "stacks" / "Pulumi.dev.yaml")

    with pytest.raises(ValueError, match="frozen"):
        settings.domain = "other.example.com"
