"""The program, served to the engine from this process: no language host plugin is needed, and imports are paid once.

`pulumi.automation._server` is semi-private, so it is used in this file alone; pulumi is pinned.
"""

import asyncio
import contextlib
import runpy
from collections.abc import Generator
from concurrent import futures
from pathlib import Path

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc

from slipway.rehearse.simulated.server import UNLIMITED_MESSAGES


@contextlib.contextmanager
def serving(root: Path) -> Generator[str]:
    """Serve the project's ``__main__.py`` for one operation; gives the address for `pulumi --client`."""

    loops: list[asyncio.AbstractEventLoop] = []

    def program() -> None:
        loops.append(asyncio.get_running_loop())
        runpy.run_path(str(root / "__main__.py"), run_name="__main__")

    workers = futures.ThreadPoolExecutor(max_workers=4)
    server = grpc.server(workers, options=UNLIMITED_MESSAGES)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageServer(program), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(grace=None).wait()
        # The program of an engine that gave up may still run, and Pulumi's runtime is one for the whole process.
        workers.shutdown(wait=True, cancel_futures=True)
        # Pulumi leaves its loop open, with its sockets, where what is still pending ends in an error.
        for loop in loops:
            loop.close()
