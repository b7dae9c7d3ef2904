"""What the playing process is told, through a file that only its owner reads."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is played with.

    Attributes:
        kubeconfig, repository, charts, secrets_manager: paths.
        port: of the internet.
        writer, reader: passwords at the Git host.
        theirs: controllers that the environment expects from somebody else, and which are here from the start.
    """

    kubeconfig: str
    repository: str
    charts: str
    secrets_manager: str
    port: int
    writer: str
    reader: str
    theirs: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> "Plan":
        """Read the plan of a rehearsal."""
        return cls(**json.loads((folder / "played.json").read_text()))

    def write(self, folder: Path) -> None:
        """Write it where the process will read it; it holds passwords."""
        path = folder / "played.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)))
