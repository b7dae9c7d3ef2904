"""From what harbor.yaml says of a secret's place to the store.

store = store_of(PlaceSpec(file="ci.json"), Path("stacks/prod"))
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

from slipway.harbor.robots.stores.store import Store
from slipway.harbor.spec.robots import PlaceSpec


def store_of(place: PlaceSpec, folder: Path) -> Store:
    """Give the store; what it needs is only loaded now."""
    if place.file:
        from slipway.harbor.robots.stores.file import FileStore  # noqa: PLC0415

        return FileStore(folder / Path(place.file).expanduser())
    if place.kubernetes:
        from slipway.harbor.robots.stores.kubernetes import KubernetesStore  # noqa: PLC0415

        return KubernetesStore(_cluster(), place.kubernetes.namespace, place.kubernetes.name)
    from slipway.harbor.robots.stores.secrets_manager import SecretsManagerStore  # noqa: PLC0415

    return SecretsManagerStore(_secrets_manager(place.region), place.awsSecretsManager or "", key=place.kmsKey or "")


@lru_cache
def _secrets_manager(region: str | None) -> Any:  # noqa: ANN401  # a boto3 client
    import boto3  # noqa: PLC0415  # a third of a second that only these need

    return boto3.client("secretsmanager", region_name=region)


@lru_cache
def _cluster() -> Any:  # noqa: ANN401  # a lightkube client
    from lightkube import Client  # noqa: PLC0415

    return Client(field_manager="slipway-harbor")
