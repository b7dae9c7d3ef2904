"""Run the contract server: python -m tests.harbor.server FOLDER PORT [REGISTRY]

Prints its port as soon as it listens. With REGISTRY (the docker-registry program) the distribution server is started
behind it; both end with the process that started this one.
"""

import asyncio
import signal
import sys
from pathlib import Path

from tests.harbor.server.app import serve
from tests.harbor.server.distribution import started
from tests.harbor.server.harbor import Harbor


async def main(folder: Path, port: int, program: str) -> None:
    harbor = Harbor(folder)
    with started(program, folder, harbor.tokens.certificate) as address:
        harbor.registry = address
        runner, port = await serve(harbor, "127.0.0.1", port)
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        loop.add_reader(sys.stdin, _ended, stop)
        await stop.wait()
        await harbor.http.close()
        await runner.cleanup()
        harbor.state.close()


def _ended(stop: asyncio.Event) -> None:
    """Standard input ends when the process that started this one is gone."""
    if not sys.stdin.buffer.raw.read(1):
        stop.set()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""))
