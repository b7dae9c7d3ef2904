"""The Helm repository of a rehearsal: the official chart from the cache, or else our stand-in under its name."""

import gzip
import hashlib
import io
import re
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.charts import cached
from slipway.rehearse.cluster.played.internet import CHART_URL
from values.facts import SUPPORTED_CHART_VERSIONS

STAND_IN = Path(__file__).parents[3] / "charts" / "stand-in"


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What the Helm repository serves.

    Attributes:
        version: as the environment asks for.
        official: it is Harbor's own.
    """

    version: str
    official: bool

    def __str__(self) -> str:
        """Name it as reports do."""
        return f"harbor {self.version}, " + ("the official chart" if self.official else "our stand-in for the chart")


def write_repository(folder: Path, wanted: str) -> Chart:
    """Fill the folder that the repository serves with every supported version; give the wanted one."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = [_entry(folder, version) for version in SUPPORTED_CHART_VERSIONS]
    (folder / "index.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "entries": {"harbor": entries}}))
    return Chart(version=wanted, official=cached(wanted).exists())


def _entry(folder: Path, version: str) -> dict[str, Any]:
    """Put one version's archive there and give its entry of the index."""
    archive, official = folder / f"harbor-{version}.tgz", cached(version)
    if official.exists():
        shutil.copyfile(official, archive)
    else:
        archive.write_bytes(_packed(version))
    return {
        "name": "harbor",
        "apiVersion": "v2",
        "version": version,
        "urls": [f"{CHART_URL}/{archive.name}"],
        "digest": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "created": "2026-01-01T00:00:00Z",
    }


def _packed(version: str) -> bytes:
    """Give the stand-in as an archive of this version, the same bytes each time."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:  # gzip by tarfile would write the time
        for path in sorted(STAND_IN.rglob("*")):
            if path.is_file():
                text = path.read_bytes()
                if path.name == "Chart.yaml":
                    text = re.sub(rb"(?m)^version: .*$", f"version: {version}".encode(), text)
                entry = tarfile.TarInfo(f"harbor/{path.relative_to(STAND_IN)}")
                entry.size = len(text)
                archive.addfile(entry, io.BytesIO(text))
    return gzip.compress(packed.getvalue(), mtime=0)
