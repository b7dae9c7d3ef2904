"""Whether this machine can use the registry as docker and containerd would: testinfra's commands, run here."""

import email.utils
import json
from urllib.parse import urlsplit

import pytest

#: A token counts from when core made it; clocks that differ by more make it not valid yet.
SECONDS_APART = 30


@pytest.fixture
def place(target):
    parts = urlsplit(target.url)
    return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def test_the_name_resolves(machine, place):
    assert machine.addr(place[0]).is_resolvable, f"getent knows no {place[0]}: DNS, or /etc/nsswitch.conf"


def test_the_port_is_reached(machine, place):
    host, port = place
    assert machine.addr(host).port(port).is_reachable, f"{host}:{port} is closed to this machine: firewall or proxy"


def test_the_clocks_agree(machine, target):
    curl = _curl(machine, target)
    answer = machine.check_output(f"{curl} --head %s", f"{target.url}/api/v2.0/ping")
    dates = [line.partition(":")[2].strip() for line in answer.splitlines() if line.lower().startswith("date:")]
    if not dates:
        pytest.skip("the registry tells no time")
    there = email.utils.parsedate_to_datetime(dates[0]).timestamp()
    here = int(machine.check_output("date +%s"))

    assert abs(here - there) < SECONDS_APART, f"this machine's clock is {here - there:+.0f} s off the registry's"


def test_docker_does_not_take_the_registry_for_insecure(machine, target):
    if not target.url.startswith("https://"):
        pytest.skip("the address is http")
    if not machine.exists("docker"):
        pytest.skip("no docker on this machine")
    found = machine.run("docker info --format '{{json .RegistryConfig.IndexConfigs}}'")
    if found.failed:
        pytest.skip(f"docker does not answer: {found.stderr.strip().splitlines()[-1:]}")
    known = (json.loads(found.stdout) or {}).get(urlsplit(target.url).netloc, {})

    assert known.get("Secure", True), "take it out of insecure-registries in /etc/docker/daemon.json"


def _curl(machine, target) -> str:
    if not machine.exists("curl"):
        pytest.skip("no curl on this machine")
    trust = f" --cacert '{target.ca_file}'" if target.ca_file else ""
    return f"curl --silent --show-error --max-time 10{trust}"
