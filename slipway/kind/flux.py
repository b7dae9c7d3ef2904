"""Flux in the cluster: the operator as one manifest, then the instance that the program makes on EKS as well."""

import json
import os

from infra import tables
from infra.delivery.instance import NAMESPACE, SYNC, flux_instance
from slipway.kind.commands import Commands
from slipway.kind.git_server import READ_TOKEN_VARIABLE
from slipway.kind.place import Place
from slipway.kind.secrets import listed, opaque, present
from slipway.kind.serve import BRANCH

_APPLY = ("kubectl", "apply", "--server-side", "--field-manager", "slipway", "--filename")


def install(commands: Commands) -> None:
    """Have the Flux Operator run, in the version that the program installs on EKS.

    Its manifest and not its chart: kubectl is needed anyway, and helm is not.
    """
    version = tables.read("flux")["operator"]["version"]
    commands.run(*_APPLY, tables.read("kind")["operator_manifest"].format(version=version))
    deployment = ("deployment/flux-operator", "--namespace", NAMESPACE, "--timeout", "5m")
    commands.run("kubectl", "rollout", "status", *deployment)


def keep_reader(commands: Commands) -> bool:
    """Make the Secret by which Flux reads the user's own remote; tell whether there is one."""
    token = os.environ.get(READ_TOKEN_VARIABLE, "")
    if token and SYNC not in present(commands, NAMESPACE):
        text = listed([opaque(SYNC, NAMESPACE, {"username": "git", "password": token})])
        commands.run("kubectl", "create", "--filename", "-", stdin=text, what=f"{READ_TOKEN_VARIABLE}, for Flux")
    return bool(token)


def instance(place: Place, url: str, *, pull_secret: bool) -> str:
    """Give the FluxInstance as a document."""
    path = f"clusters/{place.name}"
    spec = flux_instance(url, branch=BRANCH, path=path, cluster="kubernetes", pull_secret=pull_secret)
    metadata = {"name": "flux", "namespace": NAMESPACE}
    document = {"apiVersion": "fluxcd.controlplane.io/v1", "kind": "FluxInstance", "metadata": metadata, "spec": spec}
    return json.dumps(document, indent=2) + "\n"


def follow_branch(commands: Commands, place: Place, url: str, *, pull_secret: bool) -> None:
    """Tell Flux which branch to follow; it installs its controllers and begins."""
    path = place.folder / "flux.json"
    commands.write(path, instance(place, url, pull_secret=pull_secret))
    commands.run(*_APPLY, str(path))
