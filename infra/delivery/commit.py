"""The commit as a Pulumi resource: what `pulumi up` does last.

The state remembers this module's path and the names `CommitProvider` and `Commit`, so they never change
(tests/graph/test_locked_names.py). The provider captures nothing, hence its pickle is a reference of a few bytes; all
imports that it needs happen inside its methods, in the engine's Python plugin.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult

if TYPE_CHECKING:
    from infra.delivery.git import Remote

#: A change of one of these is another place: written there first, then given up here.
PLACE = ("repository", "branch", "gitops_path", "environment")
#: A change of one of these is another content, or what a later refresh or destroy goes by.
CONTENT = (
    "facts", "overrides", "inside", "files", "token", "withdraw_on_destroy",
    "mode", "folder", "api", "known_hosts", "signing_key",
)  # fmt: skip


class CommitProvider(ResourceProvider):
    """Keeps the environment's files in the branch as they are rendered."""

    serialize_as_secret_always = False  # it captures nothing, so the state shows it in plain

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Publish; the same call finds its own files again after a run that ended too early."""
        return CreateResult(id_=props["environment"], outs=_published(props))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Publish what changed."""
        return UpdateResult(outs=_published(news))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Compare place and content; a value that is not known yet differs from every other."""
        replaces = [key for key in PLACE if olds.get(key) != news.get(key)]
        changed = any(olds.get(key) != news.get(key) for key in CONTENT)
        return DiffResult(changes=bool(replaces) or changed, replaces=replaces, delete_before_replace=False)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look at the branch: files that were edited, removed or reset away show as drift, and the next `up` acts."""
        from infra.delivery.publish import present_files  # noqa: PLC0415

        present = present_files(_remote(props), gitops_path=props["gitops_path"], environment=props["environment"])
        state = {**props, "files": {path: present[path] for path in props["files"] if path in present}}
        inputs = {key: value for key, value in state.items() if key not in {"commit", "pull_request"}}
        return ReadResult(id_=id_, outs=state, inputs=inputs)

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Leave the files, since removing them makes Flux remove the registry, unless that was asked for."""
        from infra.delivery.publish import withdraw  # noqa: PLC0415

        if props["withdraw_on_destroy"]:
            withdraw(_remote(props), gitops_path=props["gitops_path"], environment=props["environment"])


def _published(props: Mapping[str, Any]) -> dict[str, Any]:
    from infra.delivery.inputs import Inputs  # noqa: PLC0415
    from infra.delivery.publish import publish  # noqa: PLC0415

    inside = json.loads(props.get("inside") or "{}")
    published = publish(_remote(props), Inputs(props["facts"], json.loads(props["overrides"]), inside))
    return {**props, "commit": published.commit, "pull_request": published.pull_request}


def _remote(props: Mapping[str, Any]) -> "Remote":
    from infra.delivery.git import Remote  # noqa: PLC0415

    # The environment goes first: refresh and destroy have only the state's token, which may have expired since.
    token = os.environ.get("SLIPWAY_GIT_TOKEN") or props.get("token")
    how = {key: props.get(key) or "" for key in ("folder", "api", "known_hosts", "signing_key")}
    # A state of before there were several ways says nothing of them.
    mode = props.get("mode") or "direct"
    return Remote(repository=props["repository"], branch=props["branch"], token=token, mode=mode, **how)


@dataclass(frozen=True, kw_only=True)
class CommitArgs:
    """What a commit is made from and where it goes.

    Attributes:
        facts: the facts as one JSON string.
        overrides: name → YAML text as one JSON string.
        inside: harbor.yaml, likewise, where the cluster's jobs read it; else None.
        files: path → blob id. The paths are known in a preview, so that it shows which files come or change.
        repository, branch, gitops_path, environment: the place.
        token: opens the repository; None for SLIPWAY_GIT_TOKEN or git's own ways.
        withdraw_on_destroy: remove the files with the environment.
        mode, folder, api, known_hosts, signing_key: how it gets there; see `infra.delivery.git.Remote`.
    """

    facts: pulumi.Input[str]
    overrides: str
    files: Mapping[str, pulumi.Input[str]]
    repository: str
    branch: str
    gitops_path: str
    environment: str
    token: pulumi.Output[str] | None
    withdraw_on_destroy: bool
    mode: str = "direct"
    folder: str = ""
    api: str = ""
    known_hosts: str = ""
    signing_key: str = ""
    inside: str | None = None


class Commit(Resource, module="slipway", name="Commit"):
    """The generated files of one environment in its GitOps repository.

    Attributes:
        commit: the branch's last commit after the publish; empty where only files are written.
        pull_request: URL of the one in which the change waits to be merged; empty where it does not.
    """

    commit: pulumi.Output[str]
    pull_request: pulumi.Output[str]

    def __init__(self, name: str, args: CommitArgs, opts: pulumi.ResourceOptions) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["token"])
        super().__init__(
            CommitProvider(),
            name,
            {**vars(args), "commit": None, "pull_request": None},
            pulumi.ResourceOptions.merge(opts, secret),
        )
