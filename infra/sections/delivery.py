"""gitops and deliver: the repository that Flux reads, and how long `pulumi up` takes part."""

import re
from typing import Annotated

from pydantic import Field, field_validator

from infra.sections.base import Setting
from values.errors import Refused


class GitOpsSettings(Setting):
    """The repository that Flux reads and Slipway writes to."""

    repository: str
    """URL of the repository: https://…, ssh://…, git@host:path, or file:///path."""
    branch: str = "main"
    """The branch that Flux follows."""
    path: str = ""
    """Folder below which everything is written; empty for the repository's root."""
    known_hosts: str = ""
    """Host keys of an SSH repository for Flux, one a line, as `ssh-keyscan` prints them; check them with its owner."""
    withdraw_on_destroy: bool = False
    """Remove the generated files when the environment is destroyed. Off: Git keeps the last state."""

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

    @field_validator("path")
    @classmethod
    def _is_inside(cls, value: str) -> str:
        parts = value.strip("/").split("/") if value else []
        if any(part in {"", ".", "..", ".git"} for part in parts):
            raise Refused("is not a plain folder inside the repository", "use a relative path without . and ..")
        return "/".join(parts)


class DeliverSettings(Setting):
    """How long `pulumi up` takes part in the delivery."""

    wait: bool = False
    """End `pulumi up` only when Flux has delivered the commit; off, it ends with the commit."""
    timeout_minutes: Annotated[int, Field(ge=1, le=240)] = 45
    """How long it waits at most; the first install of Harbor takes some ten minutes."""
