"""Everything that any choice generates, before a real API server and the real kustomize-controller.

The API server judges by server-side dry-run: Flux's own kinds with their full schemas and rules, External Secrets' with
theirs where the official chart is in the chart cache. The controller builds every folder, as an account that may do
nothing: being refused at the first object proves that the build before it went well, and changes nothing.
"""

import json
import shutil
import subprocess
from itertools import product
from pathlib import Path

import pytest
import yaml
from lightkube.resources.core_v1 import Namespace

from infra.delivery.status.chain import condition
from infra.delivery.status.observe import Kustomization
from slipway.rehearse.cluster.api import apply, apply_definition
from slipway.rehearse.cluster.played.internet import REPOSITORY_URL
from slipway.rehearse.cluster.played.third_parties import KINDS, SECRETS_GROUP, definitions
from slipway.tools.find import find
from tests.cluster.world import eventually
from tests.values.conftest import CHARTS, PROFILES, exposed, facts_of
from values.helm import objects, rendered
from values.infrastructure import table
from values.options import CLOUD_EXPOSURES, LOCAL_EXPOSURES
from values.releases import releases
from values.render import render

#: Stands in for Harbor's namespace, where the shared cluster has a Harbor already.
NAMESPACE = "accepted"
CHOICES = [
    *product(PROFILES[:3], CLOUD_EXPOSURES, ("efs", "s3")),
    *product(("kind",), LOCAL_EXPOSURES, ("volume",)),
]
#: What needs a kind of somebody else's, or brings one more object, is on.
MORE = {
    "notify": {"provider": "slack"},
    "monitoring": {"serviceMonitors": True, "rules": True, "dashboard": True},
    "internalTls": True,
    "autoscaling": {"enabled": True},
    "pullSecrets": {"enabled": True},
}


def name_of(choice: tuple[str, str, str]) -> str:
    return "-".join(choice).lower()


@pytest.fixture(scope="module")
def everything() -> dict[str, dict[str, str]]:
    """Name of a choice → its files, each environment under a name of its own."""
    made = {}
    for profile, expose, storage in CHOICES:
        name = name_of((profile, expose, storage))
        facts = facts_of(profile, storage=storage, **exposed(expose, **MORE))
        made[name] = render(facts.model_copy(update={"environment": name}))
    return made


@pytest.fixture(scope="module")
def judge(shared_world):
    """A cluster that knows all kinds, and a namespace that warns of pods that Harbor's would refuse."""
    for definition in definitions(*{group for group, *_ in KINDS}):
        if not (definition["spec"]["group"] == SECRETS_GROUP and official_kinds()):
            apply_definition(shared_world.client, definition)
    for definition in official_kinds():
        apply_definition(shared_world.client, definition)
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    metadata = {"name": NAMESPACE, "labels": labels}
    apply(shared_world.client, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    yield shared_world
    for definition in definitions(SECRETS_GROUP):  # what the rehearsal plays with
        apply_definition(shared_world.client, definition)
    shared_world.client.delete(Namespace, NAMESPACE)


def official_kinds() -> list[dict]:
    """External Secrets' own definitions, from its chart."""
    row = table()["external-secrets"]
    archive = CHARTS / f"external-secrets-{row['version']}.tgz"
    if not archive.exists():
        return []
    texts = rendered(archive, {"crds": {"createPushSecret": False, "createClusterPushSecret": False}})
    found = [item for text in texts.values() for item in objects(text) if item["kind"] == "CustomResourceDefinition"]
    ours = {f"{plural}.{group}" for group, _, _, plural, _ in KINDS}
    return [item for item in found if item["metadata"]["name"] in ours]


def kubectl(world, *arguments: str, given: str = "") -> subprocess.CompletedProcess:
    program = find("kubectl", progress=lambda _: None, announce=lambda _: None).path
    command = [program, "--kubeconfig", world.cluster.kubeconfig, *arguments]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=600)


def refusals(world, documents: list[dict]) -> list[str]:
    """Ask the API server about all of them; gives every line that is not a yes."""
    moved = json.loads(json.dumps(documents).replace('"namespace": "harbor"', f'"namespace": "{NAMESPACE}"'))
    answer = kubectl(
        world, "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-",
        given=yaml.safe_dump_all(moved),
    )  # fmt: skip
    said = answer.stdout.splitlines()
    assert len([line for line in said if line.endswith("serverside-applied (server dry run)")]) >= 1, answer.stderr
    return [line for line in [*said, *answer.stderr.splitlines()] if not line.endswith("(server dry run)")]


def distinct(documents: list[dict]) -> list[dict]:
    return list({json.dumps(item, sort_keys=True): item for item in documents}.values())


def built(root: Path, folder: Path) -> list[dict]:
    command = ["kubectl", "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{folder.relative_to(root)}: {done.stderr}"
    return list(yaml.safe_load_all(done.stdout))


def written(root: Path, everything: dict[str, dict[str, str]]) -> None:
    for files in everything.values():
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)


def folders(root: Path) -> list[Path]:
    return sorted(path.parent for path in (root / "apps").rglob("kustomization.yaml"))


def test_the_api_server_accepts_every_generated_object(judge, everything, tmp_path):
    if not shutil.which("kubectl"):
        pytest.skip("no kubectl on PATH: install kubectl 1.30 or newer")
    written(tmp_path, everything)
    documents = [item for folder in folders(tmp_path) for item in built(tmp_path, folder)]
    for path in (tmp_path / "clusters").rglob("harbor.yaml"):
        documents += yaml.safe_load_all(path.read_text())

    assert len({item["kind"] for item in documents}) >= 12
    assert refusals(judge, distinct(documents)) == []


def test_a_mistake_in_a_flux_object_is_refused(judge):
    """The dry-run above can fail."""
    wrong = {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": "x", "namespace": "harbor"},
        "spec": {"interval": "soon", "chart": {"spec": {}}},
    }
    right = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "harbor"}}

    assert any("spec.interval" in line for line in refusals(judge, [right, wrong]))


def test_the_api_server_accepts_what_helm_makes_of_it(judge, everything, tmp_path):
    """Harbor's official chart with every choice's values and post-render patches, and our own chart."""
    archive = CHARTS / "harbor-1.19.1.tgz"
    if not archive.exists():
        pytest.skip(f"no {archive}: helm pull harbor --repo https://helm.goharbor.io --version 1.19.1 -d {CHARTS}")
    documents = []
    for name, files in everything.items():
        (release,) = (one for one in releases(files) if one.chart == "harbor")
        made = [item for text in rendered(archive, release.values).values() for item in objects(text)]
        for item in made:
            item["metadata"].setdefault("namespace", "harbor")
        folder = tmp_path / name
        folder.mkdir()
        (folder / "all.yaml").write_text(yaml.safe_dump_all(made))
        (folder / "kustomization.yaml").write_text(
            yaml.safe_dump({"resources": ["all.yaml"], "patches": list(release.patches)})
        )
        documents += built(tmp_path, folder)

    assert len(documents) > 500
    assert refusals(judge, distinct(documents)) == []


def test_the_real_controller_builds_every_folder(judge, everything, tmp_path):
    work = tmp_path / "work"
    git = ["git", "-C", str(work), "-c", "user.name=Tester", "-c", "user.email=tester@localhost"]
    subprocess.run(["git", "init", "-q", "-b", NAMESPACE, str(work)], check=True)
    written(work, everything)
    for arguments in (["add", "-A"], ["commit", "-qm", "everything"], ["push", "-q", str(judge.repository), NAMESPACE]):
        subprocess.run([*git, *arguments], check=True)
    credential = {"username": "git", "password": judge.identities.reader}
    here = {"name": NAMESPACE, "namespace": NAMESPACE}
    apply(judge.client, {"apiVersion": "v1", "kind": "Secret", "metadata": here, "stringData": credential})
    apply(judge.client, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": here})
    source = {"interval": "1h", "url": REPOSITORY_URL, "ref": {"branch": NAMESPACE}, "secretRef": {"name": NAMESPACE}}
    apply(
        judge.client,
        {"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": here, "spec": source},
    )
    wanted = {}
    for folder in folders(work):
        path = str(folder.relative_to(work))
        wanted[path.removeprefix("apps/harbor/").replace("/", "-")] = path
    for name, path in {**wanted, "broken": "apps/nowhere"}.items():
        spec = {
            "interval": "1h", "retryInterval": "1h", "prune": False, "path": f"./{path}", "serviceAccountName": NAMESPACE,
            "sourceRef": {"kind": "GitRepository", "name": NAMESPACE},
        }  # fmt: skip
        metadata = {"name": name, "namespace": NAMESPACE}
        apply(
            judge.client,
            {
                "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
                "kind": "Kustomization",
                "metadata": metadata,
                "spec": spec,
            },
        )

    def verdicts() -> dict[str, tuple[str, str]]:
        found = (item.to_dict() for item in judge.client.list(Kustomization, namespace=NAMESPACE))
        said = {item["metadata"]["name"]: condition(item, "Ready") for item in found}
        return {name: (one["reason"], one["message"]) for name, one in said.items() if one.get("status") == "False"}

    eventually(lambda: wanted.keys() | {"broken"} <= verdicts().keys(), seconds=120)
    said = verdicts()
    assert "path not found" in said.pop("broken")[1]
    assert len(said) == len(wanted) >= 3 * len(CHOICES) - 2
    assert {
        name: one for name, one in said.items() if one[0] != "ReconciliationFailed" or "orbidden" not in one[1]
    } == {}
