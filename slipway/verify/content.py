"""What the round trip pushes: an image of one layer that a scanner can read, made while it is sent.

    layer = Layer(size=36 << 20)
    for piece in layer.pieces(start, end): …      # never whole in memory

Random, so that no registry has it yet, and made anew from the same seed, so that it need not be kept.
"""

import hashlib
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

PIECE = 1 << 20
_BLOCK = 512
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
SIGNATURE = "application/vnd.dev.cosign.simplesigning.v1+json"


class Layer:
    """A tar archive with one file of random content.

    Attributes:
        size: of the archive.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        inside = size - _BLOCK - 2 * _BLOCK
        self._file = inside - inside % _BLOCK
        self._seed = os.urandom(PIECE)
        header = tarfile.TarInfo("slipway-verify.bin")
        header.size = self._file
        self._head = header.tobuf(tarfile.USTAR_FORMAT)

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        """Give the bytes from `start` up to, not including, `end`."""
        at = start
        while at < end:
            piece = self._piece_at(at)[: end - at]
            yield piece
            at += len(piece)

    def _piece_at(self, at: int) -> bytes:
        if at < _BLOCK:
            return self._head[at:]
        inside = at - _BLOCK
        if inside >= self._file:
            return bytes(min(self.size - at, PIECE))
        number, offset = divmod(inside, PIECE)
        # Numbered, so that no two pieces are the same and one in the wrong place is seen.
        whole = number.to_bytes(8, "big") + self._seed[8:]
        return whole[offset : min(PIECE, self._file - number * PIECE)]


def config(diff_id: str) -> bytes:
    """Give an image's configuration."""
    return _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
            "history": [{"created_by": "slipway verify"}],
        }
    )


def manifest(config_blob: Mapping[str, Any], layers: list[Mapping[str, Any]], **more: Any) -> bytes:  # noqa: ANN401
    """Give an image's manifest."""
    return _json({"schemaVersion": 2, "mediaType": MANIFEST, "config": config_blob, "layers": layers, **more})


def index(manifests: list[Mapping[str, Any]]) -> bytes:
    """Give a list of images, as one for several platforms is."""
    return _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})


def descriptor(kind: str, digest: str, size: int) -> dict[str, Any]:
    """Give how a manifest names content."""
    return {"mediaType": kind, "digest": digest, "size": size}


def digest_of(content: bytes) -> str:
    """Give the digest of something small."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
