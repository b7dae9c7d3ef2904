"""Run the real program under a recording monitor and keep what it registered as plain data.

    graph = record("prod", stack_configuration(Path("stacks/Pulumi.prod.yaml")))
    [node.name for node in graph.of_type("aws:rds/instance:Instance")]

No engine, no plugin and no cloud take part: computed outputs are made up by `outputs`, or unknown with `preview`.
`pulumi.runtime.settings` is semi-internal, so everything that touches it stays in this file; pulumi is pinned.
"""

import asyncio
import contextlib
import contextvars
import json
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks, rpc
from pulumi.runtime.settings import set_root_resource
from pulumi.runtime.stack import run_in_stack

from infra.errors import GraphError, Problem
from infra.stack_config import PROJECT

Outputs = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]

STACK = "pulumi:pulumi:Stack"

#: What stands in a recorded input or export for a value that only `up` can know.
UNKNOWN = rpc.UNKNOWN

#: What stands in a recorded configuration for what Pulumi encrypted.
ENCRYPTED = "encrypted-by-pulumi"

#: How Pulumi marks a secret inside a recorded input, and the value it leaves for what is not known yet.
_SIGNATURE = "4dabf18193072939515e22adb298388d"


@dataclass(frozen=True, kw_only=True)
class Node:
    """One registration.

    Attributes:
        type, name, urn: as in the state.
        custom: a resource of a provider, not a component.
        inputs: as sent, in wire names (camelCase); secrets are `Secret`, unknown values are `UNKNOWN`.
        parent, provider: URNs; empty for none. A provider reference is cut to its URN.
        depends_on: URNs of explicit dependencies and of those that inputs come from.
    """

    type: str
    name: str
    urn: str
    custom: bool
    inputs: Mapping[str, Any]
    parent: str
    provider: str
    depends_on: frozenset[str]
    protect: bool
    retain_on_delete: bool
    ignore_changes: tuple[str, ...]
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Secret:
    """A secret input; its repr does not show it."""

    value: Any = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Graph:
    """All registrations of one run but the stack's own, in order, and the stack's exports."""

    nodes: tuple[Node, ...]
    exports: Mapping[str, Any]

    def __iter__(self) -> Iterator[Node]:
        """Go through the registrations in order."""
        return iter(self.nodes)

    def of_type(self, token: str) -> list[Node]:
        """Give the nodes of one type token."""
        return [node for node in self.nodes if node.type == token]

    def by_urn(self, urn: str) -> Node:
        """Give the node with this URN."""
        return next(node for node in self.nodes if node.urn == urn)

    def ancestors(self, node: Node) -> frozenset[str]:
        """Give the URNs of everything that must be created before `node`."""
        index = {other.urn: other for other in self.nodes}
        found: set[str] = set()
        pending = [node]
        while pending:
            current = pending.pop()
            for urn in current.depends_on:
                # A dependency on a component is one on all that is below it.
                below = [other for other in self.nodes if other.parent == urn] if not index[urn].custom else []
                for other in (index[urn], *below):
                    if other.urn not in found:
                        found.add(other.urn)
                        pending.append(other)
        return frozenset(found)


def no_outputs(_type: str, _name: str, _inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Compute nothing: every output that is no input stays unknown or None."""
    return {}


def record(
    program: Callable[[], None],
    *,
    stack: str,
    config: Mapping[str, str],
    outputs: Outputs = no_outputs,
    preview: bool = False,
) -> Graph:
    """Run `program` once and give what it registered.

    Args:
        program: `infra.program.program`.
        stack: the environment's name.
        config: configuration key with its package → value, structured values as JSON text.
        outputs: computed outputs for (type token, logical name, inputs), merged over the inputs.
        preview: computed outputs are unknown, as in the first `pulumi preview`.

    Raises:
        GraphError: the program failed for a reason of its own; settings errors come through as they are.
    """
    monitor = _Recorder(_Mocks(outputs, preview))
    loop = asyncio.new_event_loop()
    loop.set_default_executor(_ContextExecutor())
    asyncio.set_event_loop(loop)
    try:
        mocks.set_mocks(monitor.mocks, project=PROJECT, stack=stack, preview=preview, monitor=monitor)
        pulumi.runtime.set_all_config(dict(config))
        # set_mocks makes a root stack, and run_in_stack makes its own.
        set_root_resource(None)  # ty: ignore[invalid-argument-type]
        monitor.nodes.clear()
        loop.run_until_complete(run_in_stack(program))
    except pulumi.RunError as error:
        raise GraphError(Problem(what=f"the program stopped: {error}")) from error
    finally:
        loop.close()
        asyncio.set_event_loop(None)
    return Graph(nodes=tuple(monitor.nodes), exports=monitor.exports)


def configuration(document: Mapping[str, Any]) -> dict[str, str]:
    """Give the `config` section of a stack file as Pulumi hands it to a program: text, structures as JSON.

    Nobody but Pulumi can read what it encrypted; that there is a value shapes the graph, so a placeholder stands in.
    """
    return {
        key: ENCRYPTED if _is_secure(value) else value if isinstance(value, str) else json.dumps(value)
        for key, value in (document.get("config") or {}).items()
    }


def _is_secure(value: Any) -> bool:  # noqa: ANN401  # any setting
    return isinstance(value, dict) and set(value) == {"secure"}


class _Mocks(mocks.Mocks):
    """Answers registrations with the inputs and made-up outputs."""

    def __init__(self, outputs: Outputs, preview: bool) -> None:
        self._outputs, self._preview = outputs, preview

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Give id and state of a resource."""
        if self._preview:
            return None, dict(args.inputs)
        computed = self._outputs(args.typ, args.name, args.inputs)
        return str(computed.get("id", f"{args.name}-id")), {**args.inputs, **computed}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Answer an invoke; nothing in it fails."""
        return dict(self._outputs(args.token, "", args.args)), []


class _Recorder(mocks.MockMonitor):
    """A mock monitor that keeps every raw registration."""

    def __init__(self, answers: _Mocks) -> None:
        super().__init__(answers)
        self.nodes: list[Node] = []
        self.exports: Mapping[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: ANN401, N802  # a gRPC method and its messages
        with _own_event_loop():
            response = super().RegisterResource(request)
        if request.type == STACK:
            return response
        depends_on = set(map(_as_engine, request.dependencies))
        for sources in request.propertyDependencies.values():
            depends_on.update(map(_as_engine, sources.urns))
        self.nodes.append(
            Node(
                type=request.type,
                name=request.name,
                urn=_as_engine(response.urn),
                custom=request.custom,
                inputs=_plain(MessageToDict(request.object)),
                parent=_as_engine(request.parent),
                provider=_as_engine(request.provider.rpartition("::")[0]),
                depends_on=frozenset(depends_on),
                protect=request.protect,
                retain_on_delete=request.retainOnDelete,
                ignore_changes=tuple(request.ignoreChanges),
                aliases=tuple(str(alias) for alias in request.aliases),
            )
        )
        return response

    def Invoke(self, request: Any) -> Any:  # noqa: ANN401, N802
        with _own_event_loop():
            return super().Invoke(request)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: ANN401, N802
        if f"::{STACK}::" in request.urn:
            self.exports = _plain(MessageToDict(request.outputs))
        return super().RegisterResourceOutputs(request)


class _ContextExecutor(ThreadPoolExecutor):
    """Hands its caller's context variables on, in which Pulumi keeps the monitor of this run.

    Without it a worker thread finds the monitor of whichever engine ran in this process before.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401
        return super().submit(contextvars.copy_context().run, fn, *args, **kwargs)


@contextlib.contextmanager
def _own_event_loop() -> Generator[None]:
    """Give the worker thread an event loop for one call; pulumi's mocks would open one and never close it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def _as_engine(urn: str) -> str:
    """Give a URN as the engine has it: the mocks put the stack in front of what has no other parent."""
    return urn.replace(f"::{STACK}$", "::")


def _plain(value: Any) -> Any:  # noqa: ANN401  # JSON-like
    if isinstance(value, dict):
        if _SIGNATURE in value:
            return Secret(_plain(value["value"])) if "value" in value else value
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
