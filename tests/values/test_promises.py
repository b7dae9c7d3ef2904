"""Overrides that break a promise are refused with the reason; overrides that do not are taken."""

import pytest

from tests.values.conftest import exposed, facts_of
from values.broken import _CONTAINERS
from values.contract import contract, has
from values.errors import ValuesError
from values.facts import SUPPORTED_CHART_VERSIONS
from values.pins import CHART_DEFAULTS, PINS, PINS_IF_WRITTEN
from values.render import render
from values.secrets import secrets_for

SECRET = "the secret table fills this Secret only; without it the chart makes up a value at each rendering"
TABLE = "leave it out: docs/secrets.md says what each Secret holds and how it is rotated"
BLOBS = "the registry would look for its blobs elsewhere and find none, or its pods could not share them"
LABELS = "[{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {a: b}}}]"


def refused(facts=None, **overrides: str) -> str:
    """Give what is said about overrides that must be refused."""
    with pytest.raises(ValuesError) as caught:
        render(facts or facts_of("ha"), overrides)
    return str(caught.value)


# Each promise: the facts it is about, an override that breaks it, and one beside it that does not.
WRONG_AND_RIGHT = [
    pytest.param(
        {},
        "fullnameOverride: registry",
        'fullnameOverride: must stay "harbor", got "registry": under another name Helm removes every object of the old '
        "one, and the volumes are orphaned\n    leave it out; a second registry is an environment of its own",
        "fullnameOverride: harbor",
        id="fullname",
    ),
    pytest.param(
        {},
        "nameOverride: registry",
        'nameOverride: must stay unset, got "registry": under another name Helm removes every object of the old one, '
        "and the volumes are orphaned\n    leave it out; a second registry is an environment of its own",
        'nameOverride: ""',
        id="name",
    ),
    *(
        pytest.param(
            more,
            f"{{{key}: mine}}",
            f'{key}: must stay "{name}", got "mine": {SECRET}\n    {TABLE}',
            f"{{{key}: {name}}}",
            id=key,
        )
        for key, name, more in [
            ("existingSecretAdminPassword", "harbor-admin", {}),
            ("existingSecretSecretKey", "harbor-secretkey", {}),
            ("core.existingSecret", "harbor-core-shared", {}),
            ("core.secretName", "harbor-token-service", {}),
            ("core.existingXsrfSecret", "harbor-xsrf", {}),
            ("jobservice.existingSecret", "harbor-jobservice-shared", {}),
            ("registry.existingSecret", "harbor-registry-http", {}),
            ("registry.credentials.existingSecret", "harbor-registry-creds", {}),
            ("database.external.existingSecret", "harbor-db", {}),
            ("persistence.imageChartStorage.s3.existingSecret", "harbor-s3", {"storage": "s3"}),
        ]
    ),
    pytest.param(
        {},
        "{core.secretName: null}",
        f'core.secretName: must stay "harbor-token-service", and is deleted: {SECRET}',
        "{core.tokenCert: ''}",
        id="deleted",
    ),
    pytest.param(
        {},
        "{core.tokenCert: abc}",
        f'core.tokenCert: must stay unset, got "abc": {SECRET}',
        "{core.tokenCert: null}",
        id="token",
    ),
    pytest.param(
        {},
        "{core.existingXsrfSecretKey: KEY}",
        'core.existingXsrfSecretKey: must stay unset, got "KEY": the secret table fills this key of the Secret only',
        "{core.existingXsrfSecretKey: CSRF_KEY}",
        id="key-in-secret",
    ),
    pytest.param(
        {},
        "{registry.credentials.username: admin}",
        'registry.credentials.username: must stay "harbor_registry_user", got "admin": the htpasswd line in '
        "harbor-registry-creds is this user's",
        "{registry.credentials.username: harbor_registry_user}",
        id="registry-user",
    ),
    pytest.param(
        {},
        "{database.external.username: postgres}",
        'must stay "harbor", got "postgres": the password in harbor-db is this role\'s',
        "{database.external.username: harbor}",
        id="database-user",
    ),
    pytest.param(
        {},
        "{redis.external.username: other}",
        'must stay unset, got "other": user and password come together, from harbor-redis',
        "{redis.external.jobserviceDatabaseIndex: '3'}",
        id="cache-user",
    ),
    pytest.param(
        {},
        "{redis.external.existingSecret: mine}",
        'must stay unset, got "mine": the chart reads it while it renders, and a missing one is an empty password',
        "{redis.external.existingSecret: ''}",
        id="cache-lookup",
    ),
    pytest.param(
        {},
        "{expose.tls.certSource: auto}",
        'expose.tls.certSource: must stay "none", got "auto": TLS ends where the exposure says; the chart\'s own '
        "certificate (auto) is another at each rendering\n    set harbor.expose in the stack file",
        "{expose.tls.certSource: none}",
        id="certificate",
    ),
    pytest.param(
        {"harbor": {"internalTls": True}},
        "{internalTLS.certSource: auto}",
        'internalTLS.certSource: must stay "secret", got "auto": the five certificates are one authority\'s',
        "{internalTLS.certSource: secret}",
        id="internal-certificates",
    ),
    pytest.param(
        {},
        "{internalTLS.enabled: true}",
        "internalTLS.enabled: must stay unset, got true: the five certificates are one authority's, which the program "
        "keeps; the chart's own (auto) are others at each rendering\n    set harbor.internalTls in the stack file",
        "{internalTLS.enabled: false}",
        id="internal-tls",
    ),
    pytest.param(
        {},
        "{expose.type: loadBalancer}",
        'expose.type: must stay "ingress", got "loadBalancer": load balancer, certificate and network policies',
        "{expose.ingress.annotations: {alb.ingress.kubernetes.io/wafv2-acl-arn: 'arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/harbor/a1b2c3d4-5678-90ab-cdef-EXAMPLE11111'}}",
        id="exposure",
    ),
    pytest.param(
        {},
        "{expose.ingress.hosts.core: other.example.com}",
        'expose.ingress.hosts.core: must stay "registry.ha.example.com", got "other.example.com": certificate, DNS '
        "record and externalURL are the domain's\n    set domain in the stack file",
        "{expose.ingress.labels: {team: registry}}",
        id="host",
    ),
    pytest.param(
        {},
        "externalURL: https://registry.ha.example.com/",
        'externalURL: must be scheme and host, got "https://registry.ha.example.com/": a path or a slash at its end '
        "breaks every login\n    leave it out: it follows domain in the stack file",
        "externalURL: https://registry.ha.example.com",
        id="url-with-path",
    ),
    pytest.param(
        {},
        "externalURL: http://registry.ha.example.com",
        'externalURL: must stay "https://registry.ha.example.com", got "http://registry.ha.example.com": certificate',
        "logLevel: debug",
        id="url",
    ),
    pytest.param(
        {},
        "{expose.externalURL: https://registry.ha.example.com}",
        "expose.externalURL: is ignored below expose: externalURL is a key of the top level (goharbor/harbor#18483)",
        "externalURL: https://registry.ha.example.com",
        id="url-nested",
    ),
    pytest.param(
        {},
        "{database.type: internal}",
        'database.type: must stay "external", got "internal": Harbor would start with an empty database\n    leave it '
        "out; docs/recovery.md moves a database",
        "{database.maxIdleConns: 10}",
        id="database",
    ),
    pytest.param(
        {},
        "{database.external.host: db.example.com}",
        'got "db.example.com": it is a fact: the database job and the network policies follow it as well',
        "{database.external.port: '5432'}",
        id="database-host",
    ),
    pytest.param(
        {},
        "{database.external.sslmode: disable}",
        'database.external.sslmode: must be require or stricter, got "disable": the way to the database would be open\n'
        "    one of require, verify-ca, verify-full",
        "{database.external.sslmode: verify-full}",
        id="sslmode",
    ),
    pytest.param(
        {},
        "{redis.type: internal}",
        'redis.type: must stay "external", got "internal": sessions, queued jobs and their schedules would be gone',
        "{redis.type: external}",
        id="cache",
    ),
    pytest.param(
        {},
        "{redis.external.addr: 'clustercfg.harbor.abc123.euc1.cache.amazonaws.com:6379'}",
        'redis.external.addr: "clustercfg.harbor.abc123.euc1.cache.amazonaws.com:6379" is a cluster-mode endpoint: '
        "Harbor's clients follow no MOVED, and use several databases\n    give the primary endpoint of a replication "
        "group with cluster mode disabled",
        "{redis.external.addr: 'master.harbor-cache.abc123.euc1.cache.amazonaws.com:6379'}",
        id="cluster-mode",
    ),
    pytest.param(
        {},
        "{redis.external.addr: 'other:6379'}",
        'got "other:6379": it is a fact, and the password in harbor-redis is this cache\'s',
        "{redis.external.cacheLayerDatabaseIndex: '8'}",
        id="cache-host",
    ),
    pytest.param(
        {},
        "{redis.external.tlsOptions.enable: false}",
        "redis.external.tlsOptions.enable: must stay true, got false: the cache speaks TLS only",
        "{redis.external.tlsOptions.enable: true}",
        id="cache-tls",
    ),
    pytest.param(
        {},
        "{redis.external.coreDatabaseIndex: '3'}",
        'redis.external.coreDatabaseIndex: must stay "0", got "3": core knows no other index',
        "{redis.external.coreDatabaseIndex: '0'}",
        id="cache-index",
    ),
    pytest.param(
        {},
        "{persistence.imageChartStorage.type: s3}",
        f'must stay "filesystem", got "s3": {BLOBS}\n    leave it out: storage in the stack file decides, before the',
        "{persistence.imageChartStorage.disableredirect: true}",
        id="storage",
    ),
    pytest.param(
        {"storage": "s3"},
        "{persistence.imageChartStorage.s3.rootdirectory: /other}",
        f'must stay unset, got "/other": {BLOBS}',
        "{persistence.imageChartStorage.s3.encrypt: true}",
        id="storage-s3",
    ),
    pytest.param(
        {},
        "{persistence.persistentVolumeClaim.registry.existingClaim: mine}",
        f'must stay "harbor-registry", got "mine": {BLOBS}',
        "{persistence.persistentVolumeClaim.registry.accessMode: ReadWriteMany}",
        id="claim",
    ),
    pytest.param(
        {},
        "{persistence.resourcePolicy: ''}",
        'persistence.resourcePolicy: must stay unset, got "": an uninstall would delete the volumes',
        "{persistence.resourcePolicy: keep}",
        id="kept",
    ),
    pytest.param(
        {},
        "{persistence.enabled: false}",
        f"persistence.enabled: must stay unset, got false: {BLOBS}",
        "{persistence.enabled: true}",
        id="persistence",
    ),
    pytest.param(
        {},
        "{persistence.persistentVolumeClaim.trivy.accessMode: ReadWriteMany}",
        'must stay "ReadWriteOnce", got "ReadWriteMany": scanners that share a volume lock each other out',
        "{persistence.persistentVolumeClaim.trivy.storageClass: fast}",
        id="scanners-volume",
    ),
    pytest.param(
        {},
        "{updateStrategy.type: Recreate}",
        'updateStrategy.type: must stay "RollingUpdate", got "Recreate": the switch fails on a live release under '
        "server-side apply (goharbor/harbor-helm#2288)\n    leave it out",
        "{updateStrategy.type: RollingUpdate}",
        id="strategy",
    ),
    pytest.param(
        {},
        "enableMigrateHelmHook: true",
        "enableMigrateHelmHook: must stay false, got true: every start of core migrates under a lock; the hook runs "
        "with the old configuration and no CA bundle",
        "enableMigrateHelmHook: false",
        id="migration-hook",
    ),
    pytest.param(
        {},
        '{core.configureUserSettings: \'{"auth_mode": "oidc_auth"}\'}',
        "Harbor's API refuses every change to what it sets, and layer 3 owns these settings\n    put them into the",
        "{core.quotaUpdateProvider: redis}",
        id="user-settings",
    ),
    pytest.param(
        {},
        "{trivy.enabled: false}",
        "trivy.enabled: must stay true, got false: Secrets, budgets, alerts and network policies follow the setting\n"
        "    set harbor.trivy.enabled in the stack file",
        "{trivy.severity: CRITICAL}",
        id="scanner",
    ),
    pytest.param(
        {},
        "{metrics.serviceMonitor.enabled: true}",
        "metrics.serviceMonitor.enabled: must stay false, got true: exporter, alerts and network policies follow the",
        "{metrics.core.path: /metrics}",
        id="monitors",
    ),
    pytest.param(
        {},
        "{database.maxOpenConns: 200}",
        "database.maxOpenConns: 200 connections for each of up to 8 pods are 1600, and Harbor may use 648 of the "
        "database's 811\n    set harbor.replicas in the stack file, from which the pools are computed, or a larger "
        "sizes.databaseClass",
        "{database.maxOpenConns: 60}",
        id="pools",
    ),
    pytest.param(
        {},
        "{database.maxOpenConns: 0}",
        "database.maxOpenConns: 0 is no limit at all, to Go's connection pools\n    leave it out: it is computed",
        "{database.maxOpenConns: 1}",
        id="pools-without-limit",
    ),
    pytest.param(
        {},
        "{redis.external.password: ''}",
        "redis.external.password: is merged after harbor-redis, and would leave the cache's password empty",
        "{redis.external.registryDatabaseIndex: '3'}",
        id="cache-password",
    ),
    pytest.param(
        {},
        "{redis.external.sentinelMasterSet: mymaster}",
        'must stay unset, got "mymaster": the cache is one endpoint that follows a failover',
        "{redis.external.sentinelMasterSet: ''}",
        id="sentinel",
    ),
    pytest.param(
        {},
        "{jobservice.podAnnotations: null}",
        "jobservice.podAnnotations: loses slipway.dev/secrets, by which a rotated Secret rolls the pods",
        "{jobservice.podAnnotations: {team: registry}}",
        id="rotation-of-all",
    ),
    pytest.param(
        {},
        "{core.podAnnotations: {slipway.dev/secrets: mine}}",
        "core.podAnnotations: loses slipway.dev/secrets, by which a rotated Secret rolls the pods\n    name the",
        "{core.podAnnotations: {slipway.dev/other: mine}}",
        id="rotation",
    ),
    pytest.param(
        {},
        "{core.replicas: 3}",
        "core.replicas: 81 connections for each of up to 9 pods are 729, and Harbor may use 648",
        "{portal.replicas: 3}",
        id="pods-with-pools",
    ),
    pytest.param(
        {},
        "{core.podDisruptionBudget.minAvailable: 1}",
        "core.podDisruptionBudget.minAvailable: stands beside maxUnavailable, and Kubernetes refuses a budget with both "
        "(the chart's own minAvailable is 1)\n    set the one that is not meant to null",
        "{core.podDisruptionBudget: {minAvailable: 1, maxUnavailable: null}}",
        id="budget",
    ),
    pytest.param(
        {},
        f"{{registry.topologySpreadConstraints: {LABELS}}}",
        "registry.topologySpreadConstraints: has a labelSelector, which the chart adds itself: the second is a "
        "duplicate key, and nothing renders\n    leave labelSelector out",
        "{registry.topologySpreadConstraints: [{maxSkew: 2, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]}",
        id="spread",
    ),
    pytest.param(
        {},
        "{registry.registry.extraEnvVars: [{name: GOGC, value: '50'}]}",
        "registry.registry.extraEnvVars: loses REGISTRY_REDIS_ENABLETLS: a list replaces the one that Slipway writes\n"
        '    add to your list: [{"name": "REGISTRY_REDIS_ENABLETLS", "value": "true"}]',
        "{registry.registry.extraEnvVars: [{name: GOGC, value: '50'}, {name: REGISTRY_REDIS_ENABLETLS, value: 'true'}]}",
        id="variables",
    ),
    pytest.param(
        {},
        "{core.image.tag: v2.14.3}",
        'core.image.tag: "v2.14.3" is older than the chart\'s Harbor 2.15.1, and migrations only go forward',
        "{core.image.tag: v2.15.2}",
        id="rollback",
    ),
    pytest.param(
        {},
        "{jobservice.jobLoggers: [file]}",
        "jobservice.jobLoggers: file needs a volume that 2 pods share, and it is ReadWriteOnce: logs answer 404 on the "
        "wrong pod, or no pod starts\n    keep [database], where every pod finds every log",
        "{jobservice.jobLoggers: [database, stdout]}",
        id="job-logs",
    ),
]


def nested(text: str) -> str:
    """Give YAML whose dotted keys of the first level are nested."""
    import yaml

    document: dict = {}
    for key, value in yaml.safe_load(text).items():
        place = document
        *parents, last = key.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return yaml.safe_dump(document)


@pytest.mark.parametrize(("settings", "wrong", "message", "right"), WRONG_AND_RIGHT)
def test_a_broken_promise_is_refused_and_its_neighbour_is_not(settings, wrong, message, right):
    facts = facts_of("ha", **settings)
    said = refused(facts, mine=nested(wrong))

    assert said.startswith("stacks/ha/values/mine.yaml ")
    assert message in said
    render(facts, {"mine": nested(right)})


def test_every_pin_is_a_key_of_the_chart():
    keys = [key for pin in (*PINS, *PINS_IF_WRITTEN) for key in pin.keys]

    assert [key for key in keys if not has("1.19.1", key)] == []
    assert CHART_DEFAULTS.keys() <= set(keys)
    assert len(keys) == len(set(keys))


def test_every_secret_of_the_table_that_the_values_name_is_pinned():
    """A Secret that the generated values name anywhere may not be exchanged for another."""
    from values.composition import Composition
    from values.merge import at, harbor_values

    pinned = {key for pin in PINS for key in pin.keys}
    for settings in ({"harbor": {"internalTls": True}}, {"storage": "s3"}):
        facts = facts_of("ha", **settings)
        values = harbor_values(render(facts))
        names = {secret.name for secret in secrets_for(Composition.of(facts).parts)}
        named = {key for key in leaves(values) if isinstance(at(values, key), str) and at(values, key) in names}
        assert named
        assert named <= pinned


def leaves(values: dict, prefix: str = "") -> list[str]:
    found = []
    for key, value in values.items():
        found += leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else [f"{prefix}{key}"]
    return [key for key in found if "/" not in key]


@pytest.mark.parametrize("version", SUPPORTED_CHART_VERSIONS)
def test_every_image_tag_of_the_chart_is_held(version):
    tags = {key.removesuffix(".image.tag") for key in leaves(dict(contract(version))) if key.endswith(".image.tag")}

    assert tags == set(_CONTAINERS)


def test_two_files_that_break_a_promise_only_together_are_both_named():
    more_connections = nested("{database.maxOpenConns: 90, jobservice.replicas: 1}")
    more_pods = nested("{jobservice.replicas: 2}")
    render(facts_of("ha"), {"a": more_connections})
    render(facts_of("ha"), {"b": more_pods})

    assert refused(a=more_connections, b=more_pods).startswith(
        "stacks/ha/values/a.yaml and stacks/ha/values/b.yaml database.maxOpenConns and jobservice.replicas: 90 "
        "connections for each of up to 8 pods are 720, and Harbor may use 648 of the database's 811"
    )


def test_job_logs_in_files_and_a_second_pod_from_another_file():
    facts = facts_of("kind")
    one = nested("{jobservice.jobLoggers: [file]}")
    render(facts, {"a": one})

    said = refused(facts, a=one, b=nested("{jobservice.replicas: 2}"))

    assert said.startswith(
        "stacks/kind/values/a.yaml and stacks/kind/values/b.yaml jobservice.jobLoggers and jobservice.replicas: file "
        "needs a volume that 2 pods share"
    )


def test_what_a_later_file_mends_is_not_refused_and_what_it_breaks_is_its_own():
    wrong, right = nested("{core.image.tag: v2.14.0}"), nested("{core.image.tag: v2.15.2}")
    render(facts_of("ha"), {"a": wrong, "b": right})

    assert refused(a=right, b=wrong).startswith("stacks/ha/values/b.yaml core.image.tag: ")


def test_deleting_a_whole_section_breaks_everything_in_it():
    said = refused(mine="core: null")

    for key in ("core.existingSecret", "core.secretName", "core.existingXsrfSecret", "core.extraEnvVars"):
        assert f"stacks/ha/values/mine.yaml {key}: " in said


def test_all_problems_come_at_once():
    said = refused(a="{fullnameOverride: x, nameOverride: y}", b="{core: {replcas: 1}, enableMigrateHelmHook: true}")

    for part in (
        "a.yaml fullnameOverride",
        "a.yaml nameOverride",
        "b.yaml enableMigrateHelmHook",
        "b.yaml core.replcas",
    ):
        assert part in said


def test_the_database_authoritys_bundle_is_pinned_where_there_is_one(tmp_path):
    facts = facts_of("ha")
    with_bundle = facts.model_copy(update={"database": facts.database.model_copy(update={"ca_bundle": "PEM"})})
    own = "caBundleSecretName: company-ca"
    render(facts, {"mine": own})

    assert 'caBundleSecretName: must stay "harbor-ca", got "company-ca": without the database\'s' in refused(
        with_bundle, mine=own
    )


@pytest.mark.parametrize(
    ("text", "key", "what"),
    [
        ("core: {podAnnotations: {a: AKIAIOSFODNN7EXAMPLE}}", "core.podAnnotations.a", "an AWS access key"),
        (
            'core: {podAnnotations: {a: "-----BEGIN RSA PRIVATE KEY-----"}}',
            "core.podAnnotations.a",
            "a private key",
        ),
        (
            "core: {podAnnotations: {a: '$2y$05$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234'}}",
            "core.podAnnotations.a",
            "a password's hash",
        ),
        ("proxy: {httpProxy: 'http://joe:s3cret@proxy:3128'}", "proxy.httpProxy", "a URL with a password"),
        ("core: {podAnnotations: {a: ghp_0123456789abcdefghijABCD}}", "core.podAnnotations.a", "a GitHub token"),
        ("core: {podAnnotations: {a: glpat-0123456789abcdefghij}}", "core.podAnnotations.a", "a GitLab token"),
        ("core: {podAnnotations: {a: xoxb-0123456789-abc}}", "core.podAnnotations.a", "a Slack token"),
        (
            "core: {podAnnotations: {a: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl}}",
            "core.podAnnotations.a",
            "a JSON web token",
        ),
        (
            "core: {podAnnotations: {a: wJalrXUtnFEMIK7MDENGbPxRfiCY9zQ4vT2s}}",
            "core.podAnnotations.a",
            "random text, as keys and tokens are",
        ),
        (
            "jobservice: {extraEnvVars: [{name: SMTP_PASSWORD, value: hunter2}]}",
            "jobservice.extraEnvVars.0.SMTP_PASSWORD",
            "a secret, by its name",
        ),
    ],
)
def test_what_looks_like_a_secret_is_refused_and_never_shown(text, key, what):
    said = refused(mine=text)

    assert said == (
        f"stacks/ha/values/mine.yaml {key}: holds what looks like {what}\n    take it out of Git's history and change "
        "it; then name a Secret, with valueFrom.secretKeyRef"
    )


def test_an_empty_password_in_a_url_is_the_contracts():
    assert "is a URL with an empty password" in refused(mine="proxy: {httpProxy: 'http://:@proxy:3128'}")


@pytest.mark.parametrize(
    "text",
    [
        "core: {image: {repository: registry.example.com/goharbor/harbor-core}}",
        "core: {podAnnotations: {digest: 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'}}",
        "core: {podAnnotations: {role: 'arn:aws:iam::111122223333:role/AWSReservedSSO_AdministratorAccess_0123456789abcdef'}}",
        "core: {podAnnotations: {path: /usr/local/share/ca-certificates/Company2024RootAuthority.crt}}",
        "jobservice: {extraEnvVars: [{name: SMTP_PASSWORD, valueFrom: {secretKeyRef: {name: smtp, key: password}}}]}",
        "jobservice: {extraEnvVars: [{name: TOKEN_EXPIRY, value: '30'}]}",
        "proxy: {httpProxy: 'http://proxy.example.com:3128'}",
    ],
)
def test_what_only_looks_a_little_like_a_secret_is_taken(text):
    render(facts_of("ha"), {"mine": text})


def without(facts, *parts):
    return facts.model_copy(update=dict.fromkeys(parts))


def emptied(part, field):
    facts = facts_of("ha")
    return facts.model_copy(update={part: getattr(facts, part).model_copy(update={field: ""})})


def test_a_fact_that_nothing_reads_may_be_empty():
    facts = facts_of("ha", **exposed("route"))
    render(facts.model_copy(update={"aws": facts.aws.model_copy(update={"certificate_arn": ""})}))


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (
            without(facts_of("ha"), "database"),
            "facts of ha database: is missing: profile ha runs on it\n    take the facts that `pulumi stack output facts`",
        ),
        (without(facts_of("dev"), "cache"), "facts of dev cache: is missing: profile dev runs on it"),
        (without(facts_of("large"), "aws"), "facts of large aws: is missing: profile large runs on it"),
        (emptied("aws", "certificate_arn"), "facts of ha aws.certificateArn: is empty, and what is on reads it"),
        (emptied("database", "host"), "facts of ha database.host: is empty"),
        (emptied("cache", "username"), "facts of ha cache.username: is empty"),
        (emptied("storage", "file_system_id"), "facts of ha storage.fileSystemId: is empty"),
        (facts_of("ha").model_copy(update={"host": ""}), "facts of ha host: is empty"),
        (
            facts_of("kind").model_copy(update={"aws": facts_of("ha").aws}),
            "facts of kind profile: kind is a laptop's, and has no aws",
        ),
        (
            facts_of("ha").model_copy(update={"storage": facts_of("kind").storage}),
            "facts of ha storage.type: volume is a laptop's; profile ha shares its storage between pods",
        ),
        (
            facts_of("ha").model_copy(update={"secrets_prefix": ""}),
            "facts of ha secretsPrefix: is missing: profile ha runs on it",
        ),
        (
            facts_of("ha").model_copy(update={"chart_version": "1.20.0"}),
            "facts of ha chartVersion: there is no contract of the chart 1.20.0\n    supported: 1.19.2, 1.19.1, 1.18.3; "
            "charts/harbor/README.md says how to add one",
        ),
        *(
            (
                facts_of("ha").model_copy(update={"cache": facts_of("ha").cache.model_copy(update={"host": host})}),
                f"facts of ha cache.host: {fact}",
            )
            for host, fact in {
                "clustercfg.harbor.abc123.euc1.cache.amazonaws.com": "is a cluster-mode endpoint",
                "harbor.abc123.clustercfg.euc1.cache.amazonaws.com": "is a cluster-mode endpoint",
                "harbor-abc123.serverless.euc1.cache.amazonaws.com": "is serverless, which is always in cluster mode",
                "replica.harbor.abc123.euc1.cache.amazonaws.com": "is the readers' endpoint",
                "harbor-ro.abc123.euc1.cache.amazonaws.com": "is the readers' endpoint",
            }.items()
        ),
        *(
            (
                facts_of("ha").model_copy(
                    update={"database": facts_of("ha").database.model_copy(update={"host": host})}
                ),
                f"facts of ha database.host: {fact}",
            )
            for host, fact in {
                "harbor.cluster-ro-abc123.eu-central-1.rds.amazonaws.com": "is the readers' endpoint",
                "harbor.proxy-abc123.eu-central-1.rds.amazonaws.com": "is an RDS Proxy",
            }.items()
        ),
    ],
)
def test_facts_that_harbor_cannot_run_on(facts, message):
    assert message in refused(facts)


def test_a_laptops_facts_need_no_cloud():
    render(facts_of("kind"), {"mine": "logLevel: debug"})


def test_a_key_that_stands_twice_is_refused():
    said = refused(mine="portal: {replicas: 2}\ncore: {podLabels: {a: b}}\nportal: {podLabels: {a: b}}")

    assert said == "stacks/ha/values/mine.yaml portal: stands 2 times\n    keep one of them"
