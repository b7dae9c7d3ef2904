"""From references to secrets: an environment variable, a file, AWS Secrets Manager; each read once.

values = SecretValues(folder=Path("stacks/prod"))
values.get(ref).get_secret_value()
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from infra.errors import Problem, SpecError
from slipway.harbor.spec.secret import SecretRef, Source


@dataclass
class SecretValues:
    """Reads what references name.

    Attributes:
        folder: what a path is relative to.
        client: of Secrets Manager; made when the first reference to it is read.
    """

    folder: Path
    client: Any = None
    _texts: dict[tuple[str, str], str | Problem] = field(default_factory=dict, repr=False)

    def get(self, ref: SecretRef) -> SecretStr:
        """Give a value.

        Raises:
            SpecError: it cannot be had here.
        """
        source = ref.secretRef
        text = self._text(source)
        if isinstance(text, Problem):
            raise SpecError(text)
        return SecretStr(_property(text, source) if source.key else text)

    def _text(self, source: Source) -> str | Problem:
        kind = "aws" if source.awsSecretsManager else "env" if source.env else "file"
        name = source.awsSecretsManager or source.env or source.file or ""
        if (kind, name) not in self._texts:
            reader = {"aws": self._from_aws, "env": _from_environment, "file": self._from_file}[kind]
            self._texts[kind, name] = reader(name)
        return self._texts[kind, name]

    def _from_file(self, name: str) -> str | Problem:
        try:
            return (self.folder / name).read_text().rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "is not text"
            return Problem(where=str(self.folder / name), what=f"the secret in it cannot be read: {reason}")

    def _from_aws(self, name: str) -> str | Problem:
        import boto3  # noqa: PLC0415  # a third of a second that only these need
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            self.client = self.client or boto3.client("secretsmanager")
            return self.client.get_secret_value(SecretId=name)["SecretString"]
        except KeyError:
            return Problem(where=f"secret {name}", what="it is binary, and text is wanted")
        except (BotoCoreError, ClientError) as error:
            fix = "see that it exists, and that these AWS credentials may read it"
            return Problem(where=f"secret {name}", what=f"AWS Secrets Manager: {error}", fix=fix)


def _from_environment(name: str) -> str | Problem:
    value = os.environ.get(name)
    return value or Problem(where=f"variable {name}", what="is not set, and a secret should be in it")


def _property(text: str, source: Source) -> str:
    place = str(source).partition(",")[0]
    try:
        found = json.loads(text)[source.key]
    except ValueError:
        raise SpecError(Problem(where=place, what=f"is no JSON, so there is no {source.key} in it")) from None
    except (KeyError, TypeError):
        raise SpecError(Problem(where=place, what=f"there is no {source.key} in its JSON")) from None
    if not isinstance(found, str):
        raise SpecError(Problem(where=place, what=f"{source.key} in its JSON is no text"))
    return found
