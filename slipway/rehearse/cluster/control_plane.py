"""A real control plane on loopback: etcd, kube-apiserver, controller manager, scheduler; KWOK plays the kubelets.

What it is not: nodes are objects without a machine, so nothing runs in a pod; a pod is ready because KWOK says so.
Volumes of every storage class are provisioned by KWOK; the ServiceAccount admission is off, so pods have no tokens.
"""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from lightkube import Client
from lightkube.core.exceptions import ApiError

from infra.errors import Problem, RehearsalError
from slipway.rehearse.cluster.api import apply, connect
from slipway.rehearse.cluster.processes import Processes
from slipway.tools.table import tools

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
PORTS = ("etcd", "etcd-peer", "kube-apiserver", "kwok")
#: Real memory of a node is not played; this holds the pods of every profile.
NODE_CAPACITY = {"cpu": "16", "memory": "64Gi", "pods": "110", "ephemeral-storage": "100Gi"}
_READY_SECONDS = 60
#: KWOK's own stages provision volumes of its own class alone.
_KWOK_CLASS = "self.spec.storageClassName == 'kwok-volume'"
_ANY_CLASS = "has(self.spec.storageClassName) && self.spec.storageClassName != ''"


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """One control plane in a folder.

    Attributes:
        folder: its data, certificates and kubeconfig.
        programs: name → path of each of `PROGRAMS`.
        ports: name → port of each of `PORTS`.
        processes: where they run.
    """

    folder: Path
    programs: Mapping[str, Path]
    ports: Mapping[str, int]
    processes: Processes

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.folder / "kubeconfig"

    def start(self, zones: Sequence[str], tell: Callable[[str], None]) -> Client:
        """Start it with a node in each zone and wait until it answers.

        Raises:
            RehearsalError: a process ended, or it is not ready in a minute.
        """
        token = self._token()
        self.processes.start("etcd", self._etcd())
        self.processes.start("kube-apiserver", self._apiserver())
        self._wait_for("the certificate of kube-apiserver", self._certificate.exists, tell)
        self.kubeconfig.write_text(yaml.safe_dump(self._kubeconfig(token)))
        self.kubeconfig.chmod(0o600)
        client = connect(self.kubeconfig)
        self._wait_for("kube-apiserver", lambda: _answers(client), tell)
        (self.folder / "stages.yaml").write_text(stages())
        config = f"--kubeconfig={self.kubeconfig}"
        local = ("--leader-elect=false", "--bind-address=127.0.0.1", "--secure-port=0", config)
        manager = [
            *self._program("kube-controller-manager"),
            *local,
            f"--service-account-private-key-file={self._key}",
            "--pvclaimbinder-sync-period=1s",  # its default of 15 s is what a static volume then waits for
        ]
        self.processes.start("kube-controller-manager", manager)
        self.processes.start("kube-scheduler", [*self._program("kube-scheduler"), *local])
        self.processes.start("kwok", [*self._program("kwok"), config, "--manage-all-nodes",
            f"--config={self.folder / 'stages.yaml'}", f"--server-address=127.0.0.1:{self.ports['kwok']}"])  # fmt: skip
        for at, zone in enumerate(zones):
            apply(client, node(f"node-{at}", zone))
        return client

    @property
    def _certificate(self) -> Path:
        return self.folder / "certs" / "apiserver.crt"

    @property
    def _key(self) -> Path:
        return self.folder / "certs" / "apiserver.key"

    def _program(self, name: str) -> list[str]:
        return [str(self.programs[name])]

    def _etcd(self) -> list[str]:
        client, peer = (f"http://127.0.0.1:{self.ports[name]}" for name in ("etcd", "etcd-peer"))
        return [
            *self._program("etcd"),
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            # It outlives our processes, not the machine's power; and it is three times as fast.
            "--unsafe-no-fsync",
        ]

    def _apiserver(self) -> list[str]:
        return [
            *self._program("kube-apiserver"),
            f"--etcd-servers=http://127.0.0.1:{self.ports['etcd']}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--secure-port={self.ports['kube-apiserver']}",
            f"--cert-dir={self._certificate.parent}",
            f"--service-account-key-file={self._key}",
            f"--service-account-signing-key-file={self._key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--allow-privileged=true",
            "--disable-admission-plugins=ServiceAccount",
        ]

    def _token(self) -> str:
        token, path = secrets.token_hex(16), self.folder / "tokens.csv"
        path.touch(mode=0o600)
        path.write_text(f'{token},admin,admin,"system:masters"\n')
        return token

    def _kubeconfig(self, token: str) -> dict[str, Any]:
        cluster = {
            "server": f"https://127.0.0.1:{self.ports['kube-apiserver']}",
            "certificate-authority": str(self._certificate),
        }
        context = {"cluster": "rehearsal", "user": "admin", "namespace": "harbor"}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "rehearsal", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": token}}],
            "contexts": [{"name": "rehearsal", "context": context}],
            "current-context": "rehearsal",
        }

    def _wait_for(self, what: str, ready: Callable[[], bool], tell: Callable[[str], None]) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not ready():
            self.processes.refuse_dead()
            if time.monotonic() > deadline:
                raise RehearsalError(
                    Problem(
                        where=what,
                        what=f"not ready after {_READY_SECONDS} s",
                        fix=f"see {self.processes.log('kube-apiserver')}",
                    )
                )
            tell(f"waiting for {what}")
            time.sleep(0.05)


def _answers(client: Client) -> bool:
    from lightkube.resources.core_v1 import Namespace  # noqa: PLC0415
    from lightkube.resources.rbac_authorization_v1 import ClusterRole  # noqa: PLC0415

    try:
        client.get(Namespace, "kube-system")
        client.get(ClusterRole, "cluster-admin")  # made by the last of the hooks that run after the start
    except (ApiError, OSError):
        return False
    except Exception as error:
        # The HTTP library's own errors, until the port is open.
        if type(error).__module__.partition(".")[0] in {"httpx2", "httpcore2"}:
            return False
        raise
    return True


def node(name: str, zone: str) -> dict[str, Any]:
    """Give a node of a zone, as KWOK takes care of it."""
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/region": zone[:-1].rstrip("-"),
        "topology.kubernetes.io/zone": zone,
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "spec": {"providerID": f"aws:///{zone}/{name}"},
        "status": {"capacity": NODE_CAPACITY, "allocatable": NODE_CAPACITY},
    }


def stages() -> str:
    """Give KWOK's own stages, with volumes of every class: any stage given switches all built-in ones off."""
    files = sorted(tools()["kwok"].files_folder.glob("*.yaml"))
    return "---\n".join(path.read_text().replace(_KWOK_CLASS, _ANY_CLASS) for path in files)
