"""The kubernetes provider, played over a real API server: what the program declares is applied there, server-side.

Played: creating, reading and deleting any kind by its document; a Helm Release of the Flux Operator, which brings its
CRD (what the operator does is slipway/rehearse/cluster/played/flux_operator.py). Not played: waiting for an object to
be ready, other charts, the kubeconfig (the rehearsal's own cluster is meant).

Without a cluster, when a rehearsal stops at the commit, nothing is applied and the state remembers the inputs.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf.empty_pb2 import Empty  # ty: ignore[missing-module-member]
from pulumi.runtime.proto import provider_pb2

from slipway.rehearse.simulated import wire
from slipway.rehearse.simulated.server import Behaviour, SimulatedProvider, name_of, refused, token_of

RELEASE = "kubernetes:helm.sh/v3:Release"
OPERATOR = "flux-operator"
_NOT_FOUND = 404
#: Written to a log, a secret's content would be one no more.
_SECRET_INPUTS = ("stringData", "data")


class KubernetesProvider(SimulatedProvider):
    """Plays pulumi-kubernetes for one cluster."""

    def __init__(self, behaviour: Behaviour, kubeconfig: Path | None) -> None:
        super().__init__("kubernetes", behaviour)
        self._kubeconfig = kubeconfig
        self._known_client: Any = None

    def DiffConfig(self, request: Any, _context: Any) -> Any:
        """Another cluster_identifier is another cluster; nothing else in the configuration is."""
        old, new = (wire.plain(wire.unpack(values)).get("clusterIdentifier") for values in (request.olds, request.news))
        changed = bool(old and new and old != new)
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            replaces=["clusterIdentifier"] if changed else [],
        )

    def Configure(self, _request: Any, _context: Any) -> Any:
        """Promise secrets and previews; the kubeconfig leads to no cluster here."""
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=True)

    def Check(self, request: Any, _context: Any) -> Any:
        """Take everything: the API server is who checks."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def Read(self, request: Any, context: Any) -> Any:
        """Look whether the object is there; one that is not makes the next `up` create it again."""
        document = wire.plain(wire.unpack(request.properties))
        try:
            there = self._kubeconfig is None or self._is_there(token_of(request.urn), document)
        except Exception as error:  # noqa: BLE001  # whatever the client says goes to the engine
            return refused(context, f"reading {name_of(request.urn)}: {error}")
        if not there:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def _replaced(self, _token: str, changed: list[str], olds: Mapping[str, Any], news: Mapping[str, Any]) -> list[str]:
        """An object of another name or namespace is another object."""
        named = [{key: one.get("metadata", {}).get(key) for key in ("name", "namespace")} for one in (olds, news)]
        return [key for key in changed if key in {"apiVersion", "kind"} or (key == "metadata" and named[0] != named[1])]

    def _made(self, urn: str, inputs: dict[str, Any]) -> dict[str, Any]:
        if self._kubeconfig is not None:
            self._apply(token_of(urn), wire.plain(inputs))
        return self._state(urn, inputs)

    def _deleted(self, _urn: str, _identifier: str) -> Any:
        """Leave it: every object goes with its cluster or stays with Flux."""
        return Empty()

    def _state(self, urn: str, inputs: dict[str, Any]) -> dict[str, Any]:
        document = wire.plain(inputs)
        namespace = document.get("metadata", {}).get("namespace") or document.get("namespace")
        guarded = {
            key: wire.secret(document[key])
            for key in _SECRET_INPUTS
            if document.get("kind") == "Secret" and key in document
        }
        return {
            "id": "/".join(filter(None, (namespace, name_of(urn)))),
            "properties": wire.pack({**inputs, **guarded}),
        }

    def _apply(self, token: str, document: dict[str, Any]) -> None:
        from slipway.rehearse.cluster.api import apply, apply_definition  # noqa: PLC0415
        from slipway.rehearse.cluster.played.third_parties import OPERATOR_GROUP, definitions  # noqa: PLC0415

        if token != RELEASE:
            apply(self._client(), document)
            return
        if document.get("name") != OPERATOR:
            raise LookupError(f"the rehearsal does not play the chart {document.get('chart')}")
        for definition in definitions(OPERATOR_GROUP):
            apply_definition(self._client(), definition)

    def _is_there(self, token: str, document: dict[str, Any]) -> bool:
        from lightkube.core.exceptions import ApiError, LoadResourceError  # noqa: PLC0415

        from slipway.rehearse.cluster.api import exists  # noqa: PLC0415
        from slipway.rehearse.cluster.played.third_parties import OPERATOR_GROUP, definitions  # noqa: PLC0415

        wanted = definitions(OPERATOR_GROUP) if token == RELEASE else [document]
        try:
            return all(exists(self._client(), one) for one in wanted)
        except LoadResourceError:  # not even its kind is there
            return False
        except ApiError as error:
            if error.status.code == _NOT_FOUND:
                return False
            raise

    def close(self) -> None:
        """Give the connection back."""
        if self._known_client is not None:
            self._known_client.close()

    def _client(self) -> Any:
        from slipway.rehearse.cluster.api import connect  # noqa: PLC0415

        if self._known_client is None and self._kubeconfig is not None:
            self._known_client = connect(self._kubeconfig, "pulumi-kubernetes")
        return self._known_client
