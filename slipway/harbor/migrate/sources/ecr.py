"""Amazon ECR as a source: its repositories and images by the API, with the few rights that reading needs.

found = EcrSource(region="eu-central-1", account="123456789012").read(tell, wanted=lambda names: names)
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)

from infra.errors import MigrationError, Problem
from infra.layers import did_you_mean
from slipway.harbor.migrate.model import ECR, Found, Origin, Repository
from slipway.harbor.migrate.sources import Tell

_INDEXES = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
}
#: Of what people push to run; anything else without a tag is attached to an image by its subject.
_IMAGES = {
    "", "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json",
}  # fmt: skip
_PAGE = 1000  # the most that ECR gives
_THREADS = 8  # more, and ECR throttles
_REGION = re.compile(r"^[a-z]{2,3}(-[a-z]+)+-\d+$")
_RIGHTS = "these credentials need ecr:DescribeRepositories and ecr:DescribeImages: docs/migration.md has the policy"
_WHO = "see who you are: aws sts get-caller-identity"


class EcrSource:
    """The registry of an account in a region."""

    def __init__(self, *, region: str | None = None, account: str | None = None) -> None:
        problems = []
        if region and not _REGION.match(region):
            problems.append(Problem(where="--region", what=f"{region!r} is no region", fix="write eu-central-1"))
        if account and not re.fullmatch(r"\d{12}", account):
            fix = "write the twelve digits of the account"
            problems.append(Problem(where="--registry-id", what=f"{account!r} is no registry's id", fix=fix))
        if problems:
            raise MigrationError(*problems)
        self._account = {"registryId": account} if account else {}
        retries = {"mode": "adaptive", "total_max_attempts": 8}
        patience = Config(connect_timeout=5, read_timeout=30, retries=retries, max_pool_connections=_THREADS)
        try:
            self._client = boto3.session.Session().client("ecr", region_name=region, config=patience)
        except (NoRegionError, InvalidRegionError, ProfileNotFound) as error:
            raise self._refused(error) from None

    @property
    def region(self) -> str:
        """Where it is."""
        return self._client.meta.region_name

    def read(self, tell: Tell, *, wanted: Callable[[Collection[str]], Collection[str]]) -> Found:
        """Read it; see Source."""
        try:
            rows = {row["repositoryName"]: row for row in self._rows("describe_repositories", "repositories")}
            if not rows:
                where = f"ECR in {self.region}" + (
                    f", registry {id_}" if (id_ := self._account.get("registryId")) else ""
                )
                fix = f"check --region and --registry-id; {_WHO}"
                raise MigrationError(Problem(where=where, what="there is no repository", fix=fix))
            account = next(iter(rows.values()))["registryId"]
            names = sorted(wanted(rows.keys()))
            with ThreadPoolExecutor(_THREADS) as pool:
                found = []
                for read in pool.map(lambda name: self._repository(rows[name]), names):
                    found.append(read)
                    tell(len(found), len(names))
        except (ClientError, BotoCoreError) as error:
            raise self._refused(error) from error
        kept = [each for each in found if each is not None]
        origin = Origin(kind=ECR, url=address(account, self.region), region=self.region, account=account)
        return Found(origin=origin, repositories=kept, notes=list(_notes(kept)))

    def _rows(self, operation: str, key: str, **more: str) -> Iterable[dict[str, Any]]:
        pages = self._client.get_paginator(operation).paginate(
            **self._account, **more, PaginationConfig={"PageSize": _PAGE}
        )
        return (row for page in pages for row in page[key])

    def _repository(self, row: dict[str, Any]) -> Repository | None:
        name = row["repositoryName"]
        try:
            images = list(self._rows("describe_images", "imageDetails", repositoryName=name))
        except ClientError as error:
            if error.response["Error"]["Code"] == "RepositoryNotFoundException":
                return None  # deleted since it was listed
            raise
        return repository_of(name, images, immutable=row.get("imageTagMutability", "").startswith("IMMUTABLE"))

    def _refused(self, error: Exception) -> MigrationError:
        return MigrationError(_understood(error))


def address(account: str, region: str) -> str:
    """Give where Harbor finds it; its adapter takes account and region out of the name."""
    return f"https://{account}.dkr.ecr.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


def repository_of(name: str, images: Sequence[dict[str, Any]], *, immutable: bool = False) -> Repository:
    """Give what of ECR's images is copied, and how much that is at most.

    Of a multi-platform image ECR says only how large its largest platform is, so there what has no tag counts too:
    its platforms are among it.
    """
    tagged = [image for image in images if image.get("imageTags")]
    untagged = [image for image in images if not image.get("imageTags")]
    indexes = any(image.get("imageManifestMediaType") in _INDEXES for image in tagged)
    counted = [*tagged, *untagged] if indexes else tagged
    references = {tag: image["imageDigest"] for image in tagged for tag in image["imageTags"]}
    attached = sum(image.get("artifactMediaType", "") not in _IMAGES for image in untagged)
    return Repository(
        name=name,
        references=references,
        bytes=sum(image.get("imageSizeInBytes") or 0 for image in counted),
        untagged=len(untagged),
        attached=attached,
        immutable=immutable,
    )


def _notes(repositories: Sequence[Repository]) -> Iterable[str]:
    if untagged := sum(each.untagged for each in repositories):
        yield (
            f"images without a tag: {untagged}. Harbor copies what a tag leads to: platforms of tagged images come "
            "along, the rest does not"
        )
    if attached := sum(each.attached for each in repositories):
        yield (
            f"signatures, SBOMs and the like attached to images: {attached}. Harbor's adapter for ECR "
            "does not see them; copy them with `oras copy -r` or `cosign copy`, or sign again (cosign's .sig tags come "
            "along)"
        )
    if held := [each.name for each in repositories if each.immutable]:
        shown = ", ".join(held[:5]) + (f" and {len(held) - 5} more" if len(held) > 5 else "")
        yield f"tags cannot move in {shown}: declare immutable_tag_rules for them in harbor.yaml after the last wave"


def _understood(error: Exception) -> Problem:
    if isinstance(error, ClientError):
        return Problem(where="ECR", what=str(error), fix=_fix_of(error.response["Error"].get("Code", "")))
    where, what, fix = "ECR", str(error), _WHO
    if isinstance(error, NoCredentialsError | PartialCredentialsError | ProfileNotFound | TokenRetrievalError):
        where, what = "AWS", f"there are no usable credentials: {error}"
        fix = "set AWS_PROFILE, or run aws sso login or aws configure"
    elif isinstance(error, NoRegionError):
        where, what, fix = "--region", "which region is ECR in?", "give --region, or set AWS_REGION"
    elif isinstance(error, InvalidRegionError):
        where, fix = "--region", "write eu-central-1"
    elif isinstance(error, EndpointConnectionError | HTTPClientError):
        what, fix = f"does not answer: {error}", _regions(str(error))
    return Problem(where=where, what=what, fix=fix)


def _fix_of(code: str) -> str:
    if "AccessDenied" in code or "NotAuthorized" in code:
        return _RIGHTS
    if code in {"UnrecognizedClientException", "ExpiredTokenException", "InvalidSignatureException"}:
        return f"log in again; a region that this account does not use answers so too: check --region; {_WHO}"
    return "check --region and --registry-id"


def _regions(text: str) -> str:
    """Name the region that was meant, if botocore knows one that is near."""
    session = boto3.session.Session()
    known = [
        each
        for partition in ("aws", "aws-cn", "aws-us-gov")
        for each in session.get_available_regions("ecr", partition)
    ]
    given = re.search(r"ecr\.([a-z0-9-]+)\.", text)
    if given and given[1] not in known:
        near = did_you_mean(given[1], known).removeprefix("; ")
        return f"there may be no region {given[1]}{'; ' + near if near else ''}"
    return "check --region, the network, and a proxy's settings"
