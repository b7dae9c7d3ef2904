"""Physical names and tags: stable, readable, within each service's limit, unique per environment."""

from dataclasses import dataclass

#: Every physical name begins with it, so that one look at a console tells whose it is.
PREFIX = "harbor"


@dataclass(frozen=True)
class Names:
    """Names of one environment's AWS resources.

    names = Names("prod")
    names.physical("database")          # harbor-prod-database
    """

    environment: str

    def physical(self, part: str = "", *, limit: int = 63) -> str:
        """Give the name of a part.

        Args:
            part: what it is, in lower case with dashes.
            limit: the service's longest name in characters.

        Raises:
            ValueError: the name does not fit; a part that is too long for the longest environment is our mistake.
        """
        name = "-".join(filter(None, (PREFIX, self.environment, part)))
        if len(name) > limit:
            raise ValueError(
                f"{name!r} has {len(name)} characters, the service takes {limit}: choose a shorter part name"
            )
        return name

    def tags(self, part: str) -> dict[str, str]:
        """Give the tag that a person looks for; the provider's default tags add the rest."""
        return {"Name": self.physical(part, limit=256)}

    @property
    def secrets_prefix(self) -> str:
        """First part of every Secrets Manager name of this environment."""
        return f"{PREFIX}/{self.environment}"


def partition(region: str) -> str:
    """Give the AWS partition of a region, the second part of every ARN."""
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rsplit("-", 2)[0], "aws")


def dns_region(region: str) -> str:
    """Give the region where Route53 keeps its logs and metrics, of the partition that `region` is in.

    Source: AWS "Public DNS query logging", "Monitoring health checks using CloudWatch".
    """
    return {"aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}.get(partition(region), "us-east-1")
