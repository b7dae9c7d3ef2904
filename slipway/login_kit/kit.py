"""What the snippets speak of: the registry, the robot, where its secret is, and who may read it there.

kit = Kit(url="https://registry.example.com", projects=("payments",), name="ci", preset="ci", place=place)
"""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from infra.naming import PREFIX, partition
from slipway.harbor.robots.stores.store import Credential
from slipway.login_kit import hosts
from slipway.login_kit.hosts import Host
from slipway.login_kit.place import Place

#: What a person replaces where nothing better was known.
ACCOUNT = "ACCOUNT"
TO_FILL = (ACCOUNT, "ORG/REPO", "GROUP/PROJECT", "WORKSPACE-UUID", "REPOSITORY-UUID", "WORKSPACE", "PROFILE")
_ROLE_LONGEST = 64


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """A public registry behind a cache: what its images' names begin with, where it answers, and an image to try."""

    name: str
    server: str
    example: str


_UPSTREAMS = {
    "hub.docker.com": Upstream(name="docker.io", server="registry-1.docker.io", example="library/alpine:3"),
    "quay.io": Upstream(name="quay.io", server="quay.io", example="prometheus/busybox:latest"),
    "ghcr.io": Upstream(name="ghcr.io", server="ghcr.io", example="fluxcd/flux-cli:v2.7.0"),
    "public.ecr.aws": Upstream(name="public.ecr.aws", server="public.ecr.aws", example="docker/library/alpine:3"),
    "registry.k8s.io": Upstream(name="registry.k8s.io", server="registry.k8s.io", example="pause:3.10"),
}


@dataclass(frozen=True, kw_only=True)
class Cache:
    """A project that is a proxy cache.

    Attributes:
        name: of the project.
        upstream: address of the registry behind it.
    """

    name: str
    upstream: str

    @property
    def behind(self) -> Upstream:
        """What is known of the registry behind."""
        host = urlsplit(self.upstream).netloc or self.upstream
        return _UPSTREAMS.get(host) or Upstream(name=host, server=host, example="library/app:latest")


@dataclass(frozen=True, kw_only=True)
class Kit:
    """Everything that the snippets are made from.

    Attributes:
        url: of the registry.
        environment: of Slipway; empty where only an address is known.
        projects: the robot's; the first is where images go.
        name: of the robot, without prefix, project and letter.
        push: whether it may push.
        place: where its secret is.
        caches: those projects that are proxy caches.
        namespace, label: of Kubernetes namespaces that pull.
        account: of AWS.
        shown: the secret, where the user wants to see it.
    """

    url: str
    environment: str = ""
    projects: tuple[str, ...]
    name: str
    push: bool
    place: Place
    caches: tuple[Cache, ...] = ()
    namespace: str = ""
    label: str = "slipway.dev/harbor-pull"
    account: str = ACCOUNT
    github: Host = field(default_factory=hosts.github)
    gitlab: Host = field(default_factory=hosts.gitlab)
    bitbucket: Host = field(default_factory=hosts.bitbucket)
    shown: Credential | None = None

    @property
    def has(self) -> frozenset[str]:
        """What a snippet can ask for; see catalogue.yaml."""
        there = {"aws": self.place.kind == "aws", "push": self.push, "cache": self.caches, "password": self.shown}
        return frozenset(name for name, is_there in there.items() if is_there)

    @property
    def pull_secret(self) -> str:
        """Name of the Kubernetes Secret: the one that the support chart gives to a robot of this name."""
        return f"harbor-pull-{as_object(self.name)}"

    def words(self) -> dict[str, object]:
        """Give the names that the snippets use."""
        host = urlsplit(self.url).netloc
        region, proxies = self.place.region, {cache.name: cache for cache in self.caches}
        project = next((name for name in self.projects if name not in proxies), self.projects[0])
        example = proxies[project].behind.example.partition(":")[0] if project in proxies else "app"
        arn = f"arn:{partition(region)}" if region else "arn:aws"
        role = "-".join(filter(None, (PREFIX, self.environment, project, self.name)))[:_ROLE_LONGEST].rstrip("-._")
        return {
            **{name: getattr(self, name) for name in ("url", "name", "push", "place", "caches", "label")},
            **{name: getattr(self, name) for name in ("github", "gitlab", "bitbucket")},
            "host": host,
            "project": project,
            "image": f"{host}/{project}/{example}",
            "namespace": self.place.namespace or self.namespace or as_object(project),
            "secret_name": self.place.id if self.place.namespace else self.pull_secret,
            "role": role,
            "iam": f"{arn}:iam::{self.account}",
            "role_arn": f"{arn}:iam::{self.account}:role/{role}",
            # AWS puts six characters of its own behind the name.
            "secret_arn": f"{arn}:secretsmanager:{region}:{self.account}:secret:{self.place.id}-??????",
            "key_alias": self.place.key_alias,
            "key_arns": f"{arn}:kms:{region}:{self.account}:key/*",
            "signing_profile": f"{arn}:signer:{region or 'REGION'}:{self.account}:/signing-profiles/PROFILE",
            "docker_config": self.shown.docker_config() if self.shown else "",
        }


def as_object(name: str) -> str:
    """Give a name that Kubernetes takes: Harbor's may have underscores."""
    return name.replace("_", "-").replace(".", "-")
