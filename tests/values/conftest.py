"""Facts of one environment for each profile, made up and complete."""

import os
from pathlib import Path

import pytest

from infra.assemble import assemble
from infra.settings import Settings
from values.facts import Facts

CHARTS = Path(os.environ.get("SLIPWAY_CHART_CACHE") or Path.home() / ".cache" / "slipway" / "charts")
PROFILES = ("dev", "ha", "large", "kind")

ANSWERS = {
    "account_id": "111122223333",
    "vpc_id": "vpc-0123456789abcdef0",
    "vpc_cidr": "10.0.0.0/16",
    "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
    "certificate_arn": "arn:aws:acm:eu-central-1:111122223333:certificate/12345678-1234-1234-1234-123456789012",
    "database_host": "harbor-database.abcdefghijkl.eu-central-1.rds.amazonaws.com",
    "cache_host": "master.harbor-cache.abc123.euc1.cache.amazonaws.com",
    "cluster_name": "harbor",
}
EFS = {"type": "efs", "fileSystemId": "fs-0123456789abcdef0", "registryAccessPointId": "fsap-0123456789abcdef0"}
S3 = {"type": "s3", "bucket": "harbor-registry-111122223333", "region": "eu-central-1"}


def exposed(expose: str, **more) -> dict:
    """Give the setting `harbor` of an exposure, with other choices beside it."""
    gateway = {"gateway": {"name": "public", "namespace": "gateways", "section": "https"}} if expose == "route" else {}
    return {"harbor": {"expose": {"type": expose, **gateway}, **more}}


def facts_of(profile: str, *, storage: str = "", chartVersion: str = "1.19.1", **settings) -> Facts:  # noqa: N803  # as in the stack file
    """Give facts as the program would assemble them; kind's need no cloud."""
    storage = storage or ("volume" if profile == "kind" else "efs")
    if profile == "kind":
        return Facts.from_values(
            {
                "environment": "kind",
                "profile": "kind",
                "host": "localhost:30002",
                "chart_version": chartVersion,
                "storage": {"type": "volume"},
                **settings,
            }
        )
    values = {
        "domain": f"registry.{profile}.example.com",
        "region": "eu-central-1",
        "profile": profile,
        "storage": storage,
        "chartVersion": chartVersion,
        "gitops": {"repository": "https://git.example.com/gitops.git"},
        **settings,
    }
    return assemble(Settings.parse(profile, values), {**ANSWERS, "storage": EFS if storage == "efs" else S3})


@pytest.fixture(params=PROFILES)
def facts(request):
    """The facts of each profile."""
    return facts_of(request.param)


@pytest.fixture
def chart(request):
    """Path of the official chart; skips where it is not in the chart cache."""
    version = getattr(request, "param", "1.19.1")
    path = CHARTS / f"harbor-{version}.tgz"
    if not path.exists():
        pytest.skip(f"no {path}: helm pull harbor --repo https://helm.goharbor.io --version {version} -d {CHARTS}")
    return path


@pytest.fixture(scope="session")
def bundle(tmp_path_factory) -> str:
    """Path of a PEM bundle with one certificate, as a team would give it: an absolute path is one below any folder."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Amazon RDS test root")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("bundle") / "rds.pem"
    path.write_text("# eu-central-1\n" + certificate.public_bytes(serialization.Encoding.PEM).decode())
    return str(path)
