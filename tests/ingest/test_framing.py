"""Packing items into records: nothing lost, order kept, bounds kept."""

import hashlib
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.framing import HEADER_BYTES, Bounds, Packer, fitted, size_of
from orderloom.raw import (
    Answer,
    Failure,
    Frame,
    Item,
    Liveness,
    Oversize,
    RawRecord,
    decode,
    encode,
)


def a_frame(number: int, body: bytes = b"{}") -> Frame:
    return Frame("w1-1", number, "TOY", 1, body)


def numbers_of(items: tuple[Item, ...]) -> list[int]:
    return [item.number for item in items if isinstance(item, Frame)]


def test_one_item_goes_alone_and_at_once() -> None:
    packer = Packer(Bounds())
    packer.add(7, a_frame(1))
    batch = packer.take()
    assert batch is not None
    assert (batch.generation, numbers_of(batch.items)) == (7, [1])


def test_what_comes_while_a_record_is_under_way_goes_together_into_the_next() -> None:
    packer = Packer(Bounds())
    for number in range(1, 6):
        packer.add(7, a_frame(number))
        if number == 1:
            packer.take()
    assert packer.take() is None
    packer.acknowledged()
    batch = packer.take()
    assert batch is not None
    assert numbers_of(batch.items) == [2, 3, 4, 5]


def test_a_record_holds_items_of_one_generation() -> None:
    packer = Packer(Bounds())
    packer.add(7, a_frame(1))
    packer.add(8, a_frame(2))
    first = packer.take()
    packer.acknowledged()
    second = packer.take()
    assert first is not None
    assert second is not None
    assert [first.generation, second.generation] == [7, 8]


def test_a_record_refused_for_its_size_is_tried_in_halves_and_then_by_its_head() -> None:
    packer = Packer(Bounds())
    packer.add(1, a_frame(1, b"x" * 9000))
    packer.add(1, a_frame(2, b"y" * 9000))
    packer.take()
    packer.refused(is_too_large=True)
    one = packer.take()
    assert one is not None
    assert len(one.items) == 1
    packer.refused(is_too_large=True)
    head = packer.take()
    assert head is not None
    assert isinstance(head.items[0], Oversize)
    packer.acknowledged()
    rest = packer.take()
    assert rest is not None
    assert numbers_of(rest.items) == [2]


def test_a_frame_beyond_a_record_becomes_its_hash_length_and_head() -> None:
    body = bytes(range(256)) * 100
    item = fitted(a_frame(3, body), 10_000)
    assert isinstance(item, Oversize)
    assert (item.number, item.length) == (3, len(body))
    assert item.sha256 == hashlib.sha256(body).hexdigest()
    assert body.startswith(item.body)


def test_an_answer_beyond_a_record_becomes_a_failure_that_says_so() -> None:
    answer = Answer({"id": "q1"}, "GET x", 1, True, 200, 1, 2, 3, b"x" * 20_000)
    item = fitted(answer, 10_000)
    assert isinstance(item, Failure)
    assert item.question == {"id": "q1"}
    assert "20000 bytes" in item.reason


def test_the_size_counted_is_at_least_the_size_in_the_record() -> None:
    items = tuple(a_frame(number, b"z" * 50) for number in range(1, 101))
    value = encode(RawRecord("toy:main", 1, "w1", items))
    assert len(value) <= sum(size_of(item) for item in items)
    assert decode(value).items == items


@pytest.mark.parametrize("misuse", ["acknowledged", "refused"])
def test_an_acknowledgement_without_a_record_under_way_is_our_own_mistake(misuse: str) -> None:
    with pytest.raises(AssertionError):
        getattr(Packer(Bounds()), misuse)()


moves = st.lists(
    st.one_of(
        st.integers(0, 3000).map(lambda size: ("add", size)),
        st.sampled_from([("acknowledged", 0), ("refused", 0), ("too large", 0), ("owner", 0)]),
    ),
    max_size=200,
)


@given(moves, st.integers(1, 20), st.integers(1, 20_000))
def test_nothing_is_lost_order_and_bounds_are_kept(
    walk: list[tuple[str, int]], items_max: int, bytes_max: int
) -> None:
    packer, log = Packer(Bounds(items_max, bytes_max)), deque[Item]()
    number = generation = 0
    under_way = None
    for name, size in walk:
        if name == "add":
            number += 1
            packer.add(generation, a_frame(number, b"x" * size))
        elif name == "owner":
            generation += 1
        elif under_way is not None:
            if name == "acknowledged":
                log.extend(under_way.items)
                packer.acknowledged()
            else:
                packer.refused(is_too_large=name == "too large" and len(under_way.items) > 1)
            under_way = None
        if under_way is None:
            under_way = packer.take()
            assert under_way is None or _is_bounded(under_way.items, items_max, bytes_max)
    while under_way is not None:
        log.extend(under_way.items)
        packer.acknowledged()
        under_way = packer.take()
    assert numbers_of(tuple(log)) == list(range(1, number + 1))
    assert packer.is_idle
    assert (packer.bytes_held, packer.items_held) == (0, 0)


def _is_bounded(items: tuple[Item, ...], items_max: int, bytes_max: int) -> bool:
    size = sum(size_of(item) for item in items)
    return len(items) <= items_max and (len(items) == 1 or size <= bytes_max)


def test_an_item_without_a_body_counts_its_header() -> None:
    assert size_of(Liveness(1, [])) == HEADER_BYTES
