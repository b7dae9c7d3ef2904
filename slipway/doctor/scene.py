"""What the checks look at: one environment or none, and how to reach what belongs to it.

scene = Scene(root=root, environment="prod")
scene.settings.region
"""

import ssl
import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from slipway.doctor.check import Failed

if TYPE_CHECKING:
    from lightkube import Client

    from infra.delivery.remote import Remote
    from infra.settings import Settings

#: Longest that one answer over the network may take, below a check's own limit.
ANSWER_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is looked at, and what one check knows for the others.

    Attributes:
        root: the project's folder.
        environment: empty for none.
        kubeconfig, context: which cluster; None for the defaults.
        registry: address of the registry; empty for the one of the settings.
        username, password: who logs in there; without a password nobody does.
        ca_file: certificates to trust besides the system's.
    """

    root: Path
    environment: str = ""
    kubeconfig: Path | None = None
    context: str | None = None
    registry: str = ""
    username: str = "admin"
    password: SecretStr | None = field(default=None, repr=False)
    ca_file: Path | None = None
    _making: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _sessions: list[Any] = field(default_factory=list, init=False, repr=False)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def settings(self) -> "Settings":
        """Of the environment.

        Raises:
            SettingsError: they are not usable; `stack.settings` tells it, and whatever needs them comes after it.
        """
        from infra.stack_config import from_stack_file, stack_file  # noqa: PLC0415

        return from_stack_file(stack_file(self.root, self.environment))

    @property
    def url(self) -> str:
        """The registry's address."""
        return (self.registry or f"https://{self.settings.domain}").rstrip("/")

    @property
    def remote(self) -> "Remote":
        """The GitOps repository, opened as a person opens it: what Pulumi encrypted only Pulumi reads."""
        import os  # noqa: PLC0415

        from infra.delivery.remote import Remote  # noqa: PLC0415
        from slipway.rendering import TOKEN_VARIABLE  # noqa: PLC0415

        return Remote.of(self.settings.gitops, os.environ.get(TOKEN_VARIABLE), self.root)

    def aws(self, service: str, region: str = "") -> Any:  # noqa: ANN401  # a boto3 client
        """Give a client of an AWS service, in the environment's region if in no other; it does not wait for long.

        Clients may be shared between threads, their making not; and EC2's takes half a second.
        """
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        region = region or (self.settings.region if self.environment else "")
        with self._making:
            if (service, region) not in self._clients:
                if not self._sessions:
                    self._sessions.append(boto3.Session())
                patience = Config(connect_timeout=5, read_timeout=ANSWER_SECONDS, retries={"total_max_attempts": 2})
                where = region or self._sessions[0].region_name or "us-east-1"
                self._clients[service, region] = self._sessions[0].client(service, where, config=patience)
            return self._clients[service, region]

    def cluster(self) -> "Client":
        """Give a client of the cluster; close it.

        Raises:
            ClusterError: there is no usable kubeconfig.
        """
        from infra.delivery.status.observe import connect  # noqa: PLC0415

        return connect(self.kubeconfig, self.context)

    def trust(self) -> ssl.SSLContext:
        """Give what decides about certificates: the system's authorities, and those of the file.

        Raises:
            Failed: the file holds no certificate.
        """
        context = ssl.create_default_context()
        if self.ca_file:
            try:
                context.load_verify_locations(cafile=self.ca_file)
            except (OSError, ssl.SSLError) as error:
                fix = "give a PEM file with the certificate of your authority as --ca-file"
                raise Failed(f"{self.ca_file}: no certificates in it: {error}", fix) from error
        return context


def refusal(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """Give what was wrong with a certificate, if that is at the bottom of an error of the HTTP library's."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause
