"""A HelmRelease's post-renderer, played by the program that Flux has inside: kustomize, found on PATH.

    found, note = post_rendered(texts, release)

Without `kustomize` or `kubectl` the objects come as the chart makes them, and the note says so.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from values.errors import Finding
from values.helm import ChartError, objects, objects_by_template
from values.releases import Release

_SECONDS = 30
#: Program → its arguments before the folder.
_PROGRAMS: Mapping[str, tuple[str, ...]] = {"kustomize": ("build",), "kubectl": ("kustomize",)}


def post_rendered(texts: Mapping[str, str], release: Release) -> tuple[list[dict[str, Any]] | None, str]:
    """Give the objects of a rendered chart after the release's patches; None where there are none to apply.

    Args:
        texts: template path → manifest.
        release: whose patches.

    Returns:
        The objects, and a note where the patches could not be applied.

    Raises:
        ChartError: a template made no YAML, or kustomize refuses a patch.
    """
    if not (release.patches or release.images):
        return None, ""
    program = next((name for name in _PROGRAMS if shutil.which(name)), None)
    if program is None:
        note = f"{release.name}: the post-renderer's patches are left out, for want of kustomize or kubectl on PATH"
        return None, note
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["all.yaml"],
        "patches": list(release.patches),
        "images": list(release.images),
    }
    with tempfile.TemporaryDirectory(prefix="slipway-diff-") as folder:
        (Path(folder) / "all.yaml").write_text("\n---\n".join(texts.values()))
        (Path(folder) / "kustomization.yaml").write_text(json.dumps(kustomization))
        try:
            return objects(_run([program, *_PROGRAMS[program], folder], release)), ""
        except ChartError:
            objects_by_template(texts)  # a template that gives no YAML is not the patches' fault, and is named here
            raise


def _run(command: list[str], release: Release) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        said = f"no answer within {_SECONDS} seconds"
    else:
        if not done.returncode:
            return done.stdout
        said = done.stderr.strip()
    message = f"the post-renderer's patches do not apply: {said}"
    hint = "check their targets and paths against the objects of this chart version"
    raise ChartError(
        Finding(path=f"HelmRelease {release.name}", key="spec.postRenderers", message=message, suggestion=hint)
    )
