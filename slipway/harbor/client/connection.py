"""Where a Harbor is, who logs in, and how patient the client is.

Connection(url="https://registry.example.com", name="admin", secret=SecretStr(…))
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from infra.errors import Problem, SettingsError
from slipway.address import parts_of
from slipway.certificates import trust

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often and how long to try.

    Attributes:
        attempts: of one request, the first included.
        wait, wait_most: seconds before the second attempt; before any.
        answer: seconds that one answer may take.
        retry_after_most: a server that wants to be left alone for longer is told of at once.
    """

    attempts: int = 5
    wait: float = 0.2
    wait_most: float = 5.0
    answer: float = 60.0
    retry_after_most: float = 60.0


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One Harbor and one sender.

    Attributes:
        url: scheme, host and port; nothing behind.
        name: a user, who logs in once and uses the session, or a robot, which sends its secret each time.
        robot: whether `name` is a robot's; by default, if it begins with Harbor's own prefix.
        ca_file: certificates to trust besides the system's.
        in_flight: requests at the same time. A real Harbor on two cores gives all it has at 16.
        allow_http: send the secret in clear text to another machine.
        registry: host and port that clients use; by default those of the url, which may be known in the cluster only.
    """

    url: str
    name: str
    secret: SecretStr
    robot: bool | None = None
    ca_file: Path | None = None
    in_flight: int = 16
    allow_http: bool = False
    registry: str = ""
    patience: Patience = field(default_factory=Patience)

    def __post_init__(self) -> None:
        problem = _problem(self.url, allow_http=self.allow_http)
        if problem:
            raise SettingsError(problem)
        object.__setattr__(self, "url", self.url.rstrip("/"))

    @property
    def is_robot(self) -> bool:
        """Whether the sender is a robot."""
        return self.name.startswith("robot$") if self.robot is None else self.robot

    def trust(self) -> ssl.SSLContext | bool:
        """Give what decides about certificates. There is no way to trust anything.

        Raises:
            HarborAway: the file cannot be read or holds no certificate.
        """
        return True if self.ca_file is None else trust(self.ca_file)


def _problem(url: str, *, allow_http: bool) -> Problem | None:
    parts = parts_of(url)
    example = "write it as https://registry.example.com"
    if parts is None:
        return Problem(where="url", what=f"{url!r} is not an address of a registry", fix=example)
    if parts.username or parts.password:
        return Problem(where="url", what="there is a name or a secret in the address", fix="give them apart from it")
    if parts.path.strip("/") or parts.query or parts.fragment:
        return Problem(where="url", what=f"{url!r} has something behind the host", fix=example)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK and not allow_http:
        what = f"{url!r} is not encrypted: the secret would be sent in clear text"
        return Problem(where="url", what=what, fix="use https, or allow it for this address")
    return None
