"""Waiting for Flux, as a Pulumi resource: with `deliver: {wait: true}`, `pulumi up` ends when its commit is delivered.

Like the commit's, its provider captures nothing and its path is part of the state (tests/graph/test_locked_names.py).
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from infra.aws.cluster import Cluster
from infra.delivery.commit import Commit
from infra.settings import Settings

#: Names another kubeconfig than the stack's own: the rehearsal's, or one for a bastion.
KUBECONFIG_VARIABLE = "SLIPWAY_KUBECONFIG"


class DeliveredProvider(ResourceProvider):
    """Waits for each new commit; an unchanged one was delivered before."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Wait for the first commit."""
        return CreateResult(id_=props["environment"], outs=_delivered(props))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Wait for the next one."""
        return UpdateResult(outs=_delivered(news))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Only another commit is worth waiting for."""
        return DiffResult(changes=olds.get("commit") != news.get("commit"))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Nothing is there to delete."""


def _delivered(props: Mapping[str, Any]) -> dict[str, Any]:
    from pathlib import Path  # noqa: PLC0415

    from infra.delivery.git import Remote  # noqa: PLC0415
    from infra.delivery.status.chain import judge  # noqa: PLC0415
    from infra.delivery.status.follow import follow, refuse_undelivered  # noqa: PLC0415
    from infra.delivery.status.observe import connect, head, observe, request_reconciliation  # noqa: PLC0415

    given = os.environ.get(KUBECONFIG_VARIABLE)
    token = os.environ.get("SLIPWAY_GIT_TOKEN") or props.get("token")
    remote = Remote(
        repository=props["repository"],
        branch=props["branch"],
        token=token,
        known_hosts=props.get("known_hosts") or "",
    )
    with connect(Path(given) if given else props["kubeconfig"]) as client:
        chain = follow(
            lambda: judge(observe(client, lambda: head(remote), remote.branch)),
            timeout=float(props["timeout_minutes"]) * 60,
            reconcile=lambda now: request_reconciliation(client, now),
        )
    refuse_undelivered(props["environment"], chain)
    return {**props, "url": chain.url}


class Delivered(Resource, module="slipway", name="Delivered"):
    """A commit that Flux has delivered.

    Attributes:
        url: of the registry, as the cluster names it.
    """

    url: pulumi.Output[str]

    def __init__(self, name: str, props: Mapping[str, Any], opts: pulumi.ResourceOptions) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["token"])
        super().__init__(DeliveredProvider(), name, {**props, "url": None}, pulumi.ResourceOptions.merge(opts, secret))


def wait(settings: Settings, *, cluster: Cluster, commit: Commit, after: Sequence[pulumi.Resource]) -> Delivered:
    """Declare that `up` ends only when Flux has delivered the commit.

    Args:
        settings: of the environment.
        cluster: where Flux runs.
        commit: what it delivers.
        after: what must be there for Flux to begin.
    """
    return Delivered(
        "delivered",
        {
            "environment": settings.environment,
            "commit": commit.commit,
            "repository": settings.gitops.repository,
            "branch": settings.gitops.branch,
            "known_hosts": settings.gitops.known_hosts,
            "kubeconfig": cluster.kubeconfig,
            "timeout_minutes": settings.deliver.timeout_minutes,
            "token": pulumi.Output.secret(settings.git_token.get_secret_value()) if settings.git_token else None,
        },
        pulumi.ResourceOptions(depends_on=[*after], deleted_with=cluster.resource),
    )
