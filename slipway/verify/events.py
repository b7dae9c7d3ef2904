"""Of the round trip, what Harbor does beside a push: it tells a receiver, and collects what nobody needs any more."""

import asyncio
import time
from urllib.parse import urlsplit

from pydantic import SecretStr

from slipway.harbor.client.api import schedules, webhooks
from slipway.harbor.client.models import Webhook, WebhookTarget
from slipway.verify import content
from slipway.verify.check import Failed, Skipped
from slipway.verify.content import descriptor, manifest
from slipway.verify.receiver import Receiver, listening
from slipway.verify.round_trip import known, project_of, registry_of
from slipway.verify.scene import Scene

DELIVERY_SECONDS = 30.0
_HOOK = "verify"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


async def webhook(scene: Scene) -> str:
    address = scene.options.webhook_address
    if not address and urlsplit(scene.target.url).hostname not in _LOOPBACK:
        raise Skipped("Harbor does not reach this machine by itself: give --webhook-address")
    async with listening(address) as receiver:
        name, number = project_of(scene).name, await _told(scene, receiver)
        started, repository = time.monotonic(), await _pushed(scene)
        event = await receiver.event(DELIVERY_SECONDS)
        if event is None:
            runs = await scene.api.all(webhooks.runs(name, number))
            states = ", ".join(dict.fromkeys(run.status for run in runs)) or "it has not tried"
            raise Failed(f"no event came within {DELIVERY_SECONDS:g} s; Harbor says of its deliveries: {states}")
    told = event.get("event_data", {}).get("repository", {}).get("repo_full_name")
    if event.get("type") != "PUSH_ARTIFACT" or told != repository:
        raise Failed(f"the event tells of {event.get('type')} in {told}, not of the push in {repository}")
    return f"the push was told {time.monotonic() - started:.1f} s later, with the header that was set"


async def _told(scene: Scene, receiver: Receiver) -> int:
    """Have Harbor tell the receiver of pushes; gives the policy's id."""
    throwaway = project_of(scene)
    target = WebhookTarget(
        address=receiver.address,
        auth_header=SecretStr(receiver.header),
        payload_format="Default",
        skip_cert_verify=True,
    )
    policy = Webhook(name=_HOOK, enabled=True, event_types=["PUSH_ARTIFACT"], targets=[target])
    return await throwaway.hook(policy)


async def _pushed(scene: Scene) -> str:
    """Push something small; gives the repository."""
    registry, layer = registry_of(scene), known(scene.layer)
    config = await registry.push(content.config(layer.digest))
    image = manifest(
        descriptor(content.CONFIG, config.digest, config.size),
        [descriptor(content.LAYER, layer.digest, layer.size)],
        annotations={"slipway": "webhook"},
    )
    await registry.put("webhook", image)
    return registry.repository


async def collection(scene: Scene) -> str:
    number = int((await scene.api.send(schedules.run_gc(dry_run=True))).id)
    while True:
        runs = await scene.api.all(schedules.gc_runs())
        found = next((run for run in runs if run.id == number), runs[0] if runs else None)
        if found and found.job_status in {"Success", "Error", "Stopped"}:
            break
        await asyncio.sleep(1)
    if found.job_status != "Success":
        raise Failed(f"garbage collection {found.id} ended with {found.job_status}")
    lines = (await scene.api.send(schedules.gc_log(found.id))).strip().splitlines()
    return f"dry run {found.id} is through; {lines[-1][:160] if lines else 'its log is empty'}"
