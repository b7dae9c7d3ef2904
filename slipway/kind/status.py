"""Where a kind cluster's delivery stands: the chain of `infra.delivery.status`, or of Helm alone what runs."""

import contextlib
import os
from collections.abc import Callable, Generator
from dataclasses import replace

from lightkube import Client
from lightkube.resources.apps_v1 import Deployment, StatefulSet
from lightkube.resources.core_v1 import ConfigMap, Event, Pod

from infra.delivery.instance import NAMESPACE, SYNC
from infra.delivery.remote import Remote
from infra.delivery.status.chain import Chain, Link, Observed, judge
from infra.delivery.status.follow import follow
from infra.delivery.status.observe import GitRepository, asked, connect, head, is_absent, observe
from infra.delivery.status.workloads import judge_workloads
from infra.errors import KindError, NotDelivered, Problem
from slipway.kind import git_server
from slipway.kind.cluster import State, foreign, look
from slipway.kind.commands import Commands
from slipway.kind.place import Place
from slipway.kind.serve import BRANCH
from slipway.rendering import TOKEN_VARIABLE


def status(commands: Commands, place: Place) -> Chain:
    """Look at a cluster's delivery once, by the way that it was made with.

    Raises:
        KindError: there is no such cluster of ours.
        ClusterError: it does not answer.
    """
    with watched(commands, place) as (look_once, _):
        return follow(look_once, timeout=0)


@contextlib.contextmanager
def watched(commands: Commands, place: Place) -> Generator[tuple[Callable[[], Chain], Client]]:
    """Give a look at a cluster's delivery, and the client that it looks with.

    Raises:
        KindError: there is no such cluster of ours.
        ClusterError: it does not answer.
    """
    _refuse_unless_ours(commands, place)
    with connect(place.kubeconfig) as client, contextlib.ExitStack() as open_ways:
        if place.way.exists() and place.way.read_text() == "direct":
            yield (lambda: with_url(by_helm(client), _url(client))), client
            return
        remote = open_ways.enter_context(_remote(commands, _followed(client)))
        yield (lambda: with_url(judged(client, remote), _url(client))), client


def _refuse_unless_ours(commands: Commands, place: Place) -> None:
    """Stand for a cluster that can be looked at.

    Raises:
        KindError: there is none.
    """
    state = look(commands, place)
    if state is State.ours:
        return
    if state is State.foreign:
        raise foreign(place)
    what = {State.absent: "there is none of that name", State.half_made: "it is half made"}
    raise KindError(
        Problem(
            where=f"--name {place.name}",
            what=what.get(state, "it does not answer: its containers stand still, or its API server does"),
            fix=f"slipway kind up --name {place.name}",
        )
    )


def with_url(chain: Chain, url: str) -> Chain:
    """Give the chain with the registry's own URL: the cluster's objects know the node's port, not this machine's."""
    links = [
        replace(link, says=f"{url} → {link.says.partition(' → ')[2]}") if link.name == "URL" and link.says else link
        for link in chain.links
    ]
    return replace(chain, url=url, links=links) if url else chain


def _url(client: Client) -> str:
    """Read the URL that Harbor was told; empty before there is one."""

    def get() -> str:
        try:
            return (client.get(ConfigMap, "harbor-core", namespace="harbor").data or {}).get("EXT_ENDPOINT", "")
        except Exception as error:
            if is_absent(error):
                return ""
            raise

    return asked(client, get)


def judged(client: Client, remote: Remote) -> Chain:
    """Look once."""
    return judge(observe(client, lambda: head(remote), remote.branch))


def refuse_undelivered(place: Place, chain: Chain) -> None:
    """Stand for the delivery.

    Raises:
        NotDelivered: it failed, or was not done in time.
    """
    if chain.verdict == "delivered":
        return
    link = chain.stands_at
    state = "failed" if chain.verdict == "failed" else "is still moving"
    again = f"KUBECONFIG={place.kubeconfig} {link.next}" if link.next else f"slipway kind status --name {place.name}"
    where = f"{place.name} {chain.commit[:12]}".strip()
    raise NotDelivered(Problem(where=where, what=f"{state} at {link.name}: {link.says}", fix=again))


def by_helm(client: Client) -> Chain:
    """Judge what runs, where Flux and Git are not."""
    rows = asked(
        client,
        lambda: {kind: [one.to_dict() for one in client.list(kind, namespace="harbor")] for kind in _LISTED},
    )
    workloads = [{**one, "kind": kind.__name__} for kind in (Deployment, StatefulSet) for one in rows[kind]]
    observed = Observed(
        commit="", branch="", kustomizations={}, workloads=workloads, pods=rows[Pod], events=rows[Event]
    )
    state, says, since, following = judge_workloads(observed)
    return Chain(commit="", links=[Link(name="workloads", state=state, says=says, since=since, next=following)])


_LISTED = (Deployment, StatefulSet, Pod, Event)


def _remote(commands: Commands, url: str) -> contextlib.AbstractContextManager[Remote]:
    """Give the branch that Flux follows, as this machine reaches it."""
    if url == git_server.URL:
        return git_server.reached(commands)
    own = Remote(repository=url, branch=BRANCH, token=os.environ.get(TOKEN_VARIABLE))
    return contextlib.nullcontext(own)


def _followed(client: Client) -> str:
    """Give the URL that Flux follows."""

    def get() -> str:
        try:
            return client.get(GitRepository, SYNC, namespace=NAMESPACE).to_dict()["spec"]["url"]
        except Exception as error:
            if is_absent(error):
                return ""
            raise

    if url := asked(client, get):
        return url
    raise KindError(
        Problem(where="the cluster", what="Flux follows no repository yet: `up` stopped before", fix="slipway kind up")
    )
