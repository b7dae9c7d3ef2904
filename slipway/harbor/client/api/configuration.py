"""The configuration and the system's CVE allowlist. Both need a system administrator: no robot has that right.

await harbor.send(configuration.update(Settings.model_validate({"session_timeout": 120})))
"""

from slipway.harbor.client.models import Allowlist, Setting, Settings
from slipway.harbor.client.request import Request, nothing, one

_SETTINGS, _ALLOWLIST = one(dict[str, Setting]), one(Allowlist)


def get() -> Request[dict[str, Setting]]:
    """Read every setting but the secrets."""
    return Request(what="read the configuration", method="GET", path="/configurations", read=_SETTINGS)


def update(change: Settings) -> Request[None]:
    """Merge; of a request with one bad value nothing is kept."""
    return Request(what="change the configuration", method="PUT", path="/configurations", body=change, read=nothing)


def allowlist() -> Request[Allowlist]:
    return Request(what="read the CVE allowlist", method="GET", path="/system/CVEAllowlist", read=_ALLOWLIST)


def set_allowlist(allowed: Allowlist) -> Request[None]:
    """Replace it whole; an entry twice is answered with 500."""
    return Request(what="set the CVE allowlist", method="PUT", path="/system/CVEAllowlist", body=allowed, read=nothing)
