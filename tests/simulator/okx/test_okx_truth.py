"""OKX's books agree with themselves after thousands of seeded decisions."""

from collections import defaultdict
from decimal import Decimal

import pytest

from simulator.config import sample_accounts
from simulator.okx.market import Change
from simulator.refusal import Refused
from simulator.truth import truth
from tests.simulator.okx.okx_box import LINEAR, PRICE, Box, an_account, an_order

STEPS = 3000
ZERO = Decimal(0)


@pytest.fixture(scope="module")
def traded() -> Box:
    box = Box(*sample_accounts(4, venue="okx"), seed=5)
    for _ in range(STEPS):
        box.venue.traders.step()
        box.clock.advance(1)
        box.venue.flush()
    return box


def test_positions_are_the_sum_of_their_fills(traded: Box) -> None:
    for account in traded.accounts:
        sums: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        for (product, _), fills in account.fills.items():
            for fill in fills if product != "spot" else ():
                sums[fill.symbol, fill.position_side] += fill.signed_quantity
        for key, position in account.positions.items():
            assert position.amount == sums[key]


def test_what_is_locked_is_what_open_orders_need(traded: Box) -> None:
    for account in traded.accounts:
        locked = sum((row.locked for row in account.balances["spot"].values()), ZERO)
        needed = sum((order.locked for order in account.open_orders["spot"].values()), ZERO)
        assert locked == needed
        assert all(row.free >= 0 for row in account.balances["spot"].values())


def test_the_fees_of_an_order_are_those_of_its_fills(traded: Box) -> None:
    for account in traded.accounts:
        fees: dict[int, Decimal] = defaultdict(lambda: ZERO)
        for fill in account.all_fills:
            fees[fill.order_id] += fill.fee
        for order in account.all_orders:
            assert order.fee == fees[order.order_id]


def test_the_last_push_of_a_position_is_its_present_state(traded: Box) -> None:
    for account in traded.accounts:
        shown = {}
        for message in traded.messages:
            if message.kind == "positions" and message.account == account.name:
                row = message.document["data"][0]
                shown[row["instId"], row["posSide"]] = Decimal(row["pos"])
        sides = {"BOTH": "net", "LONG": "long", "SHORT": "short"}
        for (symbol, side), position in account.positions.items():
            amount = position.amount if side == "BOTH" else abs(position.amount)
            assert shown.get((symbol, sides[side]), ZERO) == amount


def test_ids_of_orders_and_bills_are_unique_over_everything(traded: Box) -> None:
    orders = [row.order_id for account in traded.accounts for row in account.all_orders]
    bills = [row.number for account in traded.accounts for row in account.all_fills]
    assert len(set(orders)) == len(orders)
    assert len(set(bills)) == len(bills)


def test_nameless_are_the_fills_whose_push_says_trade_id_0(traded: Box) -> None:
    pushed: dict[tuple[str, str], set[str]] = defaultdict(set)
    for message in traded.messages:
        if message.kind == "orders" and message.fill is not None:
            (row,) = message.document["data"]
            pushed[message.account, row["ordId"]].add(row["tradeId"])
    books = truth(traded.accounts, 0)["accounts"]
    nameless = {
        (account, row["venue_order_id"]): row["nameless"]
        for account, one in books.items()
        for row in one["fills"]
    }
    assert {key: ids == {"0"} for key, ids in pushed.items()} == nameless
    assert any(nameless.values())


def test_the_document_names_products_units_and_states_of_every_venue(traded: Box) -> None:
    books = truth(traded.accounts, len(traded.messages))["accounts"].values()
    orders = [order for account in books for order in account["orders"]]
    assert {order["product"] for order in orders} == {"spot", "linear", "inverse"}
    assert {order["quantity_unit"] for order in orders} == {"base", "contracts", "quote"}
    assert {order["status"] for order in orders} <= {
        "NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "WAITING_TRIGGER", "REJECTED",
    }  # fmt: skip
    positions = [position for account in books for position in account["positions"]]
    assert {position["product"] for position in positions} == {"linear", "inverse"}
    assert all(account["balances"].keys() == {"spot"} for account in books)


def test_an_amendment_never_lets_an_order_close_more_than_its_leg_holds() -> None:
    box = Box(an_account(is_hedged=True), an_account(1))
    market, account = box.linear, box.one
    market.place(box.accounts[1], an_order("SELL", "4"))
    market.place(account, an_order("BUY", "4", position_side="LONG"))
    closing = market.place(account, an_order("SELL", "3", price=PRICE + 5, position_side="LONG"))
    with pytest.raises(Refused, match="exceeds your available size"):
        market.amend(account, closing, Change(quantity=Decimal(5)))
    assert closing.quantity == 3
    market.amend(account, closing, Change(quantity=Decimal(4)))
    market.place(box.accounts[1], an_order("BUY", "9", price=PRICE + 5))
    assert account.positions[LINEAR, "LONG"].amount == 0
