"""A provider that plays a cloud: Pulumi's provider protocol over gRPC, no cloud behind it.

The engine runs many creates at once; the only shared things are the journal, which is one appended line for each
operation, and constants.

What it plays: types and properties of the SDK (others are refused), creation times scaled down, computed outputs,
failures on demand, and the refusals of AWS that a rehearsal is there to find (deletion protection). What it does not:
AWS's own validation of values, quotas, eventual consistency, and drift.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Generator, Mapping
from concurrent import futures
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty  # ty: ignore[missing-module-member]
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from slipway.graph import replacement
from slipway.rehearse.simulated import check, wire
from slipway.rehearse.simulated.outputs import SECRET_OUTPUTS, Made, answer, computed
from slipway.rehearse.simulated.secrets_manager import SecretsManager
from slipway.rehearse.timeline import seconds

UNLIMITED_MESSAGES = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
#: More than the engine's --parallel, so that no create waits for another.
WORKERS = 64
DEFAULT_REGION = "us-east-1"
_VERBS = {"create": "creating", "update": "updating", "delete": "deleting"}


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How the simulated providers behave.

    Attributes:
        journal: file that each finished operation is appended to as one JSON line.
        speed: simulated seconds that pass in one real second; 0 for no waiting at all.
        fail: type tokens, or ``token::name``, whose creation fails.
        caller: ARN that AWS says we are; empty for a made-up one.
        secrets_manager: takes what the program puts into Secrets Manager.
    """

    journal: Path
    secrets_manager: SecretsManager
    speed: float = 0
    fail: tuple[str, ...] = ()
    caller: str = ""


class SimulatedProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Plays one package: aws, random or tls."""

    def __init__(self, package: str, behaviour: Behaviour) -> None:
        self.package, self._behaviour = package, behaviour
        self._region, self._tags = DEFAULT_REGION, {}

    def close(self) -> None:
        """Give back what it holds: nothing, in a cloud that is not there."""

    def Handshake(self, _request: Any, _context: Any) -> Any:
        """Promise to understand secrets; unknown values only arrive in previews."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:
        """Give the version: there is only one."""
        return plugin_pb2.PluginInfo(version="0.0.1")

    def Attach(self, _request: Any, _context: Any) -> Any:
        """Take note that an engine uses this server instead of a plugin of its own."""
        return Empty()

    def CheckConfig(self, request: Any, _context: Any) -> Any:
        """Take the provider's configuration as it is."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, _request: Any, _context: Any) -> Any:
        """Let the engine compare the provider's configuration."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, _context: Any) -> Any:
        """Remember region and default tags."""
        configuration = wire.plain(wire.unpack(request.args))
        self._region = configuration.get("region", DEFAULT_REGION)
        default_tags = configuration.get("defaultTags") or {}
        if isinstance(default_tags, str):  # nested provider configuration travels as JSON text
            default_tags = json.loads(default_tags)
        self._tags = default_tags.get("tags") or {}
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=True)

    def Check(self, request: Any, _context: Any) -> Any:
        """Refuse what the SDK's classes do not have."""
        inputs = wire.plain(wire.unpack(request.news))
        found = check.failures(token_of(request.urn), inputs)
        return provider_pb2.CheckResponse(
            inputs=request.news,
            failures=[
                provider_pb2.CheckFailure(property=key, reason=f"{key} {reason}".strip()) for key, reason in found
            ],
        )

    def Diff(self, request: Any, _context: Any) -> Any:
        """Compare inputs; some changes need a replacement."""
        olds = wire.plain(wire.unpack(request.old_inputs))
        news = wire.plain(wire.unpack(request.news))
        changed = [key for key in sorted({*olds, *news}) if olds.get(key) != news.get(key) and not key.startswith("__")]
        replaced = self._replaced(token_of(request.urn), changed, olds, news)
        kinds = provider_pb2.PropertyDiff.Kind
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            replaces=replaced,
            diffs=changed,
            hasDetailedDiff=True,
            detailedDiff={
                key: provider_pb2.PropertyDiff(
                    kind=kinds.UPDATE_REPLACE if key in replaced else kinds.UPDATE, inputDiff=True
                )
                for key in changed
            },
            # AWS refuses two resources of one name, so the old one goes first.
            deleteBeforeReplace=bool(replaced),
        )

    def Create(self, request: Any, context: Any) -> Any:
        """Wait as AWS would, at the rehearsal's speed, and answer with made-up outputs."""
        inputs = wire.unpack(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=wire.pack(inputs))
        return self._played(
            "create",
            request.urn,
            inputs,
            context,
            lambda: provider_pb2.CreateResponse(**self._made(request.urn, inputs)),
        )

    def Update(self, request: Any, context: Any) -> Any:
        """Give the new state; computed outputs stay."""
        # Made up from the same seed, so what AWS computed comes out as before.
        inputs = wire.unpack(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=self._state(request.urn, inputs)["properties"])
        return self._played(
            "update",
            request.urn,
            inputs,
            context,
            lambda: provider_pb2.UpdateResponse(properties=self._made(request.urn, inputs)["properties"]),
        )

    def Read(self, request: Any, _context: Any) -> Any:
        """Give the state back: nothing drifts in a cloud that is not there."""
        known = wire.plain(wire.unpack(request.properties))
        self._behaviour.secrets_manager.read(token_of(request.urn), request.id, known)
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Delete(self, request: Any, context: Any) -> Any:
        """Wait, or refuse as AWS does what is protected against deletion."""
        state = wire.plain(wire.unpack(request.properties))
        if state.get("deletionProtection") is True:
            return refused(context, f"{name_of(request.urn)}: deletion protection is on; turn it off and run up before")
        return self._played("delete", request.urn, state, context, lambda: self._deleted(request.urn, request.id))

    def Invoke(self, request: Any, context: Any) -> Any:
        """Answer a provider function."""
        try:
            result = answer(
                request.tok, wire.plain(wire.unpack(request.args)), region=self._region, caller=self._behaviour.caller
            )
        except LookupError as error:
            return refused(context, str(error))
        # `return` is no name that Python's syntax takes.
        return provider_pb2.InvokeResponse(**{"return": wire.pack(result)})  # ty: ignore[unknown-argument]

    def Cancel(self, _request: Any, _context: Any) -> Any:
        """Do nothing: the longest wait is seconds."""
        return Empty()

    def _replaced(
        self, token: str, changed: list[str], _olds: Mapping[str, Any], _news: Mapping[str, Any]
    ) -> list[str]:
        """Give those of the changed properties that need another resource."""
        return [key for key in changed if replacement.is_needed(token, key)]

    def _made(self, urn: str, inputs: dict[str, Any]) -> dict[str, Any]:
        """Create or update for good; what Secrets Manager then holds, others may read."""
        state = self._state(urn, inputs)
        self._behaviour.secrets_manager.created(token_of(urn), state["id"], wire.plain(inputs))
        for secret in wire.plain(wire.unpack(state["properties"])).get("masterUserSecrets") or ():
            self._behaviour.secrets_manager.kept_by_rds(secret["secretArn"])
        return state

    def _deleted(self, urn: str, identifier: str) -> Any:
        self._behaviour.secrets_manager.deleted(token_of(urn), identifier)
        return Empty()

    def _state(self, urn: str, inputs: dict[str, Any]) -> dict[str, Any]:
        """Give what AWS would say of a resource with these inputs."""
        token = token_of(urn)
        plain = wire.plain(inputs)
        made = computed(token, plain, Made(urn, region=self._region))
        identifier = made.pop("id")
        if "tags" in plain:
            made["tagsAll"] = {**self._tags, **plain["tags"]}
        guarded = {key: wire.secret(value) if key in SECRET_OUTPUTS else value for key, value in made.items()}
        return {"id": identifier, "properties": wire.pack({**inputs, **guarded})}

    def _played(self, operation: str, urn: str, inputs: Mapping[str, Any], context: Any, act: Callable[[], Any]) -> Any:
        token, started = token_of(urn), time.time()
        simulated = seconds(token, operation, inputs)
        if self._behaviour.speed:
            time.sleep(simulated / self._behaviour.speed)
        reason = ""
        if operation == "create" and {token, f"{token}::{name_of(urn)}"} & {*self._behaviour.fail}:
            reason = f"operation error, https response error StatusCode: 400 (asked for by --fail {token})"
        try:
            result = None if reason else act()
        except Exception as error:  # noqa: BLE001  # whatever went wrong is the engine's to tell
            reason = str(error)
        self._record(
            operation=operation, urn=urn, started=started, finished=time.time(),
            simulatedSeconds=simulated, outcome="failed" if reason else "done",
        )  # fmt: skip
        return refused(context, f"{_VERBS[operation]} {name_of(urn)}: {reason}") if reason else result

    def _record(self, **entry: Any) -> None:
        line = json.dumps(entry) + "\n"
        # One write in append mode is one whole line, whatever else writes.
        handle = os.open(self._behaviour.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line.encode())
        finally:
            os.close(handle)


def token_of(urn: str) -> str:
    """Give the type token of a URN: ``urn:pulumi:stack::project::parent$type::name``."""
    return urn.split("::")[2].rpartition("$")[2]


def name_of(urn: str) -> str:
    """Give the logical name of a URN."""
    return urn.split("::", 3)[3]


def refused(context: Any, reason: str) -> Any:
    """Answer a call with a failure."""
    context.set_code(grpc.StatusCode.UNKNOWN)
    context.set_details(reason)
    return Empty()


@contextlib.contextmanager
def serving(provider: SimulatedProvider) -> Generator[int]:
    """Serve a simulated provider from this process on a free port of loopback, which it gives.

    The engine attaches to it (PULUMI_DEBUG_PROVIDERS) instead of starting a plugin: one process for all operations of
    a rehearsal, which has the SDK's classes loaded already because the program did.
    """
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=WORKERS), options=UNLIMITED_MESSAGES)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=None).wait()
        provider.close()
