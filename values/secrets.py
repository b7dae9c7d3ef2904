"""The secret table: every Secret of an environment, its keys, who makes and reads it, and what a rotation does.

One table, and everything else follows from it: the program makes the values and puts them into AWS Secrets Manager, the
renderer writes ExternalSecrets and the chart values that name them, a kind install makes them in the cluster,
`slipway check` holds them to it, and docs/secrets.md is written from it. Key names and lengths are the chart's
(templates of 1.19); none of them can be chosen freely.

The names differ on purpose from the Secrets that the chart makes itself (``harbor-core``, ``harbor-registry``…).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from values.sources import (
    CertificateAuthority,
    Given,
    Htpasswd,
    IamAccessKey,
    Leaf,
    Password,
    RsaPrivateKey,
    Source,
    Username,
)

#: What an environment must have for a Secret to be there; empty: it always is.
Part = Literal[
    "", "database", "cache", "s3", "internal-database", "internal-tls", "trivy", "notify", "layer3", "layer3-notify"
]

REGISTRY_USERNAME = "harbor_registry_user"
DATABASE_USERNAME = "harbor"
CACHE_USERNAME = "harbor"
#: Of the robot with which the jobs in the cluster look after what lives inside Harbor.
LAYER3 = "harbor-layer3"
#: Components with a certificate of their own where they talk TLS to each other: key in the chart's `internalTLS`.
INTERNAL_TLS_SERVICES = ("core", "jobservice", "registry", "portal", "trivy")


@dataclass(frozen=True, kw_only=True)
class HarborSecret:
    """One Kubernetes Secret and the Secrets Manager secret it comes from.

    Attributes:
        name: of the Kubernetes Secret; Secrets Manager's is ``<prefix>/<name>``.
        properties: property of the Secrets Manager JSON → how its value is made. The Kubernetes keys are the same
            unless `template` says otherwise.
        readers: components whose pods read it, and which therefore roll when it changes.
        rotation: what a change does, and what must change with it.
        references: dotted keys of the chart's values that hold its name.
        template: Kubernetes key → External Secrets template text, for Secrets whose keys differ from the properties.
        needs: parts without which it is not there.
        once: it is copied into the cluster once and never refreshed: a change could only do damage.
        late: its value can only be made when Harbor runs: our chart copies it, and no step of the delivery waits.
        namespace: of the Kubernetes Secret.
    """

    name: str
    properties: Mapping[str, Source]
    readers: tuple[str, ...]
    rotation: str
    references: tuple[str, ...] = ()
    template: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[Part, ...] = ()
    once: bool = False
    late: bool = False
    namespace: Literal["harbor", "flux-system"] = "harbor"

    @property
    def is_values(self) -> bool:
        """Whether it is a values document, which the HelmRelease reads itself."""
        return "values.yaml" in self.template


def _internal_tls(service: str) -> HarborSecret:
    return HarborSecret(
        name=f"harbor-internal-tls-{service}",
        properties={
            "ca.crt": CertificateAuthority(),
            "tls.crt": Leaf(service=service, part="certificate"),
            "tls.key": Leaf(service=service, part="key"),
        },
        # The exporter mounts core's to trust the authority.
        readers=("core", "exporter") if service == "core" else (service,),
        references=(f"internalTLS.{service}.secretName",),
        rotation="all five change together, since they share an authority",
        needs=("internal-tls", "trivy") if service == "trivy" else ("internal-tls",),
    )


SECRETS: tuple[HarborSecret, ...] = (
    HarborSecret(
        name="harbor-admin",
        properties={"HARBOR_ADMIN_PASSWORD": Password(length=32)},
        readers=("core", "exporter"),
        references=("existingSecretAdminPassword",),
        rotation="nothing: it counts on the first start only, then Harbor's database holds it; change it in Harbor",
        once=True,
    ),
    HarborSecret(
        name="harbor-secretkey",
        properties={"secretKey": Password(length=16)},
        readers=("core",),
        references=("existingSecretSecretKey",),
        rotation="never: stored robot, registry and sign-in credentials could not be decrypted any more",
        once=True,
    ),
    HarborSecret(
        name="harbor-core-shared",
        properties={"secret": Password(length=16)},
        readers=("core", "jobservice", "registry"),
        references=("core.existingSecret",),
        rotation="components refuse each other until all three have rolled, a minute or two",
    ),
    HarborSecret(
        name="harbor-token-service",
        properties={"tls.key": RsaPrivateKey(bits=4096)},
        readers=("core",),
        references=("core.secretName",),
        rotation="every issued token is invalid; clients ask for a new one",
    ),
    # Any other length than 32 makes core answer every request with an error.
    HarborSecret(
        name="harbor-xsrf",
        properties={"CSRF_KEY": Password(length=32)},
        readers=("core",),
        references=("core.existingXsrfSecret",),
        rotation="open browser pages must be loaded again",
    ),
    HarborSecret(
        name="harbor-jobservice-shared",
        properties={"JOBSERVICE_SECRET": Password(length=16)},
        readers=("core", "jobservice", "registry"),
        references=("jobservice.existingSecret",),
        rotation="running jobs lose core, and are tried again",
    ),
    # Signs upload state, so it must be the same on every replica.
    HarborSecret(
        name="harbor-registry-http",
        properties={"REGISTRY_HTTP_SECRET": Password(length=16)},
        readers=("registry",),
        references=("registry.existingSecret",),
        rotation="uploads that are under way fail, and clients begin them again",
    ),
    HarborSecret(
        name="harbor-registry-creds",
        properties={
            "REGISTRY_PASSWD": Password(length=32),
            "REGISTRY_HTPASSWD": Htpasswd(username=REGISTRY_USERNAME, password_property="REGISTRY_PASSWD"),  # noqa: S106
        },
        readers=("core", "jobservice", "registry"),
        references=("registry.credentials.existingSecret",),
        rotation="both keys change together; pulls fail until core and registry have rolled",
    ),
    HarborSecret(
        name="harbor-db",
        properties={"password": Password(length=32)},
        readers=("core", "exporter"),
        references=("database.external.existingSecret",),
        rotation="the database job sets it in PostgreSQL, then the pods roll; open connections stay",
        needs=("database",),
    ),
    # The chart reads its Redis Secret only by `lookup` at render time; as a values document a missing one fails loudly.
    HarborSecret(
        name="harbor-redis",
        properties={"username": Username(value=CACHE_USERNAME), "password": Password(length=64)},
        readers=("core", "jobservice", "registry", "trivy", "exporter"),
        rotation="the program changes it in ElastiCache as well; the release renders anew and rolls",
        template={
            "values.yaml": 'redis:\n  external:\n    username: "{{ .username }}"\n    password: "{{ .password }}"\n'
        },
        needs=("cache",),
    ),
    # The chart takes its own database's password from values only; as a values document it stays out of Git.
    HarborSecret(
        name="harbor-db-internal",
        properties={"password": Password(length=32)},
        readers=("core", "exporter", "database"),
        rotation="never: the chart sets it when its database is made, and not again",
        template={"values.yaml": 'database:\n  internal:\n    password: "{{ .password }}"\n'},
        needs=("internal-database",),
        once=True,
    ),
    HarborSecret(
        name="harbor-s3",
        properties={
            "REGISTRY_STORAGE_S3_ACCESSKEY": IamAccessKey(part="id"),
            "REGISTRY_STORAGE_S3_SECRETKEY": IamAccessKey(part="secret"),
        },
        readers=("registry",),
        references=("persistence.imageChartStorage.s3.existingSecret",),
        rotation="the old key must live until the registry has rolled",
        needs=("s3",),
    ),
    *(_internal_tls(service) for service in INTERNAL_TLS_SERVICES),
    HarborSecret(
        name="harbor-flux-notify",
        properties={"address": Given(what="the receiver's URL")},
        readers=(),
        rotation="the next notification goes to the new address",
        needs=("notify",),
        namespace="flux-system",
    ),
    HarborSecret(
        name=LAYER3,
        properties={
            "username": Given(what="a robot's name, by `slipway harbor install-runner`"),
            "password": Given(what="its secret, by the same"),
        },
        readers=("layer3",),
        rotation="`slipway harbor install-runner` again: a second robot takes over; the next run of the job reads it",
        needs=("layer3",),
        late=True,
    ),
    HarborSecret(
        name=f"{LAYER3}-notify",
        properties={"address": Given(what="the receiver's URL")},
        readers=("layer3",),
        rotation="the next run of the job posts to the new address",
        needs=("layer3-notify",),
        late=True,
    ),
)


#: Dotted key of the chart's values → name of the Secret that it must hold.
REFERENCES: Mapping[str, str] = {key: secret.name for secret in SECRETS for key in secret.references}


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A place outside the Secrets where the chart writes a credential, at each rendering.

    Attributes:
        kind, name: the object in the namespace harbor.
        holds: what of which Secret.
    """

    kind: Literal["ConfigMap", "Secret"]
    name: str
    holds: str


#: Read access to ConfigMaps of the namespace is read access to these (facts of the chart 1.19: its templates).
COPIES: tuple[Copy, ...] = tuple(
    Copy(kind=kind, name=name, holds="user and password of the cache (harbor-redis)")
    for kind, name in (
        ("ConfigMap", "harbor-core"),
        ("ConfigMap", "harbor-jobservice"),
        ("ConfigMap", "harbor-registry"),
        ("ConfigMap", "harbor-exporter-env"),
        ("Secret", "harbor-registry"),
        ("Secret", "harbor-trivy"),
    )
)


def secrets_for(parts: frozenset[str]) -> tuple[HarborSecret, ...]:
    """Give the Secrets of an environment that has these parts (`values.composition.Composition.parts`)."""
    return tuple(secret for secret in SECRETS if parts.issuperset(secret.needs))
