"""The round trip: what a team does with a registry, done once, in a project of its own that goes away again.

The registry's part follows the OCI distribution specification's conformance procedure: push, pull, listings, deletion.
"""

import asyncio
import time

from infra.errors import HarborError, NothingThere
from slipway.harbor.client.api import artifacts
from slipway.verify import content
from slipway.verify.check import Failed, Skipped
from slipway.verify.content import Layer, descriptor, manifest
from slipway.verify.registry import Registry
from slipway.verify.scene import MIB, Blob, Scene
from slipway.verify.sending import RegistryRefused
from slipway.verify.throwaway import Throwaway, could_not, leftovers, remove_project

TAG, _SECOND_TAG = "v1", "v2"
_NOTHING = f"sha256:{'0' * 64}"
_PARTS = 4
_LARGEST_PART = 64 * MIB


def registry_of(scene: Scene) -> Registry:
    """Give the registry as the robot sees it."""
    if scene.robot is None:
        raise RuntimeError("a check pushes or pulls without needing round-trip.robot")
    return scene.robot


def known(blob: Blob | None) -> Blob:
    """Give what an earlier check pushed."""
    if blob is None:
        raise RuntimeError("a check uses what none of those that it needs has pushed")
    return blob


def project_of(scene: Scene) -> Throwaway:
    """Give the project."""
    if scene.throwaway is None:
        raise RuntimeError("a check uses the project without needing round-trip.project")
    return scene.throwaway


# --- to begin


async def earlier(scene: Scene) -> str:
    found = await leftovers(scene.api)
    if not found:
        return "nothing is left of earlier runs"
    told = ", ".join(f"{one.name} (of {(one.creation_time or '')[:16].replace('T', ' ')})" for one in found)
    if not scene.options.remove_leftovers:
        raise Failed(f"left by a run that was killed: {told}")
    for one in found:
        await remove_project(scene.api, one.name)
    return f"removed what killed runs left: {told}"


async def project(scene: Scene) -> str:
    scene.throwaway = Throwaway(scene.api)
    await scene.throwaway.make()
    return f"project {scene.throwaway.name}"


async def robot(scene: Scene) -> str:
    throwaway = project_of(scene)
    name, secret = await throwaway.robot()
    plain = secret.get_secret_value()
    if not await scene.api.accepts(name, plain):
        raise Failed(f"the secret that Harbor has just made for {name} does not open the registry")
    scene.robot = Registry(scene.web, repository=throwaway.repository, name=name, secret=plain)
    await scene.robot.log_in()
    return f"{name} may push, pull and delete in its project, nothing else"


# --- content


async def upload(scene: Scene) -> str:
    layer, started = Layer(scene.options.blob_size), time.monotonic()
    parts = max(_PARTS, -(-layer.size // _LARGEST_PART))
    scene.layer, number = await registry_of(scene).upload(layer, parts=parts)
    seconds = time.monotonic() - started
    return f"{layer.size / MIB:.0f} MiB in {number} parts, a connection each, {layer.size / MIB / seconds:.0f} MiB/s"


async def blob(scene: Scene) -> str:
    registry, layer, started = registry_of(scene), known(scene.layer), time.monotonic()
    if not await registry.has(layer.digest):
        raise Failed("the registry does not know the blob that it has just taken", "registry pods must share a storage")
    digest, came = await registry.pull(layer.digest)
    if (digest, came) != (layer.digest, layer.size):
        raise Failed(f"{came} bytes with {digest} came back for {layer.size} with {layer.digest}")
    seconds = time.monotonic() - started
    way = f", redirected to {', '.join(sorted(registry.redirected))}" if registry.redirected else ""
    return f"{came / MIB:.0f} MiB came back as they were sent, {came / MIB / seconds:.0f} MiB/s{way}"


async def ranges(scene: Scene) -> str:
    layer = known(scene.layer)
    digest, came = await registry_of(scene).pull(layer.digest, first=layer.size - 1024, last=layer.size - 1)
    # The archive ends with two empty blocks.
    if (digest, came) != (content.digest_of(bytes(1024)), 1024):
        raise Failed(f"asked for the last 1,024 bytes, {came} came, and not those")
    return "the last 1,024 bytes alone"


async def image(scene: Scene) -> str:
    registry, layer = registry_of(scene), known(scene.layer)
    scene.config = await registry.push(content.config(layer.digest))
    scene.manifest = await registry.put(TAG, _image(scene))
    # Not later, beside pulls: the registry writes the manifest's link anew, and who reads it just then gets 500.
    await registry.put(_SECOND_TAG, _image(scene))
    return f"{registry.repository}:{TAG} is {scene.manifest.digest[:19]}…"


def _image(scene: Scene, **more: object) -> bytes:
    config, layer = known(scene.config), known(scene.layer)
    return manifest(
        descriptor(content.CONFIG, config.digest, config.size),
        [descriptor(content.LAYER, layer.digest, layer.size)],
        **more,
    )


async def pull(scene: Scene) -> str:
    registry, pushed = registry_of(scene), known(scene.manifest)
    by_tag, by_digest, head = await asyncio.gather(
        registry.manifest(TAG), registry.manifest(pushed.digest), registry.head(TAG)
    )
    if not by_tag == by_digest == _image(scene):
        raise Failed("what comes back by tag, by digest, and what was pushed are not the same")
    if head != pushed.digest:
        raise Failed(f"HEAD of the tag says {head or 'that it is not there'}, pushed was {pushed.digest}")
    if await registry.head(_NOTHING) is not None or await registry.has(_NOTHING):
        raise Failed(f"the registry says that it has {_NOTHING}, which nobody has pushed")
    return "by tag, by digest and by HEAD the same; 404 for what was never pushed"


async def mount(scene: Scene) -> str:
    registry, layer = registry_of(scene), known(scene.layer)
    other = registry.beside(f"{project_of(scene).name}/copy")
    if not await other.mount(layer.digest, registry.repository):
        return "not mounted: the registry wants shared layers to be sent again, as the specification allows"
    if not await other.has(layer.digest):
        raise Failed("the registry says that it mounted the layer, and does not have it in the other repository")
    return "mounted into another repository, not a byte sent again"


async def stranger(scene: Scene) -> str:
    try:
        await Registry(scene.web, repository=project_of(scene).repository).manifest(TAG)
    except RegistryRefused as refused:
        if refused.status in {401, 403}:
            return f"nobody gets {refused.status}"
        raise
    raise Failed("anybody can pull from a private project")


async def listings(scene: Scene) -> str:
    registry, throwaway = registry_of(scene), project_of(scene)
    if not {TAG, _SECOND_TAG} <= set(tags := await registry.tags()):
        raise Failed(f"a tag is not in the list: {', '.join(tags) or 'it is empty'}")
    pages = [await registry.tags("?n=1"), await registry.tags(f"?n=1&last={TAG}")]
    if pages != [[TAG], [_SECOND_TAG]]:
        raise Failed(f"pages of one tag each hold {pages}, not [['{TAG}'], ['{_SECOND_TAG}']]")
    if throwaway.repository not in [one.name for one in await scene.api.all(artifacts.repositories(throwaway.name))]:
        raise Failed("Harbor does not list the repository")
    return f"tags, in pages as well, and the repository are listed{await _in_catalog(scene)}"


async def _in_catalog(scene: Scene) -> str:
    """Look into the catalogue, where the sender may: Harbor lets only administrators."""
    target, repository = scene.target, project_of(scene).repository
    secret = target.password.get_secret_value() if target.password else ""
    try:
        every = await Registry(scene.web, repository=repository, name=target.username, secret=secret).catalog()
    except RegistryRefused as refused:
        if refused.status in {401, 403}:
            return "; the catalogue is not shown to this sender"
        raise
    if repository not in every and len(every) < 10_000:
        raise Failed("the catalogue does not have the repository")
    return ", in the catalogue as well"


async def referrers(scene: Scene) -> str:
    registry, pushed = registry_of(scene), known(scene.manifest)
    empty = await registry.push(b"{}")
    about = manifest(
        descriptor(content.EMPTY, empty.digest, empty.size),
        [descriptor(content.EMPTY, empty.digest, empty.size)],
        artifactType="application/vnd.slipway.verify.v1",
        subject=descriptor(content.MANIFEST, pushed.digest, pushed.size),
    )
    note = await registry.put(content.digest_of(about), about)
    if note.digest not in await registry.referrers(pushed.digest):
        raise Failed("what refers to the image is not in its list of referrers")
    return "what refers to the image is found from it"


# --- to end


async def delete(scene: Scene) -> str:
    name, registry, pushed = project_of(scene).name, registry_of(scene), known(scene.manifest)
    await scene.api.send(artifacts.delete(name, "app", pushed.digest))
    try:
        await scene.api.send(artifacts.get(name, "app", pushed.digest))
    except NothingThere:
        pass
    else:
        raise Failed("Harbor still has what was deleted")
    try:
        await registry.manifest(TAG)
    except RegistryRefused as refused:
        if refused.status == 404:
            return "gone from Harbor, and a pull gets 404"
        raise
    raise Failed("what was deleted can still be pulled")


async def clean(scene: Scene) -> str:
    if scene.throwaway is None or not scene.throwaway.begun:
        raise Skipped("nothing was made")
    name = scene.throwaway.name
    try:
        there = await scene.throwaway.remove()
    except HarborError as error:
        raise Failed(f"project {name} could not be removed: {could_not(error)}") from error
    scene.throwaway.begun = False
    return f"project {name} is gone with all in it" if there else f"there was no project {name}"
