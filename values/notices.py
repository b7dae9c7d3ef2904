"""What is allowed and still worth a warning: choices whose price shows later.

for notice in notices(facts): …
"""

from collections.abc import Iterator

from values.composition import Composition
from values.facts import Facts


def notices(facts: Facts) -> Iterator[str]:
    """Give one sentence for each, with what to do."""
    if facts.database and not facts.database.ca_bundle:
        yield (
            "the link to the database is encrypted but not checked (sslmode require): "
            "give your region's RDS bundle in database.caBundle for verify-full"
        )
    if Composition.of(facts).expose == "nginx":
        yield "ingress-nginx gets no fixes since March 2026: plan for harbor.expose.type alb or route"
    if facts.storage.type == "s3" and facts.harbor.s3_redirect:
        yield (
            "with storage s3 every client downloads blobs from S3 itself: "
            "harbor.s3Redirect false where they cannot reach it"
        )
    if facts.harbor.monitoring.rules and not facts.harbor.monitoring.runbooks:
        yield (
            "alerts are on and link to no runbook: "
            "give harbor.monitoring.runbooks the address of docs/monitoring.md in your repository"
        )
    if facts.aws and not facts.harbor.network_policies:
        yield "harbor.networkPolicies is off: every pod of the cluster reaches Harbor's components"
