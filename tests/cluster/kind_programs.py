"""Played: docker and kind, and of kubectl what needs a kubelet or the internet; the rest of kubectl is the real one.

Run as ``kind_programs.py FOLDER NAME ARGUMENTS…``. FOLDER holds the rehearsed cluster's `kubeconfig`, and `kind.json`:
the real kubectl's path, the Git pod's port, the cluster's name once it is made, and each command that was asked for.
`kind create cluster` gives the rehearsed nodes the labels of its configuration and the storage class that kind has.
"""

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import yaml

FOLDER, NAME, ARGUMENTS = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
SERVICE = "git.slipway-git.svc.cluster.local"
STORAGE_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "rancher.io/local-path",
    "volumeBindingMode": "Immediate",  # kind's waits for the pod; here nothing would then provision it
}


def main() -> int:
    state = json.loads((FOLDER / "kind.json").read_text())
    state["asked"].append([NAME, *ARGUMENTS])
    write(state)
    return {"docker": docker, "kind": kind, "kubectl": kubectl}[NAME](state)


def write(state) -> None:
    (FOLDER / "kind.json").write_text(json.dumps(state))


def docker(state) -> int:
    if ARGUMENTS[0] == "info":
        return say("29.1.3 x86_64")
    if ARGUMENTS[0] == "ps":
        return say(f"{state['name']}-control-plane running")
    if ARGUMENTS[0] == "port":
        return say(f"127.0.0.1:{state['port']}")
    return 125


def kind(state) -> int:
    match ARGUMENTS:
        case ["version"]:
            return say("kind v0.32.0 go1.25.5 linux/amd64")
        case ["get", "clusters"]:
            return say(state["name"])
        case ["create", "cluster", "--name", name, "--config", path, "--wait", "5m"]:
            config = yaml.safe_load(Path(path).read_text())
            export()
            for at, one in enumerate(config["nodes"]):
                labels = [f"{key}={value}" for key, value in one["labels"].items()]
                real(state, "label", "node", f"node-{at}", "--overwrite", *labels)
            real(state, "apply", "--server-side", "--filename", "-", stdin=json.dumps(STORAGE_CLASS))
            port = config["nodes"][0]["extraPortMappings"][0]["hostPort"]
            write({**state, "name": name, "port": port})
        case ["export", "kubeconfig", *_]:
            export()
        case ["delete", "cluster", "--name", name]:
            write({**state, "name": ""})
        case _:
            return 1
    return 0


def export() -> None:
    shutil.copy(FOLDER / "kubeconfig", os.environ["KUBECONFIG"])


def kubectl(state) -> int:
    if ARGUMENTS[0] == "port-forward":
        say(f"Forwarding from 127.0.0.1:{git_pod(state)} -> 8080")
        while True:
            time.sleep(1)
    if ARGUMENTS[-1].startswith("https://"):  # the operator's manifest, whose job the cluster's player does
        return real(state, *ARGUMENTS[:-1], str(FOLDER / "operator.yaml"))
    return real(state, *ARGUMENTS, stdin=sys.stdin.read() if "-" in ARGUMENTS else "")


def real(state, *arguments: str, stdin: str = "") -> int:
    return subprocess.run([state["kubectl"], *arguments], input=stdin, text=True, check=False).returncode


def git_pod(state) -> int:
    """Have the pod's program run, from the ConfigMap and the Secret that the cluster holds; gives its port."""
    port = state["git_port"]
    if answers(port):
        return port
    home = FOLDER / "git-pod"
    (deployment,) = of_git(state, "deployment", "git")["spec"]["template"]["spec"]["containers"]
    volumes = of_git(state, "deployment", "git")["spec"]["template"]["spec"]["volumes"]
    program = of_git(state, "configmap", "git-server")["data"]
    for item in next(one for one in volumes if one["name"] == "program")["configMap"]["items"]:
        path = home / "opt" / item["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(program[item["key"]])
    secret = of_git(state, "secret", "git-identities")["data"]
    variables = {one["name"]: secret[one["valueFrom"]["secretKeyRef"]["key"]] for one in deployment["env"]}
    _, *command = deployment["command"]
    command = [{"/var/git/gitops.git": str(home / "gitops.git"), "8080": str(port)}.get(one, one) for one in command]
    pod = subprocess.Popen(
        [sys.executable, "-S", *command],  # -S: Python's own library alone, as in the image
        cwd=home / "opt",
        env={"PATH": os.environ["PATH"], **{name: base64.b64decode(value) for name, value in variables.items()}},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=(home / "log").open("w"),
        start_new_session=True,
    )
    (home / "pid").write_text(str(pod.pid))
    (FOLDER / "services.json").write_text(json.dumps({SERVICE: port}))
    deadline = time.monotonic() + 15
    while not answers(port) and time.monotonic() < deadline:
        time.sleep(0.05)
    return port


def of_git(state, resource: str, name: str) -> dict:
    command = [state["kubectl"], "--namespace", "slipway-git", "get", resource, name, "--output", "json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def say(text: str) -> int:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
