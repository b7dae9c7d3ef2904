"""Played: docker, kind, kubectl and helm, as far as `slipway kind` asks them; run as `program.py STATE NAME ARGUMENTS…`.

What they say is written down after their sources and documentation (kind 0.32, Docker 29, kubectl 1.34, Helm 4.2), not
recorded on a machine: no container engine was at hand. STATE is a JSON file: what there is, what was asked (`log`), and
`answers` that a test puts before the usual ones. `port-forward` starts the real Git server from the applied ConfigMap.
"""

import base64
import json
import os
import sys
import time
from pathlib import Path

# What only some commands need is imported there: each test asks dozens of times.

PATH, NAME, ARGUMENTS = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]


def main() -> int:
    state = json.loads(PATH.read_text())
    stdin = sys.stdin.read() if "-" in ARGUMENTS else ""
    state["log"].append({"command": [NAME, *ARGUMENTS], "stdin": stdin, "kubeconfig": os.environ.get("KUBECONFIG")})
    answer = _chosen(state) or _usual(state, stdin)
    PATH.write_text(json.dumps(state))
    if answer == "hang":
        time.sleep(60)
    if answer == "forward":
        return _forward(state)
    code, out, err = answer
    sys.stdout.write(out)
    sys.stderr.write(err)
    return code


def _chosen(state):
    for one in state["answers"]:
        starts = one["starts"]
        if one["times"] and [NAME, *ARGUMENTS][: len(starts)] == starts:
            one["times"] -= 1
            if one["after"]:  # it did its work, and was cut off then
                _usual(state, state["log"][-1]["stdin"])
            if one["hangs"]:
                return "hang"
            return one["code"], one["out"], one["err"]
    return None


def _usual(state, stdin):
    known = {"docker": _docker, "kind": _kind, "kubectl": _kubectl, "helm": _helm}
    return known[NAME](state, stdin)


def _docker(state, _stdin):
    match ARGUMENTS:
        case ["info", *_]:
            return 0, f"29.1.3 {state['architecture']}\n", ""
        case ["ps", *_]:
            name = next(one for one in ARGUMENTS if one.startswith("label=")).rpartition("=")[2]
            rows = state["clusters"].get(name, {}).get("containers", {})
            return 0, "".join(f"{container} {now}\n" for container, now in rows.items()), ""
        case ["start", *names]:
            for cluster in state["clusters"].values():
                cluster["containers"].update({name: "running" for name in names if name in cluster["containers"]})
            return 0, "\n".join(names) + "\n", ""
        case ["port", container, port]:
            ports = state["clusters"][container.removesuffix("-control-plane")]["ports"]
            if port not in ports:
                return 1, "", f"Error: No public port '{port}' published for {container}\n"
            return 0, f"127.0.0.1:{ports[port]}\n", ""
    return 125, "", f"docker: unknown {ARGUMENTS}\n"


def _kind(state, _stdin):
    match ARGUMENTS:
        case ["version"]:
            return 0, "kind v0.32.0 go1.25.5 linux/amd64\n", ""
        case ["get", "clusters"]:
            found = "".join(f"{name}\n" for name in state["clusters"])
            return 0, found, "" if found else "No kind clusters found.\n"
        case ["create", "cluster", "--name", name, "--config", config, "--wait", "5m"]:
            return _created(state, name, config)
        case ["delete", "cluster", "--name", name]:
            state["clusters"].pop(name, None)
            return 0, "", f'Deleting cluster "{name}" ...\n'
        case ["export", "kubeconfig", "--name", name]:
            return 0, "", f'Set kubectl context to "kind-{name}"\n'
    return 1, "", f"ERROR: unknown command {ARGUMENTS}\n"


def _created(state, name, config):
    import yaml

    if name in state["clusters"]:
        return 1, "", f'ERROR: failed to create cluster: node(s) already exist for a cluster named "{name}"\n'
    state["clusters"][name] = _made(name, yaml.safe_load(Path(config).read_text()))
    return 0, "", f'Creating cluster "{name}" ...\n'


def _made(name, config):
    nodes, count = [], 0
    for node in config["nodes"]:
        count += node["role"] == "worker"
        suffix = "control-plane" if node["role"] == "control-plane" else f"worker{count if count > 1 else ''}"
        nodes.append({"name": f"{name}-{suffix}", "labels": node["labels"]})
    ports = {f"{one['containerPort']}/tcp": one["hostPort"] for one in config["nodes"][0]["extraPortMappings"]}
    containers = {node["name"]: "running" for node in nodes}
    return {"nodes": nodes, "ports": ports, "containers": containers, "objects": {}}


def _kubectl(state, stdin):  # noqa: PLR0911  # a table of answers
    if ARGUMENTS == ["version", "--client"]:
        return 0, "Client Version: v1.34.2\nKustomize Version: v5.7.1\n", ""
    cluster = next(iter(state["clusters"].values()))
    if cluster["containers"] and "running" not in cluster["containers"].values():
        why = "The connection to the server 127.0.0.1:44871 was refused - did you specify the right host or port?\n"
        return 1, "", why
    namespace = ARGUMENTS[ARGUMENTS.index("--namespace") + 1] if "--namespace" in ARGUMENTS else ""
    match ARGUMENTS:
        case ["get", kind, *rest]:
            return _got(cluster, kind, rest, namespace)
        case [("create" | "replace") as verb, "--filename", "-"]:
            return _written(cluster, json.loads(stdin)["items"], verb)
        case ["apply", "--server-side", *_, "--filename", path]:
            if not path.startswith("https://"):
                import yaml

                _written(cluster, [one for one in yaml.safe_load_all(Path(path).read_text()) if one], "apply")
            return 0, "serverside-applied\n", ""
        case ["rollout", "status", *_]:
            return 0, "successfully rolled out\n", ""
        case ["port-forward", *_]:
            return "forward"
    return 1, "", f"error: unknown command {ARGUMENTS}\n"


#: What is asked for → kind of object, and how kubectl names it with `--output name`.
_LISTED = {
    "secrets": ("Secret", "secret"),
    "persistentvolumeclaims": ("PersistentVolumeClaim", "persistentvolumeclaim"),
    "ingressclasses": ("IngressClass", "ingressclass.networking.k8s.io"),
}


def _got(cluster, kind, rest, namespace):
    if kind == "nodes":
        key, _, value = rest[1].partition("=")
        rows = [node["name"] for node in cluster["nodes"] if node["labels"].get(key) == value]
        return 0, "".join(f"node/{name}\n" for name in rows), "" if rows else "No resources found\n"
    if kind == "secret":
        found = cluster["objects"].get(f"{namespace}/Secret/{rest[0]}")
        if not found:
            return 1, "", f'Error from server (NotFound): secrets "{rest[0]}" not found\n'
        data = {key: base64.b64encode(text.encode()).decode() for key, text in found["stringData"].items()}
        return 0, json.dumps({"kind": "Secret", "data": data}), ""
    wanted, shown = _LISTED[kind]
    rows = [key.split("/") for key in cluster["objects"]]
    names = sorted(one[2] for one in rows if one[1] == wanted and one[0] == namespace)
    return 0, "".join(f"{shown}/{name}\n" for name in names), ""


def _written(cluster, documents, verb):
    for one in documents:
        key = "/".join((one["metadata"].get("namespace", ""), one["kind"], one["metadata"]["name"]))
        if verb == "create" and key in cluster["objects"]:
            return 1, "", f'Error from server (AlreadyExists): {one["kind"]} "{key}" already exists\n'
        cluster["objects"][key] = one
    return 0, "", ""


def _helm(state, stdin):
    if ARGUMENTS[:1] == ["version"]:
        return 0, "v4.2.3", ""
    if ARGUMENTS[:2] == ["upgrade", "--install"]:
        state["releases"][ARGUMENTS[2]] = {"arguments": ARGUMENTS, "values": stdin}
        return 0, "STATUS: deployed\n", ""
    return 1, "", f"Error: unknown command {ARGUMENTS}\n"


def _forward(state):
    """Be the pod and the way to it: the program of the ConfigMap, alone, in a folder of its own."""
    import subprocess
    import tempfile

    objects = next(iter(state["clusters"].values()))["objects"]
    program = objects["slipway-git/ConfigMap/git-server"]["data"]
    identities = objects["slipway-git/Secret/git-identities"]["stringData"]
    (volume,) = (
        one
        for one in objects["slipway-git/Deployment/git"]["spec"]["template"]["spec"]["volumes"]
        if one["name"] == "program"
    )
    port = state["git_port"]
    with tempfile.TemporaryDirectory() as folder:
        for item in volume["configMap"]["items"]:
            path = Path(folder) / item["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(program[item["key"]])
        command = [sys.executable, "-S", "-B", "-m", "slipway.kind.serve", str(PATH.parent / "gitops.git"), str(port)]
        environment = {"PATH": os.environ["PATH"], "WRITER": identities["writer"], "READER": identities["reader"]}
        server = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL)
        try:
            _wait_for(port)
            sys.stdout.write(f"Forwarding from 127.0.0.1:{port} -> 8080\n")
            sys.stdout.flush()
            return server.wait()
        finally:
            server.kill()
            server.wait()


def _wait_for(port):
    import socket

    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return


if __name__ == "__main__":
    import signal

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
