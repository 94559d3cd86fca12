"""One contract, every sink of the register: idempotent, whole, and its trouble in one line."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderloom.words import FillKind
from sinks import SINKS
from sinks.record import Batch, Place
from sinks.sink import Sink, UnusableTargetError
from tests.sinks.contents import CONTENTS
from tests.sinks.records import (
    VENUE,
    Content,
    a_batch,
    a_fill,
    a_history,
    a_record,
    an_order,
    tombstone,
)

ALIKE = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(params=sorted(SINKS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(name: str, tmp_path: Path) -> Iterator[Callable[[], Sink]]:
    """Makes empty sinks; all are closed at the end."""
    made: list[Sink] = []

    def new() -> Sink:
        made.append(SINKS[name](tmp_path / f"{len(made)}"))
        return made[-1]

    yield new
    for sink in made:
        sink.close()


def test_every_sink_can_be_looked_into_by_this_suite(name: str) -> None:
    assert name in CONTENTS


def test_it_begins_empty_and_without_progress(name: str, make: Callable[[], Sink]) -> None:
    sink = make()
    assert not any(CONTENTS[name](sink).values())
    assert not sink.progress().offsets
    assert not sink.progress().at_end_ms


def test_rows_and_offsets_come_together(name: str, make: Callable[[], Sink]) -> None:
    sink = make()
    sink.write(a_batch(an_order(), a_fill(), at=4))
    assert set(CONTENTS[name](sink)["orders"]) == {"lab:one/spot/SOL/1"}
    assert sink.progress().offsets == {(f"orders.{VENUE}", 0): 5, (f"fills.{VENUE}", 0): 6}


def test_an_older_record_does_not_overwrite_a_newer(name: str, make: Callable[[], Sink]) -> None:
    sink = make()
    sink.write(a_batch(an_order(sequence=2, version=2)))
    before = CONTENTS[name](sink)
    sink.write(a_batch(an_order(sequence=1, version=1)))
    assert CONTENTS[name](sink) == before


def test_a_retired_order_is_shown_no_more_and_stays_so(name: str, make: Callable[[], Sink]) -> None:
    sink = make()
    order = an_order()
    sink.write(a_batch(order, tombstone(order.key, sequence=2)))
    sink.write(a_batch(order))
    assert CONTENTS[name](sink)["orders"] == {}


def test_a_correction_replaces_and_a_bust_takes_back(name: str, make: Callable[[], Sink]) -> None:
    sink = make()
    one, two = "spot/SOL/e1/1", "spot/SOL/e2/1"
    sink.write(
        a_batch(
            a_fill(one, sequence=1),
            a_fill(two, sequence=2),
            a_fill(one, sequence=3, kind=FillKind.CORRECTION, fee="0.2"),
            a_fill(two, sequence=4, kind=FillKind.BUST),
        )
    )
    [(key, document)] = CONTENTS[name](sink)["fills"].items()
    assert key.endswith(one)
    assert document["fee"] == "0.2"


def test_a_new_epoch_drops_the_accounts_view_but_no_execution(
    name: str, make: Callable[[], Sink]
) -> None:
    sink = make()
    sink.write(a_batch(an_order("old", sequence=9), a_fill(sequence=9)))
    sink.write(a_batch(an_order("new", sequence=1, epoch=1), a_fill(sequence=1, epoch=1)))
    assert set(CONTENTS[name](sink)["orders"]) == {"new"}
    assert len(CONTENTS[name](sink)["fills"]) == 1


@pytest.mark.parametrize("is_new_epoch", [False, True])
@ALIKE
@given(seed=st.integers(0, 10_000), order=st.randoms(use_true_random=False))
def test_shuffled_repeated_and_cut_batches_change_nothing(
    name: str, make: Callable[[], Sink], is_new_epoch: bool, seed: int, order: random.Random
) -> None:
    history = a_history(2 * seed + is_new_epoch)
    once, often = make(), make()
    once.write(a_batch(*history))
    batches = cut(history, order)
    repeated = batches + order.sample(batches, k=len(batches) // 2)
    order.shuffle(repeated)
    for batch in repeated:
        often.write(batch)
    assert CONTENTS[name](often) == CONTENTS[name](once)
    assert often.progress() == once.progress()


def cut(history: list[Content], order: random.Random) -> list[Batch]:
    """The history in batches of one to nine records."""
    batches, at = [], 0
    while at < len(history):
        size = order.randint(1, 9)
        batches.append(a_batch(*history[at : at + size], at=at))
        at += size
    return batches


def test_a_batch_that_cannot_be_written_leaves_nothing(name: str, make: Callable[[], Sink]) -> None:
    sink = make()
    sink.write(a_batch(an_order()))
    before, progress = CONTENTS[name](sink), sink.progress()
    good = a_record(an_order("another", sequence=2), 1)
    broken: Any = object()  # refused by any store
    offsets: dict[Place, int] = {("orders.lab", 0): 2, ("broken", 0): broken}
    with pytest.raises(UnusableTargetError):
        sink.write(Batch((good,), offsets))
    assert CONTENTS[name](sink) == before
    assert sink.progress() == progress


def test_when_a_topic_was_read_to_its_end_is_kept_for_each(
    name: str, make: Callable[[], Sink]
) -> None:
    sink = make()
    sink.begin({"orders.lab": "id", "orders.other": "id"}, 5)
    sink.write(Batch(at_end_ms={"orders.other": 9}))
    sink.begin({"orders.lab": "id"}, 7)
    assert sink.progress().at_end_ms == {"orders.lab": 5, "orders.other": 9}
    sink.forget(["orders.lab"])
    assert sink.progress().at_end_ms == {"orders.other": 9}


def test_what_is_forgotten_can_be_read_again(name: str, make: Callable[[], Sink]) -> None:
    sink, history = make(), a_history(3)
    sink.begin({"orders.lab": "id"}, 1)
    sink.write(a_batch(*history))
    before = CONTENTS[name](sink)
    sink.forget(["orders.lab"])
    assert CONTENTS[name](sink)["orders"] == {}
    assert ("orders.lab", 0) not in sink.progress().offsets
    assert not sink.progress().at_end_ms
    sink.write(a_batch(*history))
    assert CONTENTS[name](sink) == before
