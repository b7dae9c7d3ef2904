"""Artifacts, their tags, accessories and scans.

artifact.scan_status      # "Success", or "" where nothing was scanned
"""

from slipway.harbor.client.models.base import Model
from slipway.harbor.client.models.projects import Label


class Tag(Model):
    """A tag; only Harbor's own books know them."""

    id: int
    name: str
    artifact_id: int = 0
    push_time: str | None = None
    immutable: bool = False


class TagReq(Model):
    """A tag to set."""

    name: str


class Accessory(Model):
    """Something about an artifact: signature.cosign, signature.notation, sbom.harbor, …"""

    digest: str
    type: str
    subject_artifact_digest: str = ""
    size: int = 0


class ScanReport(Model):
    """The summary of a scan."""

    report_id: str = ""
    scan_status: str = ""
    severity: str = ""
    start_time: str | None = None
    end_time: str | None = None


class SbomReport(Model):
    """The summary of a bill of materials."""

    report_id: str = ""
    scan_status: str = ""
    sbom_digest: str = ""


class Artifact(Model):
    """An artifact with what was asked for."""

    id: int
    digest: str
    type: str = ""
    media_type: str = ""
    manifest_media_type: str = ""
    size: int = 0
    push_time: str | None = None
    repository_name: str = ""
    tags: list[Tag] | None = None
    labels: list[Label] | None = None
    accessories: list[Accessory] | None = None
    scan_overview: dict[str, ScanReport] | None = None
    sbom_overview: SbomReport | None = None

    @property
    def report(self) -> ScanReport | None:
        """The report of the vulnerability scan; None where there is none."""
        return next(iter(self.scan_overview.values()), None) if self.scan_overview else None


class ScanReq(Model):
    """vulnerability or sbom."""

    scan_type: str = "vulnerability"
