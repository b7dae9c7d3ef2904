"""The folder of one rehearsal: state, scratch repository, and a copy of the project's settings that leads to them.

    <project>/.slipway/rehearse/<environment>/
      project/      Pulumi.yaml as it is, and the stack file with the repository replaced and secrets made up
      state/        Pulumi's file backend
      gitops.git/   the bare repository that the commit goes to
      cluster/      the control plane's data, kubeconfig and logs
      identities.json, secrets-manager.json  passwords at the played Git host, and what the program put away
      report.html   what the last rehearsal showed
      bin/          Pulumi's own dynamic provider and policy analyzer, as the engine looks for them
      journal.jsonl what the simulated providers did

Neither AWS credentials nor the configured remote ever reach the engine.
"""

import contextlib
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra import tables
from infra.aws.delegation import SERVER_VARIABLE
from infra.delivery.git_environment import MISSING_GIT
from infra.delivery.wait import KUBECONFIG_VARIABLE
from infra.errors import Problem, RehearsalError, ToolError
from infra.stack_config import PROJECT, STACKS, stack_file
from slipway.rehearse.cluster.played.git_server import Identities
from slipway.rehearse.cluster.played.internet import CHART_URL, REPOSITORY_URL, proxy_variables
from slipway.rehearse.cluster.processes import Processes
from slipway.rehearse.folders import BRANCH, cluster_folder, head_of, rehearsal_folder, repository_of
from slipway.rehearse.simulated.secrets_manager import SecretsManager

#: Encrypts the state of a rehearsal, in which every secret is made up.
PASSPHRASE = "rehearsal"  # noqa: S105
#: What must not leak from the user's shell into an engine that plays AWS.
_KEPT_OUT = ("AWS_", "PULUMI_", "SLIPWAY_GIT_", "GIT_", "KUBE")
TOKEN_VARIABLE = "SLIPWAY_GIT_TOKEN"  # noqa: S105


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """One environment's rehearsal folder.

    Attributes:
        root: the project.
        environment: name of the environment, which is the stack's.
        folder: of the rehearsal.
    """

    root: Path
    environment: str
    folder: Path

    @property
    def project(self) -> Path:
        """Where the engine runs."""
        return self.folder / "project"

    @property
    def repository(self) -> Path:
        """The scratch GitOps repository."""
        return repository_of(self.folder)

    @property
    def cluster(self) -> Path:
        """The folder of the rehearsed cluster."""
        return cluster_folder(self.folder)

    @property
    def secrets_manager(self) -> SecretsManager:
        """What the simulated Secrets Manager holds."""
        return SecretsManager(self.folder / "secrets-manager.json")

    @property
    def identities(self) -> Identities:
        """Who writes to the repository, and who reads it."""
        return Identities.kept_in(self.folder / "identities.json")

    @property
    def report(self) -> Path:
        """The rehearsal's report."""
        return self.folder / "report.html"

    @property
    def journal(self) -> Path:
        """What the plugins did in the last operation."""
        return self.folder / "journal.jsonl"

    @property
    def has_stack(self) -> bool:
        """The stack is in the state already."""
        return (self.folder / "state" / ".pulumi" / "stacks" / PROJECT / f"{self.environment}.json").exists()

    def write_settings(self, **changes: Any) -> None:  # noqa: ANN401  # any setting's value
        """Write the project file and the stack file that the engine reads.

        Args:
            changes: settings that this rehearsal has otherwise, such as ``deletionProtection=False``.
        """
        (self.project / STACKS).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.root / "Pulumi.yaml", self.project / "Pulumi.yaml")
        document = tables.parse_yaml(stack_file(self.root, self.environment).read_text())
        config = {key: _made_up(value) for key, value in document["config"].items()}
        gitops = config[f"{PROJECT}:gitops"]
        # Nothing of how the real repository is written to takes part: no pull request, folder, or key of a person's.
        place = {key: gitops[key] for key in ("path", "withdrawOnDestroy") if key in gitops}
        config[f"{PROJECT}:gitops"] = {**place, "repository": REPOSITORY_URL, "branch": BRANCH}
        config.pop(f"{PROJECT}:gitReadKey", None)  # it opens an SSH host, the played one speaks HTTP
        config[f"{PROJECT}:gitReadToken"] = self.identities.reader
        config[f"{PROJECT}:chartRepository"] = CHART_URL
        harbor = config.get(f"{PROJECT}:harbor", {})
        infrastructure = {**harbor.get("infrastructure", {}), "chartRepository": CHART_URL}
        config[f"{PROJECT}:harbor"] = {**harbor, "infrastructure": infrastructure}
        config |= {f"{PROJECT}:{key}": value for key, value in changes.items()}
        target = stack_file(self.project, self.environment)
        # Pulumi wrote the salt of this rehearsal's passphrase here; the project's own is of no use.
        salt = (tables.parse_yaml(target.read_text()) or {}).get("encryptionsalt") if target.exists() else None
        target.write_text(yaml.safe_dump({"config": config, **({"encryptionsalt": salt} if salt else {})}))

    def engine_environment(
        self, *, providers: Mapping[str, int], dns_server: str, internet: int, kubeconfig: Path | None
    ) -> dict[str, str]:
        """Give the whole environment of the engine and, through it, of the dynamic provider.

        Args:
            providers: package → port of its simulated provider, which the engine attaches to.
            dns_server: address of the played parent zone.
            internet: port of the proxy to the played hosts.
            kubeconfig: of the rehearsed cluster; None without one.
        """
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(_KEPT_OUT)}
        return {
            **inherited,
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": str(self.root),
            "PULUMI_BACKEND_URL": (self.folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DEBUG_COMMANDS": "true",  # --event-log hides behind it
            "PULUMI_DEBUG_PROVIDERS": ",".join(f"{package}:{port}" for package, port in providers.items()),
            SERVER_VARIABLE: dns_server,
            TOKEN_VARIABLE: self.identities.writer,
            **proxy_variables(internet),
            **({KUBECONFIG_VARIABLE: str(kubeconfig)} if kubeconfig else {}),
        }

    def head(self) -> str:
        """Give the scratch repository's last commit; empty before the first."""
        return head_of(self.repository)

    def commits_since(self, commit: str) -> int:
        """Count the commits that came after one, or all of them after none."""
        if not self.head():
            return 0
        return int(self._git("rev-list", "--count", f"{commit}..{BRANCH}" if commit else BRANCH))

    def files(self) -> set[str]:
        """Give every path in the scratch repository."""
        if not self.head():
            return set()
        return set(self._git("ls-tree", "-r", "-z", "--name-only", BRANCH).split("\0"))

    def text(self, path: str) -> str:
        """Give a committed file."""
        return self._git("show", f"{BRANCH}:{path}")

    def _git(self, *arguments: str, check: bool = True) -> str:
        command = ["git", "-C", str(self.repository), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=check).stdout

    def prepare(self) -> None:
        """Make what is missing: folders, plugins, the scratch repository."""
        (self.folder / "state").mkdir(parents=True, exist_ok=True)
        self._install_plugin("pulumi-resource-pulumi-python", '-u -m pulumi.dynamic "$@"')
        # Called in the pack's folder; the interpreter is the one of this process, not the pack's own.
        self._install_plugin("pulumi-analyzer-policy-python", '-u -m pulumi.policy "$1" .')
        if shutil.which("git") is None:
            raise ToolError(MISSING_GIT)
        if not self.repository.exists():
            subprocess.run(
                ["git", "init", "--quiet", "--bare", f"--initial-branch={BRANCH}", str(self.repository)], check=True
            )
            # Lets the publisher fetch without blobs, as hosted Git servers do.
            self._git("config", "uploadpack.allowFilter", "true")

    def _install_plugin(self, name: str, arguments: str) -> None:
        """Put it on the engine's PATH: a `pulumi` built from its module lacks it, and it is one line of Python."""
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments}\n")
        path.chmod(0o755)


@contextlib.contextmanager
def opened(root: Path, environment: str, *, fresh: bool) -> Generator[Workspace]:
    """Open the rehearsal folder of an environment for this process alone.

    Args:
        root: the project.
        environment: its name.
        fresh: start with nothing.

    Raises:
        RehearsalError: another process rehearses this environment.
    """
    folder = rehearsal_folder(root, environment)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RehearsalError(
                Problem(
                    where=str(folder), what=f"{environment} is being rehearsed by another process", fix="wait for it"
                )
            ) from None
        if fresh:
            Processes(cluster_folder(folder)).stop()
            _empty(folder)
        workspace = Workspace(root=root, environment=environment, folder=folder)
        workspace.prepare()
        yield workspace


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.name == ".lock":
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _made_up(value: Any) -> Any:  # noqa: ANN401  # any YAML value
    """Replace what only the real stack's key can decrypt."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            return f"made-up-{hashlib.sha256(value['secure'].encode()).hexdigest()[:12]}"
        return {key: _made_up(item) for key, item in value.items()}
    return value
