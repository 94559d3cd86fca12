"""Named changes: each counts once, at its earliest time, whatever comes first and however often."""

from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from random import Random
from typing import Any

import pytest

from orderloom.event import Execution, OrderReport
from orderloom.words import Lifecycle, Source, Status
from processors.orders.order import Order
from processors.orders.orders import Orders
from processors.orders.record import Record
from processors.orders.tracks import changes as changes_module
from processors.orders.tracks.changes import CHANGES_MAX, Changes
from processors.orders.tracks.trust import LIVE_AFTER_END
from tests.builders import ORDER_KEY, a_report, an_execution, an_origin, some_orders, take
from tests.histories import Piece, content_of, cut, evidence_of, folded, repeated, shuffled

S = 1_000_000_000


def a_change(name: str, at: int, quantity: str, **fields: Any) -> OrderReport:
    return a_report(
        is_amendment=True, quantity=quantity, change_id=name, ordinal=(at * S, 0), **fields
    )


def after_any(*events: OrderReport | Execution, answered: tuple[OrderReport, ...] = ()) -> Order:
    """The order, the same in evidence and content after each order of arrival.

    `answered` are answers to questions that were asked at 60 s.
    """
    every = []
    origin = an_origin(Source.QUERY, asked_ns=60 * S)
    pieces = [(one, an_origin()) for one in events] + [(one, origin) for one in answered]
    for arrival in permutations(pieces):
        orders = some_orders()
        for event, from_where in (*arrival, *arrival[:1]):
            orders.apply(event, from_where)
        (order,) = orders.all()
        every.append((order, order.content(), evidence_of(orders)))
    assert len(every) > 1
    assert all(one[1:] == every[0][1:] for one in every)
    return every[0][0]


NEW = a_report(quantity="9", ordinal=(1 * S, 0))
FIRST, SECOND = a_change("a", 8, "8"), a_change("b", 20, "5")
AGAIN = a_change("a", 40, "8")


def test_a_change_reported_again_later_is_no_later_change() -> None:
    assert str(after_any(NEW, FIRST, SECOND, AGAIN).quantity) == "5"


def test_what_else_is_said_later_than_all_changes_counts() -> None:
    assert str(after_any(NEW, FIRST, a_report(quantity="7", ordinal=(30 * S, 0))).quantity) == "7"
    assert str(after_any(NEW, SECOND, a_report(quantity="7", ordinal=(10 * S, 0))).quantity) == "5"


def test_a_change_reported_again_after_the_end_raises_no_dispute() -> None:
    end = a_report(Status.CANCELED, quantity=None, ordinal=(30 * S, 0))
    assert not after_any(NEW, FIRST, AGAIN, end).is_disputed
    later = a_change("c", 40, "3")
    assert after_any(NEW, FIRST, end, later).derived.disputes == (LIVE_AFTER_END,)


def test_changes_of_which_only_the_copy_came_count_at_its_time() -> None:
    assert str(after_any(NEW, SECOND, AGAIN).quantity) == "8"


LIVE = a_report(Status.PARTIALLY_FILLED, quantity="5", filled_quantity="4", ordinal=(21 * S, 0))


def test_an_answer_outranks_a_change_of_which_only_the_copy_came() -> None:
    fill = an_execution("f", "4", venue_ns=21 * S)
    assert after_any(NEW, SECOND, a_change("a", 40, "4"), fill).lifecycle is Lifecycle.FILLED
    order = after_any(NEW, SECOND, a_change("a", 40, "4"), fill, answered=(LIVE,))
    assert (order.lifecycle, str(order.quantity)) == (Lifecycle.ACTIVE, "5")
    assert not order.is_disputed


def test_an_answer_that_says_the_end_explains_a_copy_after_it() -> None:
    end = a_report(Status.CANCELED, quantity="5", filled_quantity="0", ordinal=(30 * S, 0))
    copy = a_change("a", 40, "8")
    assert after_any(NEW, SECOND, copy, end).derived.disputes == (LIVE_AFTER_END,)
    order = after_any(NEW, SECOND, copy, answered=(end,))
    assert (order.lifecycle, order.is_disputed) == (Lifecycle.CANCELED, False)


def test_an_answer_outranks_what_else_was_said_of_its_own_time() -> None:
    row = a_report(quantity="8", filled_quantity="4", ordinal=(8 * S, 0))
    fill = replace(row, quantity=Decimal(9))
    for before in ((NEW, fill, FIRST), (NEW, fill)):  # the change came, or was missed
        assert str(after_any(*before, answered=(row,)).quantity) == "8"


def test_an_answer_that_may_be_as_old_as_what_was_said_of_its_time_does_not() -> None:
    row = a_report(quantity="8", filled_quantity="4", ordinal=(60 * S, 0))
    fill = replace(row, quantity=Decimal(9))
    assert str(after_any(fill, answered=(row,)).quantity) == "9"


def test_a_change_that_an_answer_may_not_show_yet_counts() -> None:
    assert str(after_any(NEW, a_change("c", 59, "6"), answered=(LIVE,)).quantity) == "6"
    assert str(after_any(NEW, a_change("c", 57, "6"), answered=(LIVE,)).quantity) == "5"


def test_what_a_conditional_order_says_of_its_child_is_no_answer_about_its_terms() -> None:
    answer = a_report(quantity="9", alias_ids=("algo",), ordinal=(1 * S, 0))
    assert str(after_any(NEW, SECOND, answered=(answer,)).quantity) == "5"


def test_they_are_kept_over_a_restart_and_joined_with_those_of_another_record() -> None:
    one, other = Record(), Record()
    one.take_report(FIRST, an_origin())
    other.take_report(SECOND, an_origin())
    for event in (NEW, AGAIN):
        other.take_report(event, an_origin())
    loaded = Record.load(one.dump())
    loaded.join(Record.load(other.dump()))
    mirrored = other.copy()
    mirrored.join(one)
    assert loaded.dump() == mirrored.dump()
    (link,) = loaded.links.values()
    assert link.terms.value("quantity") == 5


def numbered(number: int) -> OrderReport:
    return a_change(f"n{number}", 10 + number, str(5 + number))


def the_changes(orders: Orders) -> Changes:
    order = orders.get(ORDER_KEY)
    assert order is not None
    (link,) = order.record.links.values()
    assert link.changes is not None
    return link.changes


def test_a_copy_of_the_first_of_many_changes_is_no_later_change() -> None:
    many = [numbered(number) for number in range(66)]
    copy = a_change("n0", 1000, "5")
    for arrival in ([*many, copy], [many[0], copy, *many[1:]], [copy, *reversed(many)]):
        orders = some_orders()
        take(orders, NEW, *arrival)
        order = orders.get(ORDER_KEY)
        assert order is not None
        assert order.quantity == 70


def test_of_changes_that_an_answer_shows_no_more_than_the_names_are_kept() -> None:
    orders = some_orders()
    take(orders, NEW, numbered(1), numbered(49))
    orders.apply(LIVE, an_origin(Source.QUERY, asked_ns=60 * S))
    changes = the_changes(orders)
    assert (changes.shown, set(changes.named)) == ({"n1"}, {"n49"})
    take(orders, a_change("n1", 100, "6"))
    assert set(the_changes(orders).named) == {"n49"}


def test_no_more_than_a_bound_is_kept_and_the_newest_terms_stay() -> None:
    orders = some_orders()
    take(orders, NEW, *(numbered(number) for number in range(CHANGES_MAX)))
    assert not the_changes(orders).is_crowded
    take(orders, *(numbered(number) for number in range(CHANGES_MAX, CHANGES_MAX + 9)))
    changes = the_changes(orders)
    assert (changes.is_crowded, len(changes.named) + len(changes.shown)) == (True, 0)
    order = orders.get(ORDER_KEY)
    assert order is not None
    assert order.quantity == 13 + CHANGES_MAX
    assert order.current_link.live_ordinal() == ((18 + CHANGES_MAX) * S, 0)


def a_life(random: Random) -> list[Piece]:
    """Changes, copies of them, fills and answers: more or less than can be kept by name."""
    pieces: list[Piece] = [(NEW, an_origin())]
    for number in range(random.randint(1, 9)):
        at, quantity = random.randint(2, 90), str(random.randint(3, 9))
        later = random.choices(range(1, 60), k=random.randint(0, 2))
        reports = [a_change(f"n{number}", at + delay, quantity) for delay in (0, *later)]
        pieces += [
            (one, an_origin()) for one in random.sample(reports, random.randint(1, len(reports)))
        ]
    for _ in range(random.randint(0, 3)):
        at = random.randint(2, 99)
        live = replace(LIVE, quantity=Decimal(random.randint(5, 9)), ordinal=(at * S, 0))
        asked_ns = random.randint(at, 120) * S
        pieces.append((live, an_origin(Source.QUERY, asked_ns=asked_ns)))
    if random.random() < 0.5:
        pieces.append((a_report(Status.CANCELED, ordinal=(95 * S, 0)), an_origin()))
    return pieces


@pytest.mark.parametrize("seed", range(60))
def test_any_arrival_repetition_and_restart_gives_the_same(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes_module, "CHANGES_MAX", 5)
    random = Random(seed)
    pieces = a_life(random)
    whole = folded(pieces)
    for _ in range(6):
        arrival = shuffled(repeated(pieces, random), random)
        again = cut(arrival, random.randrange(len(arrival)), random)
        assert evidence_of(again) == evidence_of(whole)
        assert content_of(again) == content_of(whole)


@pytest.mark.parametrize("seed", range(60))
def test_two_records_joined_are_the_record_of_all_changes(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes_module, "CHANGES_MAX", 5)
    random = Random(seed)
    whole, *parts = Record(), Record(), Record()
    for event, origin in a_life(random):
        for record in (whole, random.choice(parts)):
            record.take_report(event, origin, 2 * S)
    one, other = parts
    joined = one.copy()
    joined.join(other)
    other.join(one)
    assert joined.dump() == other.dump() == whole.dump()
