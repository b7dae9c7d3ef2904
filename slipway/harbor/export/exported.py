"""What an export came to, and the files that it is written as.

exported.files(folder=True)       # {"policy.yaml": …, "registries.yaml": …, "projects.yaml": …}
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slipway.harbor.export.text import sections
from slipway.harbor.kinds.base import Ref

#: By this an earlier export is known.
FIRST_LINE = "# Made by `slipway harbor export`."
_ABOUT = """
# It plans empty: all that is here is as it is in Harbor. The first `slipway harbor apply` changes nothing there and
# only notes in the ledger that it is yours. What is as in a new Harbor is not here, and so not managed.
"""
#: File of a folder → what is in it.
_FILES: Mapping[str, Sequence[str]] = {
    "policy.yaml": ("instance", "connection", "policy"),
    "people.yaml": ("user_groups", "users"),
    "projects.yaml": ("project_defaults", "profiles", "projects"),
}
SINGLE = "harbor.yaml"


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A Harbor as a file.

    Attributes:
        data: of the file.
        variables: environment variable to be filled → what its value is for.
        left: what is not in it, and why.
        unread: kinds that the sender may not read.
        sender: a robot's name, which sees only what it has rights on; empty of a user.
        counts: kind → how many were read.
        requests: that were sent.
        version: of Harbor.
    """

    data: Mapping[str, Any] = field(repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    left: Sequence[tuple[Ref, str]] = field(default=(), repr=False)
    unread: Sequence[str] = ()
    sender: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    requests: int = 0
    version: str = ""

    def files(self, *, folder: bool) -> dict[str, str]:
        """Give name → text; one file, or one for each sort of thing."""
        texts = sections(self.data)
        if not folder:
            return {SINGLE: "\n".join([self._head(), *texts.values()])}
        held = {key: name for name, keys in _FILES.items() for key in keys}
        parts: dict[str, list[str]] = {"policy.yaml": [self._head()]}
        for key, text in texts.items():
            parts.setdefault(held.get(key, f"{key}.yaml"), [FIRST_LINE + "\n"]).append(text)
        return {name: "\n".join(several) for name, several in parts.items()}

    def _head(self) -> str:
        return FIRST_LINE + "".join(f"{line}\n" for line in (_ABOUT.rstrip(), *self._notes()))

    def _notes(self) -> Iterator[str]:
        if self.sender:
            yield f"#\n# Read by {self.sender}, which sees only what it has rights on: other projects are not here."
        if self.unread:
            yield f"#\n# Not looked at, since it may not read them: {', '.join(self.unread)}."
        if self.variables:
            yield "#\n# Secrets, which Harbor does not give away. Until a variable is set (or another secretRef is"
            yield "# written here: awsSecretsManager, file), what is in Harbor keeps the secret that it has:"
            yield from (f"#   {variable}  {' '.join(what.split())}" for variable, what in self.variables.items())
        if self.left:
            yield "#\n# Not here:"
            yield from (f"#   {' '.join(f'{ref}: {why}'.split())}" for ref, why in self.left)
