"""Of the round trip, what the scanner does with the image: its report, its log, its bill of materials.

says = await scan(scene)
"""

import asyncio
import time

from infra.errors import HarborError
from slipway.harbor.client.api import artifacts
from slipway.verify.check import Failed, Skipped
from slipway.verify.round_trip import known, project_of
from slipway.verify.scene import Scene
from slipway.verify.throwaway import could_not

_LOGS = 4


async def scan(scene: Scene) -> str:
    name, digest = _scannable(scene)
    await scene.api.send(artifacts.scan(name, "app", digest))
    started = time.monotonic()
    while True:
        report = (await scene.api.send(artifacts.get(name, "app", digest, scan=True))).report
        if report and report.scan_status in {"Success", "Error", "Stopped"}:
            break
        await asyncio.sleep(min(0.1 + (time.monotonic() - started) / 5, 3))
    scene.report = report.report_id
    if report.scan_status != "Success":
        raise Failed(f"the scan ended with {report.scan_status}{await _last_words(scene, name, digest)}")
    return f"{scene.scanner} found severity {report.severity or 'None'}, after {time.monotonic() - started:.1f} s"


def _scannable(scene: Scene) -> tuple[str, str]:
    if not scene.scanner:
        raise Skipped("there is no scanner")
    return project_of(scene).name, known(scene.manifest).digest


async def _last_words(scene: Scene, name: str, digest: str) -> str:
    try:
        log = await scene.api.send(artifacts.scan_log(name, "app", digest, scene.report))
    except HarborError:
        return ""
    lines = log.strip().splitlines()
    return f": {lines[-1][:300]}" if lines else ""


async def scan_log(scene: Scene) -> str:
    name, digest = _scannable(scene)
    asked = artifacts.scan_log(name, "app", digest, scene.report)
    # Each of several job services answers for itself: with loggers in files only one of them has it.
    found = await asyncio.gather(*(scene.api.send(asked) for _ in range(_LOGS)), return_exceptions=True)
    bad = [one for one in found if not isinstance(one, str) or not one.strip()]
    for one in bad:
        if isinstance(one, BaseException) and not isinstance(one, HarborError):
            raise one
    if bad:
        why = could_not(bad[0]) if isinstance(bad[0], HarborError) else "it is empty"
        raise Failed(f"{len(bad)} of {_LOGS} times the log did not come: {why}")
    return f"{_LOGS} of {_LOGS} times the log came"


async def sbom(scene: Scene) -> str:
    name, digest = _scannable(scene)
    await scene.api.send(artifacts.scan(name, "app", digest, kind="sbom"))
    started = time.monotonic()
    while True:
        found = (await scene.api.send(artifacts.get(name, "app", digest, sbom=True))).sbom_overview
        if found and found.scan_status in {"Success", "Error", "Stopped"}:
            break
        await asyncio.sleep(min(0.1 + (time.monotonic() - started) / 5, 3))
    if found.scan_status != "Success":
        raise Failed(f"making the bill of materials ended with {found.scan_status}")
    kinds = [one.type for one in await scene.api.all(artifacts.accessories(name, "app", digest))]
    if "sbom.harbor" not in kinds:
        raise Failed("it was made, and is not among the image's accessories")
    return f"made and kept beside the image: {found.sbom_digest[:19]}…"
