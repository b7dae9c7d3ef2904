"""Which Harbor has what: an older one drops an unknown field without a word, so it is asked here first.

lacking(ProjectReq(…, metadata=ProjectMetadata(max_upstream_conn="20")), (2, 13, 5))    # one Feature
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from slipway.harbor.client.models import (
    Model,
    ProjectMetadata,
    Registry,
    RegistryPing,
    RegistryUpdate,
    ReplicationPolicy,
    Settings,
)

Version = tuple[int, int, int]
#: What this client was made for: the oldest, and the newest that was looked at.
OLDEST: Version = (2, 13, 0)
NEWEST: Version = (2, 15, 2)


@dataclass(frozen=True)
class Feature:
    """A field and the first Harbor that has it (from the API files of Harbor's releases)."""

    field: str
    since: Version

    def __str__(self) -> str:
        return f"{self.field} needs Harbor {written(self.since)}"


#: By model: the fields that not every supported Harbor has.
FEATURES: dict[type[Model], tuple[Feature, ...]] = {
    ProjectMetadata: (
        Feature("max_upstream_conn", (2, 14, 1)),
        Feature("proxy_cache_local_on_not_found", (2, 15, 1)),
    ),
    Registry: (Feature("ca_certificate", (2, 15, 0)),),
    RegistryPing: (Feature("ca_certificate", (2, 15, 0)),),
    RegistryUpdate: (Feature("ca_certificate", (2, 15, 0)),),
    ReplicationPolicy: (Feature("single_active_replication", (2, 14, 0)),),
    Settings: (Feature("oidc_logout", (2, 13, 0)), Feature("disabled_audit_log_event_types", (2, 13, 0))),
}
#: Not a field: signatures of cosign 3 are only seen as signatures from here on.
SIGSTORE_BUNDLES = Feature("signatures as sigstore bundles (cosign 3)", (2, 15, 0))


def version_of(text: str) -> Version:
    """Read `v2.15.2-080b0220`; what is not a release counts as the newest."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else NEWEST


def written(version: Version) -> str:
    """Write a version as people do."""
    return ".".join(map(str, version))


def lacking(body: Model, version: Version) -> list[Feature]:
    """Give what a body uses and a Harbor of that version does not have."""
    return [feature for feature in _used(body) if version < feature.since]


def _used(body: Model) -> Iterator[Feature]:
    sent = body.model_fields_set
    for feature in FEATURES.get(type(body), ()):
        if feature.field in sent and getattr(body, feature.field) is not None:
            yield feature
    for name in sent:
        value = getattr(body, name)
        if isinstance(value, Model):
            yield from _used(value)
