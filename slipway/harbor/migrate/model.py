"""What there is at the source, and what of it goes where in which wave.

Repository(name="team/app", references={"v1": "sha256:…"}, bytes=1 << 30)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

ECR, HARBOR = "aws-ecr", "harbor"


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository at the source.

    Attributes:
        references: what Harbor copies: tag → digest, and of what has no tag, digest → digest.
        bytes: an upper bound of what its copy moves and keeps.
        untagged: images that ECR has and Harbor's replication does not see.
        attached: of these, what names another image as its subject (signatures, SBOMs); lost without notice.
        immutable: its tags cannot move there, which Harbor has to be told separately.
    """

    name: str
    references: Mapping[str, str] = field(default_factory=dict, repr=False)
    bytes: int = 0
    untagged: int = 0
    attached: int = 0
    immutable: bool = False

    @property
    def artifacts(self) -> int:
        """How many different artifacts are copied."""
        return len(set(self.references.values()))


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where it comes from, as the plan file keeps it: enough to read it again, and no secret.

    Attributes:
        kind: Harbor's name for the type of registry.
        url: that Harbor copies from.
        region, account: of ECR.
        ca_file: certificates to trust, of another Harbor.
    """

    kind: str
    url: str
    region: str = ""
    account: str = ""
    ca_file: str = ""

    def __str__(self) -> str:
        return f"ECR of account {self.account} in {self.region}" if self.kind == ECR else self.url


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a source showed; `notes` is what of it no replication brings over."""

    origin: Origin
    repositories: Sequence[Repository]
    notes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a repository goes, in the terms of a replication rule.

    Attributes:
        namespace, count: dest_namespace and dest_namespace_replace_count; empty and 0 where the name stays.
    """

    project: str
    repository: str
    namespace: str = ""
    count: int = 0

    @property
    def name(self) -> str:
        """The whole name in Harbor."""
        return f"{self.project}/{self.repository}"


@dataclass(frozen=True, kw_only=True)
class Move:
    """A repository and where it goes."""

    source: Repository
    target: Target

    @property
    def bytes(self) -> int:
        """An upper bound."""
        return self.source.bytes


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A replication rule: what one pattern names.

    Attributes:
        artifacts: that it is to bring; one that brings none although there are some has failed.
    """

    name: str
    pattern: str
    namespace: str
    count: int
    artifacts: int


@dataclass(frozen=True, kw_only=True)
class Wave:
    """What is copied together."""

    number: int
    moves: Sequence[Move]
    rules: Sequence[Rule] = ()

    @property
    def bytes(self) -> int:
        """An upper bound."""
        return sum(move.bytes for move in self.moves)

    @property
    def artifacts(self) -> int:
        """How many different ones."""
        return sum(move.source.artifacts for move in self.moves)

    @property
    def projects(self) -> Sequence[str]:
        """In Harbor, sorted."""
        return sorted({move.target.project for move in self.moves})


@dataclass(frozen=True, kw_only=True)
class Migration:
    """The whole plan.

    Attributes:
        made: when, in ISO 8601.
        bandwidth: bytes a second that the estimate assumes.
        registry: name of the source among Harbor's registries.
        include, exclude: the patterns that it was made with; `check` tells what is new by them.
    """

    environment: str
    origin: Origin
    made: str
    bandwidth: int
    registry: str
    waves: Sequence[Wave]
    assumptions: Sequence[str] = ()
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    @property
    def moves(self) -> Sequence[Move]:
        """Everything, in the order of the waves."""
        return [move for wave in self.waves for move in wave.moves]

    def hours(self, size: int) -> float:
        """How long so many bytes take."""
        return size / self.bandwidth / 3600
