"""The errors of this package. It imports nothing from elsewhere in the project."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong in a values document.

    Attributes:
        path: the file it is in, as it would be committed or as the team wrote it.
        key: dotted key.
        message: the fact.
        suggestion: what to do.
    """

    path: str
    key: str
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        """Give ``file key: fact`` and, indented, what to do."""
        first = f"{self.path} {self.key}: {self.message}".replace(" :", ":")
        return f"{first}\n    {self.suggestion}" if self.suggestion else first


class Refused(ValueError):
    """A value that cannot be used: the fact about it, and what to do instead."""

    def __init__(self, fact: str, fix: str = "") -> None:
        self.fact, self.fix = fact, fix
        super().__init__(f"{fact}; {fix}" if fix else fact)


class ValuesError(Exception):
    """Values that the chart would not take, or take in silence and ignore. Holds every finding."""

    exit_code: ClassVar[int] = 1

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings
        super().__init__(findings)

    def __str__(self) -> str:
        """Give all findings."""
        return "\n".join(map(str, self.findings))
