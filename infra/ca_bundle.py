"""The certificates that the database's own is checked with, from the file that the team gives; never a download."""

import re
import ssl
from pathlib import Path

from infra.errors import Problem, SettingsError

ROOT = Path(__file__).parents[1]
#: The bundle of one region has some 6 KiB, that of all regions 170; it travels in the facts and in a Secret.
_MOST_BYTES = 256 * 1024
_FIX = "give the bundle of your region: AWS documentation, “Using SSL/TLS to encrypt a connection to a DB instance”"
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n.+?\n-----END CERTIFICATE-----\n?", re.DOTALL)


def ca_bundle(path: str, root: Path = ROOT) -> str:
    """Give the certificates of a PEM file, without what stands between them; empty for no path.

    Args:
        path: as in ``database.caBundle``, relative to `root`.
        root: the project's folder.

    Raises:
        SettingsError: no such file, no certificate in it, or something that must not be in Git.
    """
    if not path:
        return ""
    where = f"database.caBundle {path}"
    try:
        content = (root / path).read_bytes()
        text = content.decode("ascii", errors="replace").replace("\r\n", "\n")
    except OSError as error:
        raise SettingsError(Problem(where=where, what=f"cannot be read: {error.strerror}", fix=_FIX)) from None
    if "PRIVATE KEY" in text:
        raise SettingsError(Problem(where=where, what="holds a private key", fix="keep only the certificates"))
    if len(content) > _MOST_BYTES:
        raise SettingsError(Problem(where=where, what=f"has {len(content)} bytes, {_MOST_BYTES} at most", fix=_FIX))
    certificates = _CERTIFICATE.findall(text)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata="".join(certificates))
    except (ssl.SSLError, ValueError) as error:  # ValueError: there is none at all
        what = f"is no bundle of PEM certificates: {getattr(error, 'reason', '') or error}"
        raise SettingsError(Problem(where=where, what=what, fix=_FIX)) from None
    return "".join(one if one.endswith("\n") else f"{one}\n" for one in certificates)
