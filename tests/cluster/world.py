"""One rehearsed cluster, driven as the program, a team and bad luck would drive it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightkube.core.exceptions import ApiError
from pydantic import SecretStr

from infra.assemble import example
from infra.delivery.bootstrap import credential, instance_spec
from infra.delivery.git import Remote
from infra.delivery.inputs import Inputs
from infra.delivery.publish import Published, publish
from infra.delivery.status.chain import Chain, judge
from infra.delivery.status.follow import follow
from infra.delivery.status.observe import HelmRelease, head, observe, request_reconciliation
from infra.settings import Settings
from infra.stack_config import from_stack_file
from slipway.cli import run
from slipway.rehearse.cluster.api import apply, apply_definition
from slipway.rehearse.cluster.cluster import PROGRAMS, Cluster, start
from slipway.rehearse.cluster.played.git_server import Identities
from slipway.rehearse.cluster.played.internet import CHART_URL, REPOSITORY_URL, proxy_variables
from slipway.rehearse.cluster.played.third_parties import OPERATOR_GROUP, definitions
from slipway.rehearse.folders import cluster_folder, repository_of
from slipway.rehearse.simulated.secrets_manager import SECRET, VERSION, SecretsManager
from slipway.tools.find import find
from values.composition import Composition
from values.secrets import secrets_for

ROOT = Path(__file__).parents[2]
ENVIRONMENT = "dev"


@dataclass
class World:
    """A rehearsal's folder with a cluster that runs, as `slipway rehearse dev --keep` leaves it, without the engine."""

    folder: Path
    settings: Settings = field(init=False)
    cluster: Cluster = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        (self.folder / ".lock").touch()
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(self.repository)], check=True)
        subprocess.run(["git", "-C", str(self.repository), "config", "uploadpack.allowFilter", "true"], check=True)
        self.identities = Identities.kept_in(self.folder / "identities.json")
        self.secrets_manager = SecretsManager(self.folder / "secrets-manager.json")
        written = from_stack_file(ROOT / "stacks" / f"Pulumi.{ENVIRONMENT}.yaml")
        self.settings = written.model_copy(
            update={
                "gitops": written.gitops.model_copy(update={"repository": REPOSITORY_URL}),
                "chart_repository": CHART_URL,
                "harbor": written.harbor.model_copy(
                    update={
                        "infrastructure": written.harbor.infrastructure.model_copy(
                            update={"chart_repository": CHART_URL}
                        )
                    }
                ),
                "git_read_token": SecretStr(self.identities.reader),
            }
        )

    @property
    def repository(self) -> Path:
        return repository_of(self.folder)

    @property
    def client(self):
        return self.cluster.client

    @property
    def remote(self) -> Remote:
        return Remote(repository=REPOSITORY_URL, branch="main", token=self.identities.writer)

    def start(self) -> None:
        """Start the cluster, or all of it again where something does not run."""
        if hasattr(self, "cluster"):
            self.client.close()
        note = sys.stderr.write
        self.cluster = start(
            cluster_folder(self.folder),
            zones=self.settings.zone_names,
            repository=self.repository,
            identities=self.identities,
            secrets_manager=self.secrets_manager.path,
            facts=example(self.settings),
            programs={name: find(name, progress=note, announce=note) for name in PROGRAMS},
            tell=lambda _: None,
        )
        os.environ.update(proxy_variables(self.cluster.internet))

    def stop(self) -> None:
        self.client.close()
        self.cluster.processes.stop()

    def fill_secrets_manager(self) -> None:
        """Put into Secrets Manager what the program would."""
        for secret in secrets_for(Composition.of(self.inputs().facts).parts):
            self.secrets_manager.created(SECRET, secret.name, {"name": f"harbor/{ENVIRONMENT}/{secret.name}"})
            values = json.dumps(dict.fromkeys(secret.properties, "v" * 16))
            self.secrets_manager.created(VERSION, "", {"secretId": secret.name, "secretString": values})

    def bootstrap(self) -> None:
        """Apply the objects that the program's bootstrap declares."""
        for definition in definitions(OPERATOR_GROUP):
            apply_definition(self.client, definition)
        named = {"name": "flux-system", "namespace": "flux-system"}
        apply(
            self.client,
            {"apiVersion": "v1", "kind": "Secret", "metadata": named, "stringData": credential(self.settings)},
        )
        spec = instance_spec(self.settings, pull_secret=True)
        instance = {"apiVersion": "fluxcd.controlplane.io/v1", "kind": "FluxInstance", "spec": spec}
        apply(self.client, {**instance, "metadata": {"name": "flux", "namespace": "flux-system"}})

    def inputs(self, *, chart: str = "", **overrides: str) -> Inputs:
        facts = example(self.settings).model_copy(update={"example": False})
        if chart:
            facts = facts.model_copy(update={"chart_version": chart})
        return Inputs(facts.to_json(), overrides)

    def publish(self, *, take_over: bool = False, **overrides: str) -> Published:
        """Push what the program would, with a team's overrides: name → YAML."""
        return publish(self.remote, self.inputs(**overrides), take_over=take_over)

    def look(self) -> Chain:
        return judge(observe(self.client, lambda: head(self.remote), "main"))

    def follow(
        self, timeout: float = 90, *, patience: float = 30, until: Callable[[Chain], bool] = lambda _: False
    ) -> Chain:
        """Follow the branch until it is delivered or has failed, or until what is waited for is seen."""

        class Seen(Exception):
            pass

        def tell(chain: Chain) -> None:
            if not self.mourned:
                self.cluster.processes.refuse_dead()
            if until(chain):
                raise Seen(chain)

        try:
            return follow(
                self.look,
                timeout=timeout,
                tell=tell,
                reconcile=lambda now: request_reconciliation(self.client, now),
                pause=0.2,
                patience=patience,
            )
        except Seen as seen:
            return seen.args[0]

    #: A test killed something on purpose.
    mourned: bool = False

    def deliver(self, **overrides: str) -> Chain:
        """Publish and follow to the end."""
        self.publish(**overrides)
        chain = self.follow()
        assert chain.verdict == "delivered", chain.stands_at
        return chain

    def status(self, capsys, *options: str) -> tuple[int, str]:
        """What a person sees."""
        capsys.readouterr()
        code = run(["status", ENVIRONMENT, "--rehearsal", *options])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out + err

    def release(self) -> dict[str, Any]:
        return self.client.get(HelmRelease, "harbor", namespace="harbor").to_dict()

    def release_version(self) -> int:
        return self.release()["status"]["history"][0]["version"]

    def get(self, resource: Any, name: str, namespace: str = "harbor") -> dict[str, Any]:
        return self.client.get(resource, name, namespace=namespace).to_dict()

    def reconcile(self, resource: Any, name: str, namespace: str = "harbor", **annotations: str) -> None:
        """Ask a controller to look at its object now."""
        from lightkube.types import PatchType

        patch = {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": str(time.time()), **annotations}}}
        self.client.patch(resource, name, patch, namespace=namespace, patch_type=PatchType.MERGE)

    def commit_by_hand(self, files: Mapping[str, str | None]) -> None:
        """Commit as a person with a work tree would; None removes."""
        work = self.folder / "work"
        subprocess.run(["rm", "-rf", str(work)], check=True)
        subprocess.run(["git", "clone", "-q", str(self.repository), str(work)], check=True)
        for path, text in files.items():
            (work / path).unlink() if text is None else (work / path).write_text(text)
        who = ["-c", "user.name=Tester", "-c", "user.email=tester@localhost"]
        for arguments in (["add", "-A"], ["commit", "-qm", "by hand"], ["push", "-q", "origin", "main"]):
            subprocess.run(["git", "-C", str(work), *who, *arguments], check=True)

    def text(self, path: str) -> str:
        command = ["git", "-C", str(self.repository), "show", f"main:{path}"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    @contextmanager
    def git_away(self):
        """Take the repository away from its host for a while."""
        elsewhere = self.repository.with_suffix(".away")
        self.repository.rename(elsewhere)
        try:
            yield
        finally:
            elsewhere.rename(self.repository)


def eventually(check: Callable[[], Any], seconds: float = 30) -> Any:
    """Give the first true answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(ApiError):  # not there yet
            if answer := check():
                return answer
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s: {check}")
