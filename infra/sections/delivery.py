"""gitops and deliver: the repository that Flux reads, and how long `pulumi up` takes part."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from infra.sections.base import Setting
from values.errors import Refused
from values.facts import plain_folder

GitOpsMode = Literal["direct", "pull-request", "files"]
GitOpsContent = Literal["values", "manifests"]


class GitOpsSettings(Setting):
    """The repository that Flux reads and Slipway writes to."""

    repository: str
    """URL of the repository: https://…, ssh://…, git@host:path, or file:///path."""
    branch: str = "main"
    """The branch that Flux follows."""
    path: Annotated[str, AfterValidator(plain_folder)] = ""
    """Folder below which everything is written; empty for the repository's root."""
    mode: GitOpsMode = "direct"
    """How changes get there: `direct` (a push), `pull-request` (GitHub; a person merges) or `files` (a folder)."""
    content: GitOpsContent = "values"
    """What Git holds of Harbor: `values`, which Flux renders, or `manifests`, rendered. For an environment's life."""
    folder: str = ""
    """Where mode `files` writes: a folder, from the project's own on if it is relative."""
    api: str = ""
    """Base URL of GitHub's REST API, for pull requests on GitHub Enterprise. Empty: what the repository's host has."""
    known_hosts: str = ""
    """Host keys of an SSH repository, one a line, checked with its owner: for Flux, and the only ones a push takes."""
    signing_key: str = ""
    """SSH key that signs commits: path of the private key, or of the public one if an SSH agent holds the other."""
    withdraw_on_destroy: bool = False
    """Remove the generated files when the environment is destroyed. Off: Git keeps the last state."""

    @field_validator("api")
    @classmethod
    def _is_api(cls, value: str) -> str:
        if value and not re.match(r"^https?://[^\s/@]+(/\S*)?$", value):
            raise Refused("is not the URL of an API", "use https://HOST/api/v3, without credentials")
        return value.rstrip("/")

    @field_validator("repository")
    @classmethod
    def _is_git_url(cls, value: str) -> str:
        if not re.match(r"^(https?://|ssh://|file:///|[\w.-]+@[\w.-]+:)\S+$", value):
            raise Refused("is not a Git URL", "use https://host/path.git, ssh://git@host/path.git or git@host:path.git")
        if re.match(r"^https?://[^/@]*@", value):
            raise Refused(
                "carries credentials", "take them out of the URL; give SLIPWAY_GIT_TOKEN or a git credential helper"
            )
        return value

    @field_validator("branch")
    @classmethod
    def _is_branch(cls, value: str) -> str:
        # The rules of git-check-ref-format that a branch name can break in practice.
        if not re.match(r"^(?![/.-])(?!.*(\.\.|//|@\{|\.lock$|[/.]$))[\w./+@-]+$", value):
            raise Refused("is not a branch name that git accepts", "see git-check-ref-format(1); usually it is main")
        return value

    @model_validator(mode="after")
    def _has_what_the_mode_needs(self) -> "GitOpsSettings":
        if (self.mode == "files") != bool(self.folder):
            raise Refused(
                "mode files and folder belong together", "give both, or neither: other modes push to the repository"
            )
        if self.mode == "pull-request" and not self.api and self.repository.startswith("file:"):
            raise Refused("mode pull-request needs a Git host with GitHub's API", "give api, or another mode")
        return self


class DeliverSettings(Setting):
    """How long `pulumi up` takes part in the delivery."""

    wait: bool = False
    """End `pulumi up` only when Flux has delivered the commit; off, it ends with the commit."""
    timeout_minutes: Annotated[int, Field(ge=1, le=240)] = 45
    """How long it waits at most; the first install of Harbor takes some ten minutes."""
