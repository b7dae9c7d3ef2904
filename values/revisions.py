"""Which Secrets a component's pods must roll for: pods read them at their start, and the chart does not notice."""

import re
from collections.abc import Sequence

from values.composition import Composition
from values.secrets import HarborSecret

#: On a pod: a digest of the Secrets that it reads.
ANNOTATION = "slipway.dev/secrets"


def revision_sources(secrets: Sequence[HarborSecret]) -> dict[str, tuple[str, str]]:
    """Give name in the template → (Secret, property) of every value whose change rolls somebody."""
    return {
        _identifier(secret, key): (secret.name, key)
        for secret in secrets
        if _is_followed(secret)
        for key in secret.properties
    }


def revisions(secrets: Sequence[HarborSecret], composition: Composition) -> dict[str, list[str]]:
    """Give component → names in the template of the values that its pods read."""
    read = {
        component: [
            _identifier(secret, key)
            for secret in secrets
            if _is_followed(secret) and component in secret.readers
            for key in secret.properties
        ]
        for component in composition.replicas
    }
    return {component: names for component, names in read.items() if names}


def _is_followed(secret: HarborSecret) -> bool:
    """A Secret that never changes rolls nobody; one that is a values document rolls its readers by itself."""
    return bool(secret.readers) and not secret.once and not secret.is_values


def _identifier(secret: HarborSecret, key: str) -> str:
    """Give a name that a Go template takes."""
    return re.sub(r"\W", "_", f"{secret.name}_{key}")
