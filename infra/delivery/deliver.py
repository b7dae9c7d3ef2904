"""From facts to the commit, inside the program."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import pulumi

from infra.assemble import example
from infra.delivery.commit import Commit, CommitArgs
from infra.delivery.inputs import Inputs, read_overrides
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
    # Which files there are depends on the settings alone, so the first preview can name them.
    planned = digests(example(settings).to_json(), overrides)
    args = CommitArgs(
        facts=facts,
        overrides=overrides,
        files={path: facts.apply(lambda text, path=path: digests(text, overrides)[path]) for path in planned},
        repository=settings.gitops.repository,
        branch=settings.gitops.branch,
        gitops_path=settings.gitops.path,
        environment=settings.environment,
        token=pulumi.Output.secret(settings.git_token.get_secret_value()) if settings.git_token else None,
        withdraw_on_destroy=settings.gitops.withdraw_on_destroy,
    )
    return Commit("commit", args, pulumi.ResourceOptions(depends_on=list(after)))


@lru_cache(maxsize=4)
def digests(facts: str, overrides: str) -> Mapping[str, str]:
    """Give path → blob id of the files that facts and overrides, both JSON text, render to."""
    files = Inputs(facts, json.loads(overrides)).files()
    return {path: blob_id(text) for path, text in files.items()}
