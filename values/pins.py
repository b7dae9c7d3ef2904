"""Values of the chart that an override must leave as Slipway writes them, each with its reason and what to do instead.

Two registries with one name lose volumes, a Secret of the chart's own is random again at each rendering, a switched
storage looks empty: what stands here is what cannot be undone by taking the override away.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

_LEFT_OUT = "leave it out"
_SECRETS = "leave it out: docs/secrets.md says what each Secret holds and how it is rotated"
_STORAGE = "leave it out: storage in the stack file decides, before the first install"
_VOLUMES = "persistence.persistentVolumeClaim"


@dataclass(frozen=True, kw_only=True)
class Pin:
    """Keys that stay as they are.

    Attributes:
        keys: dotted.
        reason: what another value would do.
        instead: what to do.
    """

    keys: tuple[str, ...]
    reason: str
    instead: str = _LEFT_OUT


#: What the chart itself has where Slipway writes nothing; an override that says so changes nothing.
CHART_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "core.existingXsrfSecretKey": "CSRF_KEY",
        "jobservice.existingSecretKey": "JOBSERVICE_SECRET",
        "registry.existingSecretKey": "REGISTRY_HTTP_SECRET",
        "existingSecretAdminPasswordKey": "HARBOR_ADMIN_PASSWORD",
        "internalTLS.enabled": False,
        "internalTLS.certSource": "auto",
        "metrics.serviceMonitor.enabled": False,
        "persistence.enabled": True,
        "persistence.resourcePolicy": "keep",
        "persistence.imageChartStorage.filesystem.rootdirectory": "/storage",
        f"{_VOLUMES}.registry.accessMode": "ReadWriteOnce",
        f"{_VOLUMES}.trivy.accessMode": "ReadWriteOnce",
        "redis.external.coreDatabaseIndex": "0",
    }
)

PINS: tuple[Pin, ...] = (
    Pin(
        keys=("fullnameOverride", "nameOverride"),
        reason="under another name Helm removes every object of the old one, and the volumes are orphaned",
        instead="leave it out; a second registry is an environment of its own",
    ),
    # Every random source of the chart (goharbor/harbor-helm#2263).
    Pin(
        keys=(
            "existingSecretAdminPassword",
            "existingSecretSecretKey",
            "core.existingSecret",
            "core.secretName",
            "core.tokenCert",
            "core.existingXsrfSecret",
            "jobservice.existingSecret",
            "registry.existingSecret",
            "registry.credentials.existingSecret",
            "database.external.existingSecret",
            "persistence.imageChartStorage.s3.existingSecret",
        ),
        reason="the secret table fills this Secret only; without it the chart makes up a value at each rendering",
        instead=_SECRETS,
    ),
    Pin(
        keys=(
            "existingSecretAdminPasswordKey",
            "core.existingXsrfSecretKey",
            "jobservice.existingSecretKey",
            "registry.existingSecretKey",
        ),
        reason="the secret table fills this key of the Secret only",
        instead=_SECRETS,
    ),
    Pin(
        keys=("registry.credentials.username",),
        reason="the htpasswd line in harbor-registry-creds is this user's",
        instead=_SECRETS,
    ),
    Pin(
        keys=("redis.external.existingSecret",),
        reason="the chart reads it while it renders, and a missing one is an empty password",
        instead="leave it out: the password comes from harbor-redis, a values document",
    ),
    Pin(
        keys=("redis.external.username",),
        reason="user and password come together, from harbor-redis",
        instead=_SECRETS,
    ),
    Pin(
        keys=("expose.tls.enabled", "expose.tls.certSource"),
        reason="TLS ends where the exposure says; the chart's own certificate (auto) is another at each rendering",
        instead="set harbor.expose in the stack file",
    ),
    Pin(
        keys=(
            "internalTLS.enabled",
            "internalTLS.certSource",
            *(f"internalTLS.{name}.secretName" for name in ("core", "jobservice", "registry", "portal", "trivy")),
            *(f"internalTLS.{name}.crt" for name in ("core", "jobservice", "registry", "portal", "trivy")),
        ),
        reason="the five certificates are one authority's, which the program keeps; the chart's own (auto) are others "
        "at each rendering",
        instead="set harbor.internalTls in the stack file",
    ),
    Pin(
        keys=("expose.type", "expose.ingress.controller", "expose.ingress.className"),
        reason="load balancer, certificate and network policies are made for it",
        instead="set harbor.expose.type in the stack file",
    ),
    Pin(
        keys=("expose.ingress.hosts.core", "expose.route.hosts"),
        reason="certificate, DNS record and externalURL are the domain's",
        instead="set domain in the stack file",
    ),
    Pin(
        keys=("database.type",),
        reason="Harbor would start with an empty database",
        instead="leave it out; docs/recovery.md moves a database",
    ),
    Pin(
        keys=("database.external.host", "database.external.port", "database.external.coreDatabase"),
        reason="it is a fact: the database job and the network policies follow it as well",
    ),
    Pin(
        keys=("database.external.username",),
        reason="the password in harbor-db is this role's",
        instead=_SECRETS,
    ),
    Pin(keys=("redis.type",), reason="sessions, queued jobs and their schedules would be gone"),
    Pin(keys=("redis.external.sentinelMasterSet",), reason="the cache is one endpoint that follows a failover"),
    Pin(keys=("redis.external.tlsOptions.enable",), reason="the cache speaks TLS only"),
    Pin(keys=("redis.external.coreDatabaseIndex",), reason="core knows no other index"),
    Pin(
        keys=(
            "persistence.enabled",
            "persistence.imageChartStorage.type",
            "persistence.imageChartStorage.s3.bucket",
            "persistence.imageChartStorage.s3.region",
            "persistence.imageChartStorage.s3.rootdirectory",
            "persistence.imageChartStorage.filesystem.rootdirectory",
            *(f"{_VOLUMES}.registry.{key}" for key in ("existingClaim", "storageClass", "subPath", "accessMode")),
        ),
        reason="the registry would look for its blobs elsewhere and find none, or its pods could not share them",
        instead=_STORAGE,
    ),
    Pin(keys=("persistence.resourcePolicy",), reason="an uninstall would delete the volumes"),
    Pin(
        keys=tuple(f"{_VOLUMES}.database.{key}" for key in ("existingClaim", "storageClass", "subPath")),
        reason="the database would look for its data elsewhere and find none",
    ),
    Pin(
        keys=(f"{_VOLUMES}.trivy.existingClaim", f"{_VOLUMES}.trivy.accessMode"),
        reason="scanners that share a volume lock each other out (goharbor/harbor-helm#1452)",
    ),
    Pin(
        keys=("updateStrategy.type",),
        reason="the switch fails on a live release under server-side apply (goharbor/harbor-helm#2288)",
    ),
    Pin(
        keys=("enableMigrateHelmHook",),
        reason="every start of core migrates under a lock; the hook runs with the old configuration and no CA bundle",
    ),
    Pin(
        keys=("core.configureUserSettings",),
        reason="Harbor's API refuses every change to what it sets, and layer 3 owns these settings",
        instead="put them into the environment's harbor.yaml",
    ),
    Pin(
        keys=("trivy.enabled",),
        reason="Secrets, budgets, alerts and network policies follow the setting",
        instead="set harbor.trivy.enabled in the stack file",
    ),
    Pin(
        keys=("metrics.enabled", "metrics.serviceMonitor.enabled"),
        reason="exporter, alerts and network policies follow the setting, and a missing CRD fails the whole release",
        instead="set harbor.monitoring in the stack file",
    ),
)
#: These may be given where Slipway writes none, and are pinned where it does.
PINS_IF_WRITTEN: tuple[Pin, ...] = (
    Pin(
        keys=("caBundleSecretName",),
        reason="without the database's certificates in it verify-full refuses the server",
        instead="add your certificates to the file of database.caBundle",
    ),
)
