"""Of the round trip, the rules about signatures: what is unsigned stays in, what is signed comes out.

says = await signature(scene)
"""

import json

from slipway.harbor.client.api import artifacts, projects
from slipway.harbor.client.models import ProjectMetadata, ProjectReq
from slipway.verify import content
from slipway.verify.check import Failed
from slipway.verify.content import descriptor, manifest
from slipway.verify.registry import Registry
from slipway.verify.round_trip import TAG, known, project_of, registry_of
from slipway.verify.scene import Blob, Scene
from slipway.verify.sending import RegistryRefused

_INDEX_TAG = "index"


async def signature(scene: Scene) -> str:
    name, registry, pushed = project_of(scene).name, registry_of(scene), known(scene.manifest)
    child = descriptor(content.MANIFEST, pushed.digest, pushed.size)
    index = await registry.put(_INDEX_TAG, content.index([child]), content.INDEX)
    await _demand(scene, name, "true")
    try:
        await _refused_unsigned(registry, TAG)
        await _refused_unsigned(registry, _INDEX_TAG)
        for one in (pushed, index):
            await _sign(registry, one)
        for reference in (TAG, _INDEX_TAG, pushed.digest):
            await registry.manifest(reference)
    finally:
        await _demand(scene, name, "false")
        # Harbor deletes no image that an index still names.
        await scene.api.send(artifacts.delete(name, "app", index.digest))
    return "unsigned 412; signed 200: the image, an index of it, and the image by the digest in the index"


async def _demand(scene: Scene, name: str, value: str) -> None:
    metadata = ProjectMetadata(enable_content_trust_cosign=value)
    await scene.api.send(projects.update(name, ProjectReq(metadata=metadata)))


async def _refused_unsigned(registry: Registry, reference: str) -> None:
    try:
        await registry.manifest(reference)
    except RegistryRefused as refused:
        if refused.status == 412 and refused.code == "PROJECTPOLICYVIOLATION":
            return
        raise
    raise Failed(f"{reference} is unsigned, and is given out though the project demands signatures")


async def _sign(registry: Registry, pushed: Blob) -> None:
    """Put beside it what Harbor takes for a signature: it looks whether there is one, not whose it is."""
    # Of this image alone: what is the same for two of them, Harbor takes for a signature of the first.
    critical = {"type": "slipway verify: not a signature", "image": {"docker-manifest-digest": pushed.digest}}
    payload = await registry.push(json.dumps({"critical": critical}).encode())
    config = await registry.push(content.config(payload.digest))
    signed = manifest(
        descriptor(content.CONFIG, config.digest, config.size),
        [descriptor(content.SIGNATURE, payload.digest, payload.size)],
    )
    await registry.put(f"{pushed.digest.replace(':', '-')}.sig", signed)
