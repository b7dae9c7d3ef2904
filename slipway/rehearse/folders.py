"""Where the rehearsals of a project are, and what runs there; light, since `slipway status` asks for it."""

import os
import subprocess
from pathlib import Path

from infra.errors import Problem, RehearsalError
from slipway.rehearse.cluster.processes import Processes

BRANCH = "main"


def rehearsal_folder(root: Path, environment: str) -> Path:
    """Where the rehearsal of an environment is kept: SLIPWAY_REHEARSALS, or ``.slipway/rehearse`` in the project."""
    return Path(os.environ.get("SLIPWAY_REHEARSALS") or root / ".slipway" / "rehearse").absolute() / environment


def kept_cluster(root: Path, environment: str) -> Path:
    """Give the folder of a cluster that runs.

    Args:
        root: the project.
        environment: its name; empty for the only one.

    Raises:
        RehearsalError: none runs, or several do and none was named.
    """
    folders = [cluster_folder(path.parent) for path in rehearsal_folder(root, "x").parent.glob("*/.lock")]
    running = {folder.parent.name: folder for folder in folders if Processes(folder).alive("kube-apiserver")}
    if environment in running:
        return running[environment]
    if not environment and len(running) == 1:
        return next(iter(running.values()))
    if not environment and running:
        what, fix = f"several are kept: {', '.join(sorted(running))}", "name one of them"
    else:
        what = f"no rehearsed cluster of {environment} is running" if environment else "no rehearsed cluster is running"
        fix = f"slipway rehearse {environment or 'ENV'} --keep"
    raise RehearsalError(Problem(what=what, fix=fix))


def cluster_folder(rehearsal: Path) -> Path:
    """Where a rehearsal's cluster is."""
    return rehearsal / "cluster"


def repository_of(rehearsal: Path) -> Path:
    """Where a rehearsal's scratch repository is."""
    return rehearsal / "gitops.git"


def kubeconfig_of(cluster: Path) -> Path:
    """Where a rehearsed cluster's kubeconfig is."""
    return cluster / "kubeconfig"


def head_of(repository: Path) -> str:
    """Give a bare repository's last commit; empty before the first."""
    command = ["git", "-C", str(repository), "rev-parse", "--verify", "--quiet", f"refs/heads/{BRANCH}"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
