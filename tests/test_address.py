"""What is an address, and that every command refuses what is none with a message."""

import pytest

from slipway.address import parts_of
from slipway.cli import run

ADDRESSES = [
    ("https://registry.example.com", ("registry.example.com", None)),
    ("http://127.0.0.1:8080/path?q=1", ("127.0.0.1", 8080)),
    ("https://[::1]:8443", ("::1", 8443)),
    ("https://höst.example.com", ("höst.example.com", None)),
]
OTHERS = [
    "", "registry.example.com", "https://", "https://[", "https://:443", "https://a..b", "https://a:b", "https://a:99999",
    f"https://{'a' * 64}.com", "https://a b", "https://a\n", "ssh://a", "file:///a",
]  # fmt: skip


@pytest.mark.parametrize(("text", "host_and_port"), ADDRESSES)
def test_an_address(text, host_and_port):
    parts = parts_of(text)

    assert (parts.hostname, parts.port) == host_and_port


@pytest.mark.parametrize("text", OTHERS)
def test_what_is_none(text):
    assert parts_of(text) is None


COMMANDS = [
    ("login-kit", "payments", "--secret-to", "file:robot.json", "--dry-run", "--registry"),
    ("kind", "up", "--dry-run", "--remote"),
    ("prove", "dev", "--on", "rehearsal", "--dry-run", "--registry"),
    ("doctor", "ha", "--only", "registry.name", "--registry"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("text", ["https://[", "https://a..b", "https://a:99999"])
def test_a_command_that_is_given_none(command, text, capsys):
    assert run([*command, text]) in {1, 2}

    shown = capsys.readouterr()
    assert text in shown.out + shown.err
