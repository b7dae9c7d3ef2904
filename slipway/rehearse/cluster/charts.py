"""The Helm repository of a rehearsal: Harbor's official chart from the cache, or else our stand-in under its name.

Beside it the controllers' charts, of which there are stand-ins only.
"""

import gzip
import hashlib
import io
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.charts import cached
from slipway.rehearse.cluster.played import third_parties
from slipway.rehearse.cluster.played.internet import CHART_URL
from values.facts import SUPPORTED_CHART_VERSIONS
from values.infrastructure import table

STAND_IN = Path(__file__).parents[3] / "charts" / "stand-in"
CONTROLLERS = Path(__file__).parent / "stand_ins"
#: Controller → group of the kinds that its chart brings → where: Helm never upgrades what is in crds/, Flux does.
_KINDS = {
    "aws-load-balancer-controller": {third_parties.LOAD_BALANCER_GROUP: "crds/kinds.yaml"},
    "external-secrets": {third_parties.SECRETS_GROUP: "templates/kinds.yaml"},
}


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
    """Fill the folder that the repository serves: Harbor's chart in every supported version, the controllers' in ours.

    Returns:
        The wanted one of Harbor.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = {"harbor": [_entry(folder, "harbor", version, _harbor(version)) for version in SUPPORTED_CHART_VERSIONS]}
    for name, row in table().items():
        entries[name] = [_entry(folder, name, row["version"], _controller(name, row))]
    (folder / "index.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "entries": entries}))
    return Chart(version=wanted, official=cached(wanted).exists())


def _entry(folder: Path, name: str, version: str, content: bytes) -> dict[str, Any]:
    """Put one archive there and give its entry of the index."""
    archive = folder / f"{name}-{version}.tgz"
    archive.write_bytes(content)
    return {
        "name": name,
        "apiVersion": "v2",
        "version": version,
        "urls": [f"{CHART_URL}/{archive.name}"],
        "digest": hashlib.sha256(content).hexdigest(),
        "created": "2026-01-01T00:00:00Z",
    }


def _harbor(version: str) -> bytes:
    """Give the official chart from the cache, or else our stand-in as an archive of this version."""
    if (official := cached(version)).exists():
        return official.read_bytes()
    texts = {str(path.relative_to(STAND_IN)): path.read_bytes() for path in STAND_IN.rglob("*") if path.is_file()}
    texts["Chart.yaml"] = re.sub(rb"(?m)^version: .*$", f"version: {version}".encode(), texts["Chart.yaml"])
    return _packed("harbor", texts)


def _controller(name: str, row: Mapping[str, Any]) -> bytes:
    """Give our stand-in for a controller's chart: its Deployments and kinds under their names, and nothing that works.

    Always ours: the official charts' webhooks need programs that answer, and here no container runs.
    """
    chart = {"apiVersion": "v2", "name": name, "version": row["version"], "appVersion": row["app"]}
    texts = {
        "Chart.yaml": yaml.safe_dump(chart).encode(),
        "values.yaml": (CONTROLLERS / name / "values.yaml").read_bytes(),
        "templates/controller.yaml": (CONTROLLERS / name / "controller.yaml").read_bytes(),
        "templates/_pod.tpl": (CONTROLLERS / "_pod.tpl").read_bytes(),
    }
    for group, path in _KINDS.get(name, {}).items():
        documents = third_parties.definitions(group)
        if path.startswith("templates/"):  # where the chart's values say how they are annotated
            for document in documents:
                document["metadata"]["annotations"] = "ANNOTATIONS"
        text = yaml.safe_dump_all(documents).replace(
            "ANNOTATIONS", "{{- toYaml .Values.crds.annotations | nindent 4 }}"
        )
        texts[path] = text.encode()
    return _packed(name, texts)


def _packed(name: str, texts: Mapping[str, bytes]) -> bytes:
    """Give a chart as an archive, the same bytes each time."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:  # gzip by tarfile would write the time
        for path, text in sorted(texts.items()):
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
    return gzip.compress(packed.getvalue(), mtime=0)
