"""Played: pulumi, aws and Slipway's own commands, as far as a proof asks them; run as `program.py STATE NAME ARGUMENTS…`.

What they say is written down after their sources and this project's own output, not recorded in an account: none was at
hand. STATE is a JSON file: what there is, what was asked (`log`), and `answers` that a test puts before the usual ones.
"""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

PATH, NAME, ARGUMENTS = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
KNOWN = ("SLIPWAY_HARBOR_PASSWORD", "SLIPWAY_GIT_TOKEN")
UP = """\
Updating (prove-dev):

Resources:
    + 150 created

Duration: 14m3s
"""


def main() -> int:
    state = json.loads(PATH.read_text())
    given = {name: os.environ[name] for name in KNOWN if name in os.environ}
    state["log"].append({"command": [NAME, *ARGUMENTS], "given": given})
    code, out, err = _chosen(state) or _usual(state)
    PATH.write_text(json.dumps(state))
    sys.stdout.write(out)
    sys.stderr.write(err)
    return code


def _chosen(state):
    for one in state["answers"]:
        if one["times"] and [NAME, *ARGUMENTS][: len(one["starts"])] == one["starts"]:
            one["times"] -= 1
            PATH.write_text(json.dumps(state))
            if one["sleeps"]:
                _sleep(one)
            if one["also"]:
                _usual(state)
            return one["code"], one["out"], one["err"]
    return None


def _sleep(one) -> None:
    """Work until interrupted, and end as pulumi does: what was begun is finished first; or not at all."""

    def stop(*_):
        sys.stderr.write("^C received; cancelling\n")
        if one["deaf"]:
            return
        sys.exit(130)

    signal.signal(signal.SIGINT, stop)
    sys.stderr.write("working\n")
    Path(f"{PATH}.works").touch()
    until = time.monotonic() + one["sleeps"]
    while time.monotonic() < until:
        time.sleep(0.02)


def _usual(state):
    if NAME == "pulumi":
        return _pulumi(state)
    if NAME == "aws":
        if ARGUMENTS[:1] == ["--version"]:
            return 0, "aws-cli/2.31.0\n", ""
        Path(ARGUMENTS[ARGUMENTS.index("--kubeconfig") + 1]).write_text("apiVersion: v1\n")
        return 0, "Added new context\n", ""
    return _slipway(state)


def _pulumi(state):  # noqa: PLR0911  # one a command
    stacks = state["stacks"]
    match ARGUMENTS:
        case ["version"]:
            return 0, "v3.259.0\n", ""
        case ["stack", "init", name, "--copy-config-from", source, *_]:
            if name in stacks:
                return 255, "", f"error: stack '{name}' already exists\n"
            stacks[name] = []
            shutil.copyfile(f"stacks/Pulumi.{source}.yaml", f"stacks/Pulumi.{name}.yaml")
            return 0, f"Created stack '{name}'\n", ""
        case ["stack", "--stack", name, "--show-name"]:
            return (0, f"{name}\n", "") if name in stacks else (255, "", f"error: no stack named '{name}' found\n")
        case ["up", "--stack", name, *_]:
            stacks[name] = [f"urn:pulumi:{name}::slipway::aws:eks/cluster:Cluster::cluster"]
            return 0, UP, ""
        case ["destroy", "--stack", name, *_]:
            stacks[name] = []
            return 0, "Resources:\n    - 150 deleted\n\nDuration: 12m\n", ""
        case ["stack", "export", "--stack", name, *_]:
            rows = [{"urn": urn, "type": urn.split("::")[2], "custom": True} for urn in stacks[name]]
            return 0, json.dumps({"deployment": {"resources": rows}}), ""
        case ["stack", "rm", name, *_]:
            if stacks[name]:
                return 255, "", f"error: '{name}' still has resources; removal rejected\n"
            del stacks[name]
            Path(f"stacks/Pulumi.{name}.yaml").unlink()
            return 0, f"Stack '{name}' has been removed!\n", ""
    return 255, "", f"error: unknown command {ARGUMENTS}\n"


def _slipway(state):  # noqa: PLR0911  # one a command
    match ARGUMENTS:
        case ["status", *_] | ["kind", "status", *_]:
            chain = {"verdict": "delivered", "commit": "c0ffee" * 6, "url": "https://prove-registry.dev.example.com"}
            return 0, json.dumps({**chain, "links": []}), ""
        case ["verify", target, *_]:
            counts = {"passed": 40, "failed": 0, "skipped": 1, "undecided": 0}
            return 0, json.dumps({"url": target, "verdict": "passed", "counts": counts, "checks": []}), ""
        case ["upgrade", _, "--to", version, *_]:
            done = [{"step": "deliver", "says": "c0ffee is delivered"}]
            return 0, json.dumps({"chart": {"from": "1.18.3", "to": version}, "done": done}), ""
        case ["teardown", name, *_]:
            state["stacks"][name] = []
            return 0, "{}", "destroy: done in 700.0 s\n"
        case ["kind", "up", "--name", name, *_]:
            state["clusters"].append(name) if name not in state["clusters"] else None
            return 0, json.dumps({"name": name, "url": "http://localhost:30102"}), ""
        case ["kind", "down", "--name", name, "--yes"]:
            state["clusters"].remove(name)
            return 0, "", f"{name} is gone\n"
    return 2, "", f"error: unknown command {ARGUMENTS}\n"


if __name__ == "__main__":
    sys.exit(main())
