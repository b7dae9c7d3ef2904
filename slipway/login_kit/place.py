"""Where the secret goes: AWS Secrets Manager by default, a file, or a Kubernetes Secret.

read_place("file:robot.json", …)     # Place(kind="file", id="/home/me/robot.json")
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from infra.errors import Problem, SettingsError

_SECRET_ID = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_OBJECT = re.compile(r"(?P<namespace>[a-z0-9]([-a-z0-9]*[a-z0-9])?)/(?P<name>[a-z0-9]([-.a-z0-9]*[a-z0-9])?)")
_FORMS = "aws:NAME, file:PATH or kubernetes:NAMESPACE/NAME"


@dataclass(frozen=True, kw_only=True)
class Place:
    """One place.

    Attributes:
        id: Secrets Manager's name, the file's path, or the Secret's name.
        region: of Secrets Manager.
        namespace: of the Kubernetes Secret.
        key_alias: of the KMS key that encrypts it in Secrets Manager; empty for AWS's own.
    """

    kind: Literal["aws", "file", "kubernetes"]
    id: str
    region: str = ""
    namespace: str = ""
    key_alias: str = ""

    def __str__(self) -> str:
        """Give it as the option takes it."""
        return f"{self.kind}:{self.namespace}/{self.id}" if self.namespace else f"{self.kind}:{self.id}"


def read_place(text: str, *, region: str, key_alias: str = "") -> Place:
    """Read what the user wrote.

    Raises:
        SettingsError: it is none of the forms.
    """
    kind, _, rest = text.partition(":")
    if kind == "file" and rest:
        return Place(kind="file", id=str(Path(rest).expanduser().absolute()))
    if kind == "kubernetes" and (found := _OBJECT.fullmatch(rest)):
        return Place(kind="kubernetes", id=found["name"], namespace=found["namespace"])
    if kind == "aws" and _SECRET_ID.fullmatch(rest):
        if not region:
            fix = "name an environment (--registry ENV), or give --region"
            raise SettingsError(
                Problem(where="--secret-to", what="the region of Secrets Manager is not known", fix=fix)
            )
        return Place(kind="aws", id=rest, region=region, key_alias=key_alias)
    raise SettingsError(
        Problem(where="--secret-to", what=f"{text!r} names no place for a secret", fix=f"give {_FORMS}")
    )
