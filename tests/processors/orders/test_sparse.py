"""Reports that name an order by the venue's id alone, at a venue whose ids say the symbol."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from random import Random
from typing import Any

import pytest

from orderloom.event import OrderReport
from orderloom.quantities import Unit
from orderloom.words import Side, Status
from processors.orders.effects import KeyRetired, OrderChanged
from processors.orders.orders import Orders
from tests.builders import (
    ACCOUNT,
    ORDER_ID,
    ORDER_KEY,
    a_report,
    an_execution,
    an_origin,
    everywhere,
    some_orders,
    take,
    the_order,
)
from tests.histories import Piece, a_history, content_of, cut, folded, repeated, shuffled
from venues.venue import Profile

PROFILE = Profile(ids_are_of_product=True)


def a_sparse_report(status: Status, **fields: Any) -> OrderReport:
    """It says nothing but the id, what became of the order, and how much of it is executed."""
    return OrderReport(
        product="spot", symbol=None, venue_order_id=ORDER_ID, status=status, **fields
    )


def test_a_follow_up_report_without_a_symbol_is_of_the_order_with_its_id() -> None:
    orders = some_orders(PROFILE)
    take(orders, a_report(), a_sparse_report(Status.CANCELED, ordinal=(9, 0)))
    order = the_order(orders)
    assert (order.symbol, order.derived.lifecycle, order.term("side")) == (
        "SOLUSDT", "CANCELED", Side.BUY,
    )  # fmt: skip
    assert orders.count == 1


def test_one_that_comes_before_any_symbol_waits_and_counts_from_the_first_that_says_it() -> None:
    orders = some_orders(PROFILE)
    effects = take(orders, a_sparse_report(Status.CANCELED, ordinal=(9, 0)))
    assert (effects, orders.count, list(orders.all())) == ([], 0, [])
    effects = take(orders, an_execution())
    assert [type(one) for one in effects].count(OrderChanged) == 1
    order = the_order(orders)
    assert (order.derived.lifecycle, order.executed) == ("CANCELED", Decimal("1.5"))
    assert order.first_seen_cause is not None


def test_a_report_that_adds_nothing_but_the_symbol_shows_the_order() -> None:
    orders = some_orders(PROFILE)
    said = a_sparse_report(Status.ACTIVE, ordinal=(9, 0), client_order_id="mine")
    take(orders, said)
    effects = take(orders, replace(said, symbol="SOLUSDT"))
    assert [type(one) for one in effects] == [OrderChanged]
    assert orders.find("spot", "SOLUSDT", None, "mine") is the_order(orders)


def test_an_execution_without_identity_that_says_the_symbol_shows_the_order() -> None:
    orders = some_orders(PROFILE)
    claimed = {"filled_quantity": Decimal("1.5"), "venue_ns": 7, "side": Side.BUY}
    take(orders, a_sparse_report(Status.CANCELED, ordinal=(9, 0), **claimed))
    take(orders, an_execution(None, venue_ns=7, client_order_id=None))
    order = the_order(orders)
    assert (order.derived.lifecycle, order.executed) == ("CANCELED", Decimal("1.5"))
    assert order.version


def test_the_first_that_spoke_of_the_order_stays_its_first_cause() -> None:
    orders = some_orders(PROFILE)
    orders.apply(a_report(venue_order_id="99"), an_origin(offset=1))
    orders.apply(a_sparse_report(Status.ACTIVE, ordinal=(5, 0)), an_origin(offset=5))
    orders.apply(a_report(venue_order_id="99", replaces=ORDER_ID), an_origin(offset=6))
    cause = the_order(orders).first_seen_cause
    assert cause is not None
    assert cause.offset == 1


def test_it_waits_across_a_restart_and_leaves_no_record_behind() -> None:
    orders = some_orders(PROFILE)
    take(orders, a_sparse_report(Status.CANCELED, ordinal=(9, 0), client_order_id="mine"))
    ((path, document),) = orders.state()
    assert document is not None
    again = Orders(ACCOUNT, everywhere(PROFILE))
    again.restore("o", document)
    again.finish_load()
    assert again.state_keys() == orders.state_keys() != []
    for one in (orders, again):
        take(one, a_report(client_order_id=None))
        assert the_order(one).derived.lifecycle == "CANCELED"
        assert dict(one.state())[path] is None
        assert one.state_keys() == [ORDER_KEY]
    assert the_order(again).content() == the_order(orders).content()


def test_what_waits_under_an_earlier_id_is_joined_with_the_chain() -> None:
    orders = some_orders(PROFILE)
    take(orders, a_sparse_report(Status.ACTIVE, ordinal=(5, 0), filled_quantity=Decimal("0.5")))
    effects = take(orders, a_report(venue_order_id="99", replaces=ORDER_ID))
    order = the_order(orders)
    assert order.executed == Decimal("0.5")
    assert [one for one in effects if isinstance(one, KeyRetired)]
    assert orders.state_keys() == [ORDER_KEY]


def test_where_ids_do_not_say_the_symbol_it_is_never_given_to_an_order() -> None:
    orders = some_orders()
    take(orders, a_report(), a_sparse_report(Status.CANCELED, ordinal=(9, 0)))
    assert the_order(orders).derived.lifecycle == "ACTIVE"


SHARING = {
    "spot": PROFILE,
    "linear": replace(PROFILE, ids_shared_with=("inverse",)),
    "inverse": replace(PROFILE, ids_shared_with=("linear",)),
}
"""Contracts of two kinds have their ids on one connection, which does not say of which they are."""


@pytest.mark.parametrize("status", [Status.CANCELED, Status.FILLED])
def test_one_that_came_under_a_product_that_shares_its_ids_is_of_the_order_all_the_same(
    status: Status,
) -> None:
    of_order: dict[str, Any] = {
        "product": "inverse",
        "symbol": "PI_XBTUSD",
        "quantity_unit": Unit.CONTRACTS,
    }
    said = (
        a_report(**of_order, ordinal=(3, 0), venue_ns=3),
        an_execution(**of_order, venue_ns=4),
        replace(a_sparse_report(status), product="linear"),
        replace(a_sparse_report(status), product="inverse"),
    )
    pieces = [(event, an_origin(offset=offset)) for offset, event in enumerate(said)]
    contents = []
    for arrived in permutations(pieces):
        for at in range(len(arrived)):
            orders = cut([*arrived], at, Random(at), Orders(ACCOUNT, SHARING))
            (order,) = orders.all()
            assert (order.product, order.quantity_unit) == ("inverse", Unit.CONTRACTS)
            assert orders.state_keys() == [order.key]
            contents.append(order.content())
    assert len(set(contents)) == 1
    (without,) = folded(pieces[:2], Orders(ACCOUNT, SHARING)).all()
    assert without.content() != contents[0]


def test_of_a_product_that_shares_no_ids_it_waits() -> None:
    orders = Orders(ACCOUNT, SHARING)
    take(orders, a_report())
    assert take(orders, replace(a_sparse_report(Status.CANCELED), product="linear")) == []
    assert the_order(orders).derived.lifecycle == "ACTIVE"


def without_symbols(pieces: Iterable[Piece], random: Random) -> list[Piece]:
    """Of each id something says the symbol; most other reports that speak of no chain do not."""
    found: list[Piece] = []
    named: set[str] = set()
    for event, origin in pieces:
        name = event.venue_order_id
        if isinstance(event, OrderReport) and name in named and not event.replaces:
            said = replace(event, symbol=None) if random.random() < 0.8 else event
        else:
            said = event
            named |= {name} - {None}
        found.append((said, origin))
    return found


@pytest.mark.parametrize("seed", range(40))
def test_any_arrival_of_reports_without_symbols_means_what_all_with_symbols_mean(seed: int) -> None:
    random = Random(seed)
    pieces = a_history(seed)
    expected = folded(pieces, some_orders(PROFILE))
    told = without_symbols(pieces, random)
    for _ in range(3):
        arrived = shuffled(repeated(told, random), random)
        found = cut(arrived, random.randrange(len(arrived)), random, some_orders(PROFILE))
        assert content_of(found) == content_of(expected)
