"""Flux's real controllers as processes beside the control plane, with the CRDs of their own modules."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from lightkube import Client

from slipway.rehearse.cluster.api import apply, apply_definition
from slipway.rehearse.cluster.played.internet import proxy_variables
from slipway.rehearse.cluster.processes import Processes
from slipway.tools.table import tools

NAMESPACE = "flux-system"
PROGRAMS = ("source-controller", "kustomize-controller", "helm-controller")
PORTS = ("source-controller",)
#: Without it a release that cannot become ready holds up the commit that mends it until its timeout. The bootstrap asks
#: for it in a real cluster as well.
FEATURE_GATES = "--feature-gates=CancelHealthCheckOnNewRevision=true"


@dataclass(frozen=True, kw_only=True)
class Flux:
    """The controllers.

    Attributes:
        folder: the source-controller's artifacts.
        programs: name → path of each of `PROGRAMS`.
        ports: of `PORTS`.
        internet: port of the played internet.
        processes: where they run.
    """

    folder: Path
    programs: Mapping[str, Path]
    ports: Mapping[str, int]
    internet: int
    processes: Processes

    def start(self, client: Client, kubeconfig: Path) -> None:
        """Apply the CRDs and start the controllers."""
        apply(client, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        for name in PROGRAMS:
            for path in sorted(tools()[name].files_folder.glob("*.yaml")):
                apply_definition(client, yaml.load(path.read_text(), Loader=yaml.CSafeLoader))
        environment = {
            **proxy_variables(self.internet),
            "KUBECONFIG": str(kubeconfig),
            "RUNTIME_NAMESPACE": NAMESPACE,
            # Go's default of a whole machine's cores for each process only costs memory here.
            "GOMAXPROCS": "2",
        }
        for name in PROGRAMS:
            self.processes.start(name, [str(self.programs[name]), *self._flags(name)], environment)

    def _flags(self, name: str) -> list[str]:
        common = ["--events-addr=", "--metrics-addr=127.0.0.1:0", "--health-addr=127.0.0.1:0", "--log-level=info"]
        if name == "source-controller":
            address = f"127.0.0.1:{self.ports[name]}"
            storage = self.folder / "artifacts"
            storage.mkdir(parents=True, exist_ok=True)
            return [*common, f"--storage-path={storage}", f"--storage-addr={address}", f"--storage-adv-addr={address}"]
        return [*common, "--requeue-dependency=250ms", FEATURE_GATES]
