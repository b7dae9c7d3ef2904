"""A branch of a GitOps repository, and how it is written to; its credentials never show.

remote = Remote.of(settings.gitops, token, root)
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.sections.delivery import GitOpsSettings

_URL_CREDENTIALS = re.compile(r"//[^/\s]+@")


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A branch of a repository, and how it is written to.

    Attributes:
        repository: URL.
        branch: short name, ``main``.
        token: None for what git itself finds (SSH agent, credential helpers).
        known_hosts: host keys of an SSH repository, and the only ones that count; empty for the user's own file.
        signing_key: SSH key that signs commits: path of the private one, or of the public one of a key in an agent.
        mode: ``direct``, ``pull-request`` or ``files``; see docs/delivery.md.
        api: base URL of the host's REST API, for pull requests; empty for the one that the repository's URL suggests.
        folder: where ``files`` writes.
    """

    repository: str
    branch: str
    token: str | None = field(default=None, repr=False)
    known_hosts: str = ""
    signing_key: str = ""
    mode: str = "direct"
    api: str = ""
    folder: str = ""

    @classmethod
    def of(cls, gitops: "GitOpsSettings", token: str | None, root: Path) -> "Remote":
        """Give what the settings say, opened by `token`; a relative folder begins at the project's `root`."""
        return cls(
            repository=gitops.repository,
            branch=gitops.branch,
            token=token,
            known_hosts=gitops.known_hosts,
            signing_key=gitops.signing_key,
            mode=gitops.mode,
            api=gitops.api,
            folder=str(root / gitops.folder) if gitops.folder else "",
        )

    @property
    def ref(self) -> str:
        """The branch's full name."""
        return f"refs/heads/{self.branch}"

    @property
    def shown(self) -> str:
        """The repository as messages name it."""
        return self.redact(self.repository)

    def redact(self, text: str) -> str:
        """Take every credential out of a message."""
        text = _URL_CREDENTIALS.sub("//***@", text.strip())
        return text.replace(self.token, "***") if self.token else text
