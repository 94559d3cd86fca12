"""What lives long is walked by no collection, and a closed ledger's state is freed all the same."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from processors.collector import THRESHOLDS, collect_all, keep_collections_short

MANY = 20 * THRESHOLDS[0]


class Part:
    """An object that may be in a cycle."""

    def __init__(self) -> None:
        self.other: object = None


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    thresholds, callbacks = gc.get_threshold(), list(gc.callbacks)
    keep_collections_short()
    yield
    gc.set_threshold(*thresholds)
    gc.callbacks[:] = callbacks
    gc.unfreeze()


def test_what_lives_long_is_walked_no_more() -> None:
    gc.collect()
    held = [Part() for _ in range(MANY)]
    assert gc.get_freeze_count() > MANY * 3 / 4
    young = THRESHOLDS[0] * (THRESHOLDS[1] + 2)
    assert len(gc.get_objects()) < young, "else each collection walks what lives long"
    assert len(held) == MANY


def test_what_is_set_aside_is_freed_when_nobody_holds_it() -> None:
    one = Part()
    gc.collect()
    seen = weakref.ref(one)
    del one
    assert seen() is None


def test_a_cycle_that_was_set_aside_is_freed_once_all_is_walked() -> None:
    one = Part()
    one.other = one
    gc.collect()
    seen = weakref.ref(one)
    del one
    gc.collect()
    assert seen() is not None
    collect_all()
    assert seen() is None


def test_without_it_nothing_is_walked_at_a_close() -> None:
    gc.callbacks.clear()
    one = Part()
    one.other = one
    seen = weakref.ref(one)
    del one
    collect_all()
    assert seen() is not None
