"""Waiting for what shall come about, with an end: for tests."""

import time
from collections.abc import Callable

LOOK_SECONDS = 0.02


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    """Return as soon as it holds; fail where it does not within the time."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, f"it did not happen within {seconds:g} s"
        time.sleep(LOOK_SECONDS)
