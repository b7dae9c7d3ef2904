"""Harbor's own values: what the commit of this environment renders, with the team's overrides merged in."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from infra.delivery.inputs import Inputs
from policy.rule import PRODUCTION, Answer, Context, Finding, Rule, equals, every, holds, is_unknown, some, value
from slipway.graph.record import Node
from values import pools
from values.composition import Composition
from values.errors import ValuesError
from values.facts import Facts
from values.merge import harbor_values
from values.secrets import secrets_for

#: Deployments and StatefulSets that answer requests; the exporter and Trivy may be away for a moment.
SERVING = ("core", "portal", "registry", "jobservice")
Values = Mapping[str, Any]


def _commits(context: Context) -> list[Node]:
    return [node for node in context.graph if node.type.endswith("slipway:Commit")]


def _rendered(ask: Callable[[Values, Facts], Answer]) -> Callable[[Context], Iterator[Finding]]:
    """Judge the values of each commit; None while the facts they follow from are not known."""

    def look(context: Context) -> Iterator[Finding]:
        for node in _commits(context):
            facts, overrides = value(node, "facts"), value(node, "overrides") or "{}"
            known = facts is not None and not is_unknown([facts, overrides])
            yield Finding(f"{node.type}::{node.name}", _answer(ask, facts, overrides) if known else None)

    return look


def _answer(ask: Callable[[Values, Facts], Answer], facts: str, overrides: str) -> Answer:
    try:
        return ask(*_values(facts, overrides))
    except ValuesError:
        return False  # nothing that the chart would take: `slipway render` and the commit say what


@lru_cache(maxsize=4)
def _values(facts: str, overrides: str) -> tuple[Values, Facts]:
    inputs = Inputs(facts, json.loads(overrides))
    return harbor_values(inputs.files()), inputs.facts


def _connections_fit(values: Values, facts: Facts) -> Answer:
    """Hold all pods, at most and with what a rolling update adds, against what the server takes."""
    if facts.database is None:
        return True
    most = Composition.of(facts).most
    asked = {
        name: max(int(value(values, f"{name}.replicas") or 1), most[name]) for name in pools.COMPONENTS if name in most
    }
    pods = pools.pods_at_most(asked)
    room = pools.SHARE * facts.database.max_connections
    return holds(values, "database.maxOpenConns", lambda each: int(each) * pods <= room)


def _encrypted_links(values: Values, _: Facts) -> Answer:
    return every(
        [
            holds(values, "database.external.sslmode", lambda mode: mode in {"require", "verify-ca", "verify-full"}),
            equals(values, **{"redis.external.tlsOptions.enable": True}),
        ]
    )


def _survives_a_node(values: Values, _: Facts) -> Answer:
    return every(
        [
            equals(values, **{"updateStrategy.type": "RollingUpdate"}),
            *(holds(values, f"{name}.replicas", lambda count: int(count) > 1) for name in SERVING),
            *(equals(values, **{f"{name}.podDisruptionBudget.enabled": True}) for name in SERVING),
        ]
    )


def _shared_registry(values: Values, _: Facts) -> Answer:
    return some(
        [
            equals(values, **{"persistence.persistentVolumeClaim.registry.accessMode": "ReadWriteMany"}),
            equals(values, **{"persistence.imageChartStorage.type": "s3"}),
        ]
    )


def _secrets_of_the_table(values: Values, facts: Facts) -> Answer:
    there = secrets_for(Composition.of(facts).parts)
    return equals(values, **{key: secret.name for secret in there for key in secret.references})


RULES = (
    Rule(
        id="harbor-https",
        reason="clients get tokens for the URL that Harbor believes to have, and passwords go over it",
        fix="leave externalURL and expose.tls to Slipway",
        maps=("Harbor: externalURL",),
        look=_rendered(
            lambda values, _: every(
                [
                    holds(values, "externalURL", lambda url: url.startswith("https://")),
                    equals(values, **{"expose.tls.enabled": True}),
                ]
            )
        ),
    ),
    Rule(
        id="harbor-secrets-kept",
        reason="a Secret that the chart makes is new at each upgrade: tokens break, and what is encrypted stays so",
        fix="leave every existingSecret and core.secretName to Slipway",
        maps=("harbor-helm: secretKey, genCA",),
        look=_rendered(_secrets_of_the_table),
    ),
    Rule(
        id="harbor-links-encrypted",
        reason="database and cache carry passwords and sessions through the VPC",
        fix="database.external.sslmode require or verify-full, redis.external.tlsOptions.enable",
        maps=("RDS.38", "ElastiCache.5"),
        look=_rendered(_encrypted_links),
    ),
    Rule(
        id="harbor-connections-fit",
        reason="each pod opens up to maxOpenConns, 900 by default, and a full database refuses all of Harbor",
        fix="lower database.maxOpenConns, or take a larger database class",
        maps=("RDS: max_connections",),
        look=_rendered(_connections_fit),
    ),
    Rule(
        id="harbor-survives-a-node",
        reason="with one replica, or with none that a drain must spare, every node that is replaced is an outage",
        fix="two replicas or more, podDisruptionBudget.enabled, updateStrategy RollingUpdate",
        maps=("EKS best practices: reliability",),
        profiles=PRODUCTION,
        look=_rendered(_survives_a_node),
    ),
    Rule(
        id="harbor-job-logs",
        reason="job logs in a file belong to one replica, and the other answers that there are none",
        fix="jobservice.jobLoggers: [database]",
        maps=("harbor-helm: jobLoggers",),
        look=_rendered(lambda values, _: equals(values, **{"jobservice.jobLoggers": ["database"]})),
    ),
    Rule(
        id="harbor-registry-shared",
        reason="replicas of the registry in several zones must see the same blobs",
        fix="a ReadWriteMany claim on EFS, or S3",
        maps=("harbor-helm: high availability",),
        profiles=PRODUCTION,
        look=_rendered(_shared_registry),
    ),
)
