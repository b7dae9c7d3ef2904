"""The chain that a commit goes through, link by link: pure, from the objects as the API server gave them.

    chain = judge(observed)
    chain.verdict          # "delivered", "moving" or "failed"
    chain.stands_at.says   # the controller's own words

A link is done only for the wanted commit: revisions are compared and generations held against what was observed, so a
Ready that speaks of an older state never counts. Reasons and fields are Flux's (source, kustomize and helm-controller).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from infra.delivery.status.workloads import address, judge_workloads
from values.secrets import SECRETS as TABLE

Document = Mapping[str, Any]
State = Literal["done", "moving", "failed", "waiting"]
Verdict = Literal["delivered", "moving", "failed"]

SOURCE = "flux-system"
ROOT, SECRETS, RELEASE = "flux-system", "harbor-prerequisites", "harbor"
_LATE = frozenset(secret.name for secret in TABLE if secret.late)
#: In the order in which they wait for each other.
KUSTOMIZATIONS = (ROOT, "harbor-infrastructure", SECRETS, "harbor-support", RELEASE)
#: Not in every environment: the root's inventory says which are.
_OPTIONAL = {"harbor-infrastructure", "harbor-support"}
#: Reasons of a Kustomization that is not ready because it is not its turn yet.
_IN_TURN = {"DependencyNotReady", "Progressing"}
#: Reasons of a HelmRelease whose chart or values are on their way.
_SOURCE_REASONS = {"SourceNotReady", "ArtifactFailed"}


@dataclass(frozen=True, kw_only=True)
class Link:
    """One station of a commit.

    Attributes:
        name: kind and name, as kubectl takes them.
        state: ``waiting`` when an earlier link has to be done first.
        says: the controller's own words, or what there is.
        since: when it came to this state, RFC 3339; empty where nobody knows.
        next: the command to try next; empty when there is nothing to do.
    """

    name: str
    state: State
    says: str = ""
    since: str = ""
    next: str = ""


@dataclass(frozen=True, kw_only=True)
class Chain:
    """All links of one commit.

    Attributes:
        commit: the wanted one; empty where Git did not say.
        links: from Git to the URL.
        url: of the registry; empty as long as nothing names it.
    """

    commit: str
    links: Sequence[Link]
    url: str = ""

    @property
    def verdict(self) -> Verdict:
        """Delivered when every link is done; failed when one is."""
        states = {link.state for link in self.links}
        if states == {"done"}:
            return "delivered"
        return "failed" if "failed" in states else "moving"

    @property
    def stands_at(self) -> Link:
        """The link that says most: the last that failed, else the last that moves, else the first that waits."""
        for state in ("failed", "moving"):
            if found := [link for link in self.links if link.state == state]:
                return found[-1]
        return next((link for link in self.links if link.state == "waiting"), self.links[-1])


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What one look at Git and cluster found; objects are documents of the API, None where there is none.

    Attributes:
        commit: the branch's last; empty when Git did not answer.
        git_says: why not.
        namespace: Harbor's.
        kustomizations: name → object.
        releases: namespace/name → object of every HelmRelease that they made, Harbor's among them.
        charts: namespace/name → the HelmChart that the release made.
        workloads, pods, events: of Harbor's namespace.
        entries: Ingresses and Services of Harbor's namespace.
    """

    commit: str
    branch: str
    git_says: str = ""
    namespace: str = "harbor"
    source: Document | None = None
    kustomizations: Mapping[str, Document | None]
    external_secrets: Sequence[Document] = ()
    releases: Mapping[str, Document | None] = field(default_factory=dict)
    charts: Mapping[str, Document | None] = field(default_factory=dict)
    workloads: Sequence[Document] = ()
    pods: Sequence[Document] = ()
    events: Sequence[Document] = ()
    entries: Sequence[Document] = ()

    @property
    def harbor(self) -> str:
        """Namespace and name of Harbor's own release."""
        return f"{self.namespace}/harbor"

    @property
    def release(self) -> Document | None:
        """Harbor's own."""
        return self.releases.get(self.harbor)


def made(kustomization: Document | None, kind: str) -> list[str]:
    """Give namespace/name of every object of a kind that a Kustomization made, by its inventory."""
    entries = ((kustomization or {}).get("status", {}).get("inventory") or {}).get("entries", [])
    # An id is <namespace>_<name>_<group>_<kind>; names hold no underscore.
    parts = (entry["id"].split("_") for entry in entries)
    return [f"{namespace}/{name}" for namespace, name, _, its_kind in parts if its_kind == kind]


def _releases_of(name: str, observed: Observed) -> list[str]:
    """Give the releases of a Kustomization; Harbor's is there before it is, unless Git holds its rendered objects."""
    kustomization = observed.kustomizations.get(name)
    is_rendered = str((kustomization or {}).get("spec", {}).get("path", "")).endswith("/manifests")
    return [observed.harbor] if name == RELEASE and not is_rendered else made(kustomization, "HelmRelease")


def judge(observed: Observed) -> Chain:
    """Judge every link; what comes after one that has not reached the commit only waits."""
    links = [_git(observed), _source(observed)]
    reached = all(link.state == "done" for link in links)
    for name in _expected(observed):
        link, applied = _kustomization(name, observed, reached=reached)
        links.append(link)
        if name == SECRETS and (observed.external_secrets or not applied):
            links.append(_external_secrets(observed) if applied else _waiting("ExternalSecrets"))
        releases = _releases_of(name, observed)
        links += [_release(one, observed) if applied else _waiting(f"HelmRelease {one}") for one in releases]
        # The root applies the others, which wait for each other by themselves.
        reached = applied
    rolled = reached and links[-1].state != "waiting"
    state, says, since, following = judge_workloads(observed) if rolled else ("waiting", "", "", "")
    links.append(Link(name="workloads", state=state, says=says, since=since, next=following))
    url, says = address(observed.entries)
    if says and rolled:
        links.append(Link(name="URL", state="done", says=f"{url} → {says}"))
    elif state != "done":
        links.append(_waiting("URL"))
    else:
        asked = f"kubectl -n {observed.namespace} describe ingress,service"
        links.append(Link(name="URL", state="moving", says="no load balancer has an address yet", next=asked))
    return Chain(commit=observed.commit, links=links, url=url)


def _expected(observed: Observed) -> list[str]:
    """Give the Kustomizations that this environment has, or will have once the root is applied."""
    root = {one.partition("/")[2] for one in made(observed.kustomizations.get(ROOT), "Kustomization")}
    there = {name for name, found in observed.kustomizations.items() if found}
    return [name for name in KUSTOMIZATIONS if name not in _OPTIONAL or name in root | there]


def revision_of(text: str) -> str:
    """Give the commit of a revision: Flux writes ``main@sha1:…`` and ``refs/heads/main@sha1:…``."""
    return text.rpartition(":")[2]


def condition(document: Document, kind: str) -> Mapping[str, str]:
    """Give a condition of an object, empty if it has none of this type."""
    found = (one for one in document.get("status", {}).get("conditions", []) if one["type"] == kind)
    return next(found, {})


def is_observed(document: Document) -> bool:
    """Tell whether the controller has seen the object as it is now."""
    return document.get("status", {}).get("observedGeneration") == document["metadata"].get("generation")


def _waiting(name: str) -> Link:
    return Link(name=name, state="waiting")


def _git(observed: Observed) -> Link:
    if not observed.commit:
        words = observed.git_says or f"branch {observed.branch} has no commit"
        return Link(name="Git branch", state="failed", says=words, next="git ls-remote")
    return Link(name="Git branch", state="done", says=f"{observed.branch} is at {observed.commit[:12]}")


def _source(observed: Observed) -> Link:
    name, source = f"GitRepository {SOURCE}", observed.source
    reconcile = f"flux reconcile source git {SOURCE}"
    if source is None:
        return Link(
            name=name, state="failed", says="there is none: Flux was never told about the repository",
            next="pulumi up",
        )  # fmt: skip
    resume = f"flux resume source git {SOURCE}"
    if early := _not_judgeable(name, source, controller="source-controller", resume=resume):
        return early
    ready = condition(source, "Ready")
    has = revision_of(source.get("status", {}).get("artifact", {}).get("revision", ""))
    if ready.get("status") == "False":
        return _said(name, "failed", ready, reconcile)
    if has != observed.commit or not is_observed(source):
        words = f"still at {has[:12]}" if has else "nothing fetched yet"
        return Link(name=name, state="moving", says=words, since=ready.get("lastTransitionTime", ""), next=reconcile)
    return _said(name, "done", ready)


def _kustomization(name: str, observed: Observed, *, reached: bool) -> tuple[Link, bool]:
    """Judge a Kustomization; gives also whether it has applied the commit, be its objects healthy or not."""
    shown, found = f"Kustomization {name}", observed.kustomizations.get(name)
    resume = f"flux resume kustomization {name}"
    early = _not_judgeable(shown, found, controller="kustomize-controller", resume=resume) if reached else None
    if early or found is None or not reached:
        return early or _waiting(shown), False
    status, ready, progress = found["status"], condition(found, "Ready"), condition(found, "Reconciling")
    reconcile = f"flux reconcile kustomization {name} --with-source"
    is_applied = revision_of(status.get("lastAppliedRevision", "")) == observed.commit and is_observed(found)
    if is_applied and ready.get("status") == "True":
        # It was healthy when it was applied; what its objects became since is the next links' to say.
        return _said(shown, "done", ready), True
    if "health checks" in progress.get("message", "") and observed.commit in progress["message"]:
        return _said(shown, "moving", progress), True
    # A folder that the commit does not have fails before anything is attempted.
    tried = revision_of(status.get("lastAttemptedRevision", "")) == observed.commit
    tried = tried or ready.get("reason") == "ArtifactFailed"
    if tried and ready.get("status") == "False" and ready["reason"] not in _IN_TURN:
        return _said(shown, "failed", ready, reconcile), ready["reason"] == "HealthCheckFailed"
    if ready.get("reason") == "DependencyNotReady":
        return Link(name=shown, state="waiting", says=ready["message"]), False
    return _said(shown, "moving", progress or ready, reconcile), False


def _external_secrets(observed: Observed) -> Link:
    waiting = [one for one in observed.external_secrets if condition(one, "Ready").get("status") != "True"]
    # What can only be made when Harbor runs holds nothing up.
    late = [one for one in waiting if one["metadata"]["name"] not in _LATE]
    later = [one["metadata"]["name"] for one in waiting if one not in late]
    name, total = "ExternalSecrets", len(observed.external_secrets) - len(later)
    if not late:
        after = f"; {', '.join(later)} can be made when Harbor runs: docs/secrets.md" if later else ""
        return Link(name=name, state="done", says=f"{total} of {total} are there{after}")
    first = late[0]["metadata"]["name"]
    ready = condition(late[0], "Ready")
    words = ready.get("message", "its controller has not seen it yet")
    others = f" (and {len(late) - 1} more)" if len(late) > 1 else ""
    state: State = "failed" if ready.get("status") == "False" else "moving"
    return Link(
        name=name,
        state=state,
        says=f"{total - len(late)} of {total} are there; {first}{others}: {words}",
        since=ready.get("lastTransitionTime", ""),
        next=f"kubectl -n {late[0]['metadata'].get('namespace', observed.namespace)} describe externalsecret {first}",
    )


def _release(which: str, observed: Observed) -> Link:
    name, release = f"HelmRelease {which}", observed.releases.get(which)
    namespace, _, own = which.partition("/")
    resume = f"flux resume helmrelease -n {namespace} {own}"
    early = _not_judgeable(name, release, controller="helm-controller", resume=resume)
    if early or release is None:
        return early or _waiting(name)
    ready, progress = condition(release, "Ready"), condition(release, "Reconciling")
    if ready.get("status") == "True" and is_observed(release):
        drifted = condition(release, "Drifted")
        words = (
            f"{ready['message']}; drift: {drifted['message']}" if drifted.get("status") == "True" else ready["message"]
        )
        return Link(name=name, state="done", says=words, since=ready.get("lastTransitionTime", ""))
    if ready.get("reason") in _SOURCE_REASONS:
        return _chart(which, observed, ready)
    # observedGeneration stays behind while the release is worked on; a failure names the generation it is about.
    about_this = ready.get("observedGeneration") == release["metadata"].get("generation")
    if ready.get("status") == "False" and about_this and ready.get("reason") != "DependencyNotReady":
        return _said(name, "failed", ready, f"kubectl -n {namespace} describe helmrelease {own}")
    return _said(name, "moving", progress or ready)


def _chart(which: str, observed: Observed, ready: Mapping[str, str]) -> Link:
    """Say what keeps the chart away: the HelmChart knows more than the release."""
    chart = observed.charts.get(which)
    said = condition(chart, "Ready") if chart else {}
    failed = said.get("status") == "False" and said.get("reason") not in {"NoSourceArtifact", "Progressing"}
    words = said if said.get("message") else ready
    asked = f"kubectl -n {which.partition('/')[0]} describe helmchart,helmrepository"
    return _said(f"HelmRelease {which}", "failed" if failed else "moving", words, asked)


def _not_judgeable(name: str, found: Document | None, *, controller: str, resume: str) -> Link | None:
    """Give the link of an object that is absent, suspended, or unseen by its controller; None for any other."""
    if found is None:
        return Link(name=name, state="moving", says="is not there yet")
    if found["spec"].get("suspend"):
        return Link(name=name, state="failed", says="is suspended", next=resume)
    if not found.get("status", {}).get("conditions"):
        return Link(
            name=name,
            state="moving",
            says=f"{controller} has not seen it yet",
            since=found["metadata"].get("creationTimestamp", ""),
            next=f"kubectl -n {SOURCE} get deployments,pods",
        )
    return None


def _said(name: str, state: State, said: Mapping[str, str], following: str = "") -> Link:
    return Link(
        name=name,
        state=state,
        says=said.get("message", ""),
        since=said.get("lastTransitionTime", ""),
        next=following,
    )


def changed_links(before: Chain | None, after: Chain) -> Iterable[Link]:
    """Give the links that say something else than before."""
    known: Mapping[str, Link] = {link.name: link for link in before.links} if before else {}
    same: Callable[[Link], bool] = lambda link: known.get(link.name) == link  # noqa: E731
    return [link for link in after.links if link.state != "waiting" and not same(link)]
