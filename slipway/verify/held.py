"""What an interrupt must not cut off: a request that makes something is waited for, and what it made can be undone.

made = await held(harbor.send(request), lambda made: numbers.append(made.number))
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Made = TypeVar("Made")
#: How long an interrupt waits for the answer of what was sent.
SECONDS = 10.0


async def held(work: Coroutine[Any, Any, Made], keep: Callable[[Made], object]) -> Made:
    """Do something and give its result; an interrupt waits for it, hands the result to `keep`, and goes on its way."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await settle(task, SECONDS)
        if task.done() and not task.cancelled() and task.exception() is None:
            keep(task.result())
        raise


async def settle(task: "asyncio.Task[Any]", seconds: float) -> None:
    """Wait for a task through every further interrupt; one that takes too long is cancelled."""
    until = time.monotonic() + seconds
    while not task.done() and (left := until - time.monotonic()) > 0:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({task}, timeout=left)
    task.cancel()
