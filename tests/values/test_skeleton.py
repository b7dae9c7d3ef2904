"""The least that makes the chart deterministic and safe on AWS; each place where we differ has its reason here."""

import yaml

from tests.values.conftest import facts_of
from values.render import COMPONENTS, render

#: Values that render without a random source and were rendered key for key with the chart 1.19.1.
SKELETON = """
fullnameOverride: harbor
externalURL: https://registry.ha.example.com
expose:
  type: ingress
  tls: {enabled: true, certSource: none}
  ingress:
    controller: alb
    className: alb
    hosts: {core: registry.ha.example.com}
    annotations:
      ingress.kubernetes.io/ssl-redirect: null
      ingress.kubernetes.io/proxy-body-size: null
      nginx.ingress.kubernetes.io/ssl-redirect: null
      nginx.ingress.kubernetes.io/proxy-body-size: null
      alb.ingress.kubernetes.io/target-type: ip
      alb.ingress.kubernetes.io/load-balancer-attributes: idle_timeout.timeout_seconds=900
existingSecretAdminPassword: harbor-admin
existingSecretSecretKey: harbor-secretkey
caBundleSecretName: harbor-ca
updateStrategy: {type: RollingUpdate}
enableMigrateHelmHook: false
core:
  replicas: 2
  existingSecret: harbor-core-shared
  secretName: harbor-token-service
  existingXsrfSecret: harbor-xsrf
  quotaUpdateProvider: redis
  serviceAnnotations: {alb.ingress.kubernetes.io/healthcheck-path: /api/v2.0/ping}
  podDisruptionBudget: {enabled: true}
  topologySpreadConstraints:
    - {maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway}
jobservice: {replicas: 2, existingSecret: harbor-jobservice-shared, jobLoggers: [database]}
registry:
  replicas: 2
  existingSecret: harbor-registry-http
  credentials: {username: harbor_registry_user, existingSecret: harbor-registry-creds}
trivy: {replicas: 2}
persistence:
  imageChartStorage:
    disableredirect: false
    type: s3
    s3: {region: eu-central-1, bucket: harbor-registry-111122223333, existingSecret: harbor-s3}
database:
  type: external
  maxIdleConns: 20
  maxOpenConns: 100
  external:
    host: harbor-database.abcdefghijkl.eu-central-1.rds.amazonaws.com
    port: "5432"
    username: harbor
    coreDatabase: registry
    existingSecret: harbor-db
    sslmode: verify-full
redis:
  type: external
  external:
    addr: "master.harbor-cache.abc123.euc1.cache.amazonaws.com:6379"
    tlsOptions: {enable: true}
    harborDatabaseIndex: "6"
    cacheLayerDatabaseIndex: "7"
metrics: {enabled: true, serviceMonitor: {enabled: true}}
"""

#: Dotted key → (what we have, why).
DIFFERENT = {
    "caBundleSecretName": (None, "only for verify-full; the RDS bundle is the user's to give"),
    "database.maxIdleConns": (16, "a fifth of the pool"),
    "database.maxOpenConns": (81, "computed: 811 connections of db.m7g.large, 8 pods at the height of an update"),
    "database.external.sslmode": (
        "require",
        "verify-full needs the RDS bundle, which is not downloaded while rendering",
    ),
    "core.topologySpreadConstraints": (
        [
            {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway"}
            for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
        ],
        "over the nodes as well: a zone has several",
    ),
    "expose.ingress.annotations.alb.ingress.kubernetes.io/load-balancer-attributes": (
        "idle_timeout.timeout_seconds=900,routing.http.drop_invalid_header_fields.enabled=true",
        "AWS FSBP ELB.4",
    ),
    "redis.external.cacheLayerDatabaseIndex": (None, "the cache layer is off"),
    "metrics.serviceMonitor.enabled": (False, "needs a CRD that may not be there, and the release would fail"),
}
#: What the default storage changes besides.
DIFFERENT_ON_EFS = {
    "persistence.imageChartStorage.type": ("filesystem", "EFS is the default storage"),
    "persistence.imageChartStorage.disableredirect": (True, "a file system has nothing to redirect to"),
    "persistence.imageChartStorage.s3.region": (None, "no bucket"),
    "persistence.imageChartStorage.s3.bucket": (None, "no bucket"),
    "persistence.imageChartStorage.s3.existingSecret": (None, "no bucket, no key"),
}


def flat(values: dict, at: str = "") -> dict:
    """Give dotted key → value, lists and nulls as they are."""
    result = {}
    for key, value in values.items():
        dotted = f"{at}{key}"
        result |= flat(value, f"{dotted}.") if isinstance(value, dict) and value else {dotted: value}
    return result


def ours(storage: str) -> dict:
    files = render(facts_of("ha", storage=storage))
    values: dict = {}
    for component in COMPONENTS:
        values |= flat(yaml.safe_load(files[f"apps/harbor/ha/release/values/{component}.yaml"]))
    return values


def differences(storage: str) -> dict:
    values = ours(storage)
    return {
        key: values.get(key)
        for key, value in flat(yaml.safe_load(SKELETON)).items()
        if key not in values or values[key] != value
    }


def test_with_s3_only_what_is_listed_differs():
    assert differences("s3") == {key: value for key, (value, _) in DIFFERENT.items()}


def test_with_efs_the_storage_differs_as_well():
    expected = {key: value for key, (value, _) in {**DIFFERENT, **DIFFERENT_ON_EFS}.items()}

    assert differences("efs") == expected


def test_every_reason_is_one():
    assert all(reason for _, reason in {**DIFFERENT, **DIFFERENT_ON_EFS}.values())
