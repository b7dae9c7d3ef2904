"""From facts to the commit, inside the program."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import pulumi

from infra.assemble import example
from infra.delivery.commit import Commit, CommitArgs
from infra.delivery.inputs import Inputs, read_inside, read_overrides
from infra.delivery.lock import blob_id
from infra.settings import Settings

ROOT = Path(__file__).parents[2]


def deliver(settings: Settings, facts: pulumi.Output[str], *, after: Sequence[pulumi.Resource]) -> Commit:
    """Declare the commit of one environment.

    Args:
        settings: of the environment.
        facts: as JSON text.
        after: everything that must stand before Flux is told about it.

    Raises:
        ValuesError: an override that does not fit the chart, before anything is made.
    """
    overrides = json.dumps(read_overrides(ROOT, settings.environment), sort_keys=True)
    # A state of before, and one without the jobs, says nothing of it.
    inside = json.dumps(read_inside(ROOT, settings.environment)) if settings.harbor.layer3.enabled else None
    # Which files there are depends on the settings alone, so the first preview can name them.
    planned = digests(example(settings).to_json(), overrides, inside)
    args = CommitArgs(
        facts=facts,
        overrides=overrides,
        inside=inside,
        files={path: facts.apply(lambda text, path=path: digests(text, overrides, inside)[path]) for path in planned},
        repository=settings.gitops.repository,
        branch=settings.gitops.branch,
        gitops_path=settings.gitops.path,
        environment=settings.environment,
        token=pulumi.Output.secret(settings.git_token.get_secret_value()) if settings.git_token else None,
        withdraw_on_destroy=settings.gitops.withdraw_on_destroy,
        mode=settings.gitops.mode,
        folder=str(ROOT / settings.gitops.folder) if settings.gitops.folder else "",
        api=settings.gitops.api,
        known_hosts=settings.gitops.known_hosts,
        signing_key=settings.gitops.signing_key,
    )
    commit = Commit("commit", args, pulumi.ResourceOptions(depends_on=list(after)))
    if settings.gitops.mode != "direct":
        commit.pull_request.apply(lambda url: pulumi.warn(not_yet(settings, url)))
    return commit


def not_yet(settings: Settings, pull_request: str) -> str:
    """Say what is left for a person to do: the stack is up, and Flux knows nothing of it yet."""
    if settings.gitops.mode == "files":
        return (
            f"the files of {settings.environment} are below {settings.gitops.folder}: Flux delivers them when somebody "
            f"commits them to {settings.gitops.branch} of {settings.gitops.repository}"
        )
    if not pull_request:
        return f"{settings.gitops.branch} holds everything of {settings.environment} already; no pull request is open"
    return (
        f"the change of {settings.environment} waits in {pull_request}: Flux delivers it when somebody merges it; "
        f"then: slipway status {settings.environment} --wait"
    )


@lru_cache(maxsize=4)
def digests(facts: str, overrides: str, inside: str | None = None) -> Mapping[str, str]:
    """Give path → blob id of the files that facts, overrides and harbor.yaml, all JSON text, render to."""
    files = Inputs(facts, json.loads(overrides), json.loads(inside or "{}")).files()
    return {path: blob_id(text) for path, text in files.items()}
