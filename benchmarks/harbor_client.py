"""The client of Harbor's API against the contract server: requests a second, seconds for whole reads, memory.

python benchmarks/harbor_client.py --projects 1000 --in-flight 16

First with a server as fast as it goes, then with the times that were measured on a real Harbor (the server is then the
limit, as it is there). Client and server share this machine's cores; the server is a process of its own.
"""

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil
from pydantic import SecretStr

from slipway.harbor.client import Connection, connect
from slipway.harbor.client.api import immutable, members, projects, quotas, retentions, robots, webhooks
from tests.harbor.process import HarborServer

PARTS = {"members": 1, "robots": 2, "retention": True, "immutable": True, "webhook": True, "users": 2}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=1000)
    parser.add_argument("--in-flight", type=int, default=16)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        with HarborServer(Path(folder)).running() as harbor:
            print(f"contract server and registry started in {time.perf_counter() - started:.2f} s")
            harbor.seed(arguments.projects, **PARTS)
            for preset in ("none", "real"):
                harbor.latency(preset)
                print(f"\nlatency {preset}, {arguments.in_flight} in flight, {arguments.projects:,} projects")
                asyncio.run(measure(harbor, arguments.in_flight, quick=preset == "real"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nmemory of this process at its peak: {peak:.0f} MB")


async def measure(harbor: HarborServer, in_flight: int, *, quick: bool) -> None:
    connection = Connection(url=harbor.url, name="admin", secret=SecretStr(harbor.password), in_flight=in_flight)
    server, client = psutil.Process(harbor.process.pid), psutil.Process()
    async with connect(connection) as api:
        before = client.memory_info().rss
        async with timed(api, "list of projects", server, client):
            found = await api.all(projects.every())
        async with timed(api, "quotas", server, client):
            await api.all(quotas.every())

        def jobs():
            for project in found:
                number = project.project_id
                yield lambda number=number: api.all(members.of(number))
                yield lambda number=number: api.all(robots.of_project(number))
                yield lambda number=number: api.all(immutable.of(number))
                yield lambda number=number: api.all(webhooks.of(number))
                if project.metadata.retention_id:
                    yield retentions.get(int(project.metadata.retention_id))

        async with timed(api, "all parts of all projects", server, client):
            results = await api.each(jobs())
        assert not [each for each in results if isinstance(each, Exception)]
        grown = (client.memory_info().rss - before) / (1 << 20)
        print(f"  {'what was read takes':28} {grown:6.1f} MB")
        writes = min(len(found), 300 if quick else 2000)
        async with timed(api, f"{writes} quota changes", server, client):
            await api.each(quotas.update(number, 1 << 30) for number in range(1, writes + 1))


class timed:  # noqa: N801
    """Say what a part took: seconds, requests a second, and the processor time of both sides for a request."""

    def __init__(self, api, name: str, server: psutil.Process, client: psutil.Process) -> None:
        self.api, self.name, self.both = api, name, (server, client)

    async def __aenter__(self) -> None:
        self.sent, self.cpu, self.started = self.api.sent, [used(each) for each in self.both], time.perf_counter()

    async def __aexit__(self, *_) -> None:
        seconds, sent = time.perf_counter() - self.started, self.api.sent - self.sent
        server, client = (1000 * (used(each) - before) / sent for each, before in zip(self.both, self.cpu, strict=True))
        print(
            f"  {self.name:28} {seconds:6.2f} s  {sent:6,} requests  {sent / seconds:6.0f}/s"
            f"   server {server:.2f} ms, client {client:.2f} ms each"
        )


def used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    main()
