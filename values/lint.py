"""What kustomize and Flux get wrong in silence: checks on files as they are committed, and on what a build gives.

    found = [*file_findings(render(facts)), *built_findings(objects, path="apps/harbor/prod/release", external=known)]

A build is the list of objects that `kubectl kustomize FOLDER` gives, or Flux's own controller. Nothing here calls them.
"""

import posixpath
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import yaml

from values.errors import Finding

Object = Mapping[str, Any]

SUBSTITUTE = "kustomize.toolkit.fluxcd.io/substitute"
PRUNE = "kustomize.toolkit.fluxcd.io/prune"
#: Deleting one of these deletes data.
_KEPT = ("Namespace", "PersistentVolume", "PersistentVolumeClaim")
#: Of what we make; everything else has a namespace.
_CLUSTER_WIDE = {
    "ClusterExternalSecret",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterSecretStore",
    "CustomResourceDefinition",
    "Namespace",
    "PersistentVolume",
    "StorageClass",
}
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def file_findings(files: Mapping[str, str]) -> Iterator[Finding]:
    """Check files as they are committed.

    Args:
        files: path → text.
    """
    for path, text in files.items():
        # A chart's templates are no YAML yet.
        if path.endswith(".yaml") and "/chart/" not in path:
            yield from duplicate_keys(path, text)
            if posixpath.basename(path) == "kustomization.yaml":
                yield from _kustomization_findings(path, text, files)


def duplicate_keys(path: str, text: str) -> Iterator[Finding]:
    """Find keys that stand twice in a mapping: the last one wins, and nobody says so."""

    def walk(node: yaml.Node | None, at: str) -> Iterator[Finding]:
        if isinstance(node, yaml.MappingNode):
            for key, count in Counter(name.value for name, _ in node.value).items():
                if count > 1:
                    hint = "keep one of them"
                    yield Finding(path=path, key=f"{at}{key}", message=f"stands {count} times", suggestion=hint)
            for name, value in node.value:
                yield from walk(value, f"{at}{name.value}.")
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                yield from walk(item, f"{at}{index}.")

    for document in yaml.compose_all(text, Loader=_LOADER):
        yield from walk(document, "")


def _kustomization_findings(path: str, text: str, files: Mapping[str, str]) -> Iterator[Finding]:
    document, folder = yaml.load(text, Loader=_LOADER) or {}, posixpath.dirname(path)  # noqa: S506  # a safe loader
    listed = document.get("resources", [])
    there = {posixpath.relpath(name, folder) for name in files if name.startswith(f"{folder}/")}
    for name in listed:
        if name not in there:
            yield Finding(path=path, key="resources", message=f"names {name}, which is not there")
    own = {*listed, "kustomization.yaml", *document.get("configurations", [])}
    read = {entry.partition("=")[2] or entry for generator in _generators(document) for entry in generator["files"]}
    for name in sorted(name for name in there - own - read if "/" not in name):
        yield Finding(
            path=path, key="resources", message=f"leaves out {name}", suggestion="list it, or do not write it"
        )
    if not any(_generators(document)) or document.get("namespace"):
        return
    for name in listed:
        for item in yaml.load_all(files.get(posixpath.join(folder, name), ""), Loader=_LOADER):  # a safe one
            if item and item["kind"] == "HelmRelease" and item["metadata"].get("namespace"):
                # kustomize compares namespaces before it rewrites a name, and says nothing when they differ.
                message = f"is absent, so the names of generated ConfigMaps are not written into {name}"
                hint = f"set namespace: {item['metadata']['namespace']}"
                yield Finding(path=path, key="namespace", message=message, suggestion=hint)


def _generators(document: Object) -> Iterator[Object]:
    for kind in ("configMapGenerator", "secretGenerator"):
        yield from document.get(kind, [])


def built_findings(
    objects: Sequence[Object], *, path: str, external: Collection[tuple[str, str]] = ()
) -> Iterator[Finding]:
    """Check what a build of one folder gives.

    Args:
        objects: of the build.
        path: of the folder, for the findings.
        external: (kind, name) of what HelmReleases may read although this build does not make it.
    """
    yield from _identity_findings(objects, path)
    made = {(item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]) for item in objects}
    for item in objects:
        name = f"{item['kind']}/{item['metadata']['name']}"
        if item["kind"] == "HelmRelease":
            for key, message, hint in _release_problems(item, made, external):
                yield Finding(path=path, key=f"{name} {key}", message=message, suggestion=hint)
        if "${" in str({key: value for key, value in item.items() if key != "metadata"}):
            annotations = item["metadata"].get("annotations", {})
            if annotations.get(SUBSTITUTE) != "disabled":
                message, hint = (
                    "holds ${…}, which Flux may take for a variable",
                    f"annotate it with {SUBSTITUTE}: disabled",
                )
                yield Finding(path=path, key=name, message=message, suggestion=hint)


def _identity_findings(objects: Sequence[Object], path: str) -> Iterator[Finding]:
    """Check who is who: Flux applies objects one by one, by kind, namespace and name."""
    counted = Counter(
        (
            item["apiVersion"].rpartition("/")[0],
            item["kind"],
            item["metadata"].get("namespace", ""),
            item["metadata"]["name"],
        )
        for item in objects
    )
    for (_, kind, _, name), count in counted.items():
        if count > 1:
            yield Finding(path=path, key=f"{kind}/{name}", message=f"is there {count} times")
    for item in objects:
        kind, metadata = item["kind"], item["metadata"]
        name = f"{kind}/{metadata['name']}"
        if kind.endswith("List") and "items" in item:
            yield Finding(
                path=path, key=name, message="is a list, whose members nobody checks", suggestion="take it apart"
            )
        elif kind not in _CLUSTER_WIDE and not metadata.get("namespace"):
            message, hint = "has no namespace: it goes to whichever Flux takes for its own", "write metadata.namespace"
            yield Finding(path=path, key=name, message=message, suggestion=hint)
        if kind in _KEPT and metadata.get("annotations", {}).get(PRUNE) != "disabled":
            message, hint = "would be deleted with this folder, and data with it", f"annotate it with {PRUNE}: disabled"
            yield Finding(path=path, key=name, message=message, suggestion=hint)


def _release_problems(
    release: Object, made: Collection[tuple[str, str, str]], external: Collection[tuple[str, str]]
) -> Iterator[tuple[str, str, str]]:
    """Give key, fact and what to do for everything about one HelmRelease."""
    spec, namespace = release["spec"], release["metadata"].get("namespace", "")
    if ("chart" in spec) == ("chartRef" in spec):
        yield "spec.chart", "needs exactly one of chart and chartRef", "give one"
    for at, entry in enumerate(spec.get("valuesFrom", [])):
        kind, name, key = entry["kind"], entry["name"], f"spec.valuesFrom[{at}]"
        if (kind, namespace, name) in made or (kind, name) in external or entry.get("optional"):
            continue
        if kind == "Secret" and ("ConfigMap", namespace, name) in made:
            # kustomize compares names only, not kinds.
            yield key, f"names the Secret {name}, which is a generated ConfigMap's name", "give the Secret another name"
        else:
            message = f"reads {kind} {name}, which this build does not make"
            yield key, message, "generate it here, or name it among what comes from elsewhere"
    for action in ("install", "upgrade"):
        if spec.get(action, {}).get("strategy", {}).get("name") != "RetryOnFailure":
            message = "lets Flux uninstall or roll back by itself; migrations only go forward"
            yield f"spec.{action}.strategy", message, "name: RetryOnFailure"
    for key in ("releaseName", "timeout", "waitStrategy", "postRenderStrategy"):
        if key not in spec:
            yield f"spec.{key}", "is left to a default that changed between versions of Flux", "write it out"


def order_findings(cluster: Sequence[Object], built: Mapping[str, Sequence[Object]], *, path: str) -> Iterator[Finding]:
    """Check Flux's Kustomizations against what they apply.

    Args:
        cluster: objects of ``clusters/ENV/harbor.yaml``.
        built: folder → objects of its build.
        path: of the file, for the findings.
    """
    before: set[str] = set()
    for item in cluster:
        name, spec = item["metadata"]["name"], item["spec"]
        folder = posixpath.normpath(spec["path"])
        if folder not in built:
            yield Finding(path=path, key=f"{name} spec.path", message=f"{folder} is not there")
        for other in spec.get("dependsOn", []):
            if other["name"] not in before:
                yield Finding(
                    path=path, key=f"{name} spec.dependsOn", message=f"{other['name']} does not come before it"
                )
        if spec.get("deletionPolicy") != "Orphan":
            message, hint = "renaming or deleting it would delete all that it applied", "set it to Orphan"
            yield Finding(path=path, key=f"{name} spec.deletionPolicy", message=message, suggestion=hint)
        for release in (one for one in built.get(folder, ()) if one["kind"] == "HelmRelease"):
            if _minutes(spec["timeout"]) <= _minutes(release["spec"]["timeout"]):
                message = (
                    f"{spec['timeout']} is over before {release['metadata']['name']}'s {release['spec']['timeout']}"
                )
                hint = "the release must be the one that reports"
                yield Finding(path=path, key=f"{name} spec.timeout", message=message, suggestion=hint)
        before.add(name)


def _minutes(duration: str) -> int:
    """Read a duration of ours: whole minutes or hours."""
    return int(duration[:-1]) * {"m": 1, "h": 60}[duration[-1]]
