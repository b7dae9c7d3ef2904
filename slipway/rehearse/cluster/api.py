"""The rehearsed cluster's API, by plain documents: what a client of one kind does with many kinds.

api = connect(kubeconfig)
apply(api, {"apiVersion": "v1", "kind": "Namespace", …})
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightkube import Client, KubeConfig, codecs
from lightkube.core.exceptions import ApiError, LoadResourceError
from lightkube.generic_resource import load_in_cluster_generic_resources
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition

#: The API server takes a moment to serve a new CRD.
_NEW_KIND_SECONDS = 5.0
_NOT_FOUND = 404


def connect(kubeconfig: Path, manager: str = "slipway-rehearsal") -> Client:
    """Give a client of the cluster that a kubeconfig names."""
    return Client(config=KubeConfig.from_file(kubeconfig).get(), field_manager=manager, trust_env=False)


def load(client: Client, document: Mapping[str, Any]) -> Any:  # noqa: ANN401  # lightkube's class of its kind
    """Give a document as the client's object; its kind may have come to the cluster a moment ago.

    Raises:
        LoadResourceError: the cluster does not have the kind.
    """
    deadline = time.monotonic() + _NEW_KIND_SECONDS
    while True:
        try:
            return codecs.from_dict(dict(document))
        except LoadResourceError:
            if time.monotonic() > deadline:
                raise
        load_in_cluster_generic_resources(client)
        time.sleep(0.05)


def apply_definition(client: Client, document: Mapping[str, Any]) -> None:
    """Apply a CustomResourceDefinition and wait until the API server serves it."""
    apply(client, document)
    deadline = time.monotonic() + _NEW_KIND_SECONDS
    while time.monotonic() < deadline:
        present = client.get(CustomResourceDefinition, document["metadata"]["name"])
        conditions = present.status.conditions if present.status else None
        if any(one.type == "Established" and one.status == "True" for one in conditions or ()):
            return
        time.sleep(0.02)


def apply(client: Client, document: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Apply a document server-side and give what the cluster made of it.

    Raises:
        ApiError: the API server refuses it.
        LoadResourceError: the cluster does not have its kind.
    """
    deadline = time.monotonic() + _NEW_KIND_SECONDS
    while True:
        try:
            return client.apply(load(client, document), force=True)
        except ApiError as error:
            # A CRD that is there but not served yet answers as a path that does not exist.
            if error.status.code != _NOT_FOUND or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def exists(client: Client, document: Mapping[str, Any]) -> bool:
    """Tell whether the cluster has an object with this document's kind and name.

    Raises:
        LoadResourceError: the cluster does not have the kind.
        ApiError: any other answer than yes or no.
    """
    wanted = load(client, document)
    try:
        namespace = wanted.metadata.namespace
        found = client.get(type(wanted), wanted.metadata.name, **({"namespace": namespace} if namespace else {}))
    except ApiError as error:
        if error.status.code == _NOT_FOUND:
            return False
        raise
    return found is not None
