"""Waiting for what shall come about, with an end: for tests.

`check` is called at each look; it raises where waiting has become useless (a worker fell). `what`
says what did not happen, a function if that is known only then.
"""

import asyncio
import inspect
import time
from collections.abc import Callable

LOOK_SECONDS = 0.02
SECONDS_MAX = 30.0
What = str | Callable[[], str]


def nothing() -> None:
    """Check nothing."""


def wait_for(
    condition: Callable[[], object],
    seconds: float = SECONDS_MAX,
    what: What = "it",
    check: Callable[[], object] = nothing,
    look_seconds: float = LOOK_SECONDS,
) -> None:
    """Return as soon as it holds; fail where it does not within the time."""
    give_up = time.monotonic() + seconds
    while not condition():
        check()
        assert time.monotonic() < give_up, _line(what, seconds)
        time.sleep(look_seconds)


async def until(
    condition: Callable[[], object],
    seconds: float = SECONDS_MAX,
    what: What = "it",
    check: Callable[[], object] = nothing,
    look_seconds: float = LOOK_SECONDS,
) -> None:
    """As `wait_for`, while others go on in this loop; what the condition gives may be awaited."""
    assert await comes_about(condition, seconds, check, look_seconds), _line(what, seconds)


async def comes_about(
    condition: Callable[[], object],
    seconds: float = SECONDS_MAX,
    check: Callable[[], object] = nothing,
    look_seconds: float = LOOK_SECONDS,
) -> bool:
    """Whether it holds within the time."""
    give_up = time.monotonic() + seconds
    while not await _held(condition()):
        check()
        if time.monotonic() > give_up:
            return False
        await asyncio.sleep(look_seconds)
    return True


async def _held(answer: object) -> object:
    return await answer if inspect.isawaitable(answer) else answer


def _line(what: What, seconds: float) -> str:
    return f"did not come about within {seconds:g} s: {what if isinstance(what, str) else what()}"
