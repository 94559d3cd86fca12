"""What happens to an account at a bad moment, done when the schedule of faults says so.

Each act takes a seat and says whether it could be done there; one that could not waits for a
better seat. The books count an act like any other trade: only what is told of it is unusual.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.instrument import opposite
from simulator.matching import Order
from simulator.refusal import Refused

if TYPE_CHECKING:
    from simulator.traders import Seat, Traders

Act = Callable[["Traders", "Seat"], bool]
LOTS_OF_LATE_FILL = 2


def liquidation(traders: "Traders", seat: "Seat") -> bool:
    """The venue closes a position by force."""
    return _forced(traders, seat, "LIQUIDATION")


def deleveraging(traders: "Traders", seat: "Seat") -> bool:
    """The venue closes a winner's position to pay for a loser's."""
    return _forced(traders, seat, "ADL")


def expiry(traders: "Traders", seat: "Seat") -> bool:
    """The venue ends an open order by itself."""
    for order in seat.open_orders():
        seat.market.expire(seat.account, order, "VENUE")
        return True
    return False


def self_trade(traders: "Traders", seat: "Seat") -> bool:
    """An order meets one of the same account."""
    for own in seat.open_orders():
        ticks = int(own.price / seat.instrument.tick)
        request = traders.request(seat, opposite(own.side), ticks)
        mode = traders.random.choice(traders.self_trade_modes[:3])
        ends_before = _prevented(seat)
        seat.market.place(seat.account, replace(request, self_trade_mode=mode))
        return _prevented(seat) > ends_before
    return False


def amend_by_others(traders: "Traders", seat: "Seat") -> bool:
    """Somebody else with the account's keys changes an open order."""
    for order in seat.open_orders():
        lots = int(order.remaining / seat.instrument.lot)
        if lots > 1:
            quantity = order.quantity - (lots // 2) * seat.instrument.lot
            traders.amend(seat, order, quantity)
            return True
    return False


def client_id_reuse(traders: "Traders", seat: "Seat") -> bool:
    """A new order has the client order id of one that has ended.

    Where ids are unique for ever, the attempt is all: the venue must refuse it.
    """
    ended = [order for order in _ended(seat) if order.client_order_id]
    if not ended:
        return False
    old = traders.random.choice(ended)
    side = traders.side()
    ticks = traders.ticks[seat.instrument] + (-8 if side == "BUY" else 8)
    request = traders.request(seat, side, ticks)
    try:
        seat.market.place(seat.account, replace(request, client_order_id=old.client_order_id))
    except Refused:
        if traders.reuses_names:
            raise
    return True


def contradictory_terminal(traders: "Traders", seat: "Seat") -> bool:
    """The stream tells another end of an order that has ended."""
    ended = _ended(seat)
    if not ended:
        return False
    order = traders.random.choice(ended)
    seat.market.report_contradiction(seat.account, order)
    order.is_contradicted = True
    return True


def late_fill(traders: "Traders", seat: "Seat") -> bool:
    """An execution is told only after the order's cancel."""
    for order in seat.open_orders():
        lots = int(order.remaining / seat.instrument.lot)
        if lots >= LOTS_OF_LATE_FILL:
            quantity = traders.random.randint(1, lots - 1) * seat.instrument.lot
            seat.market.fill_late(seat.account, order, quantity)
            return True
    return False


ACTS: dict[str, Act] = {
    "liquidation": liquidation,
    "adl": deleveraging,
    "expiry": expiry,
    "self_trade": self_trade,
    "amend_by_others": amend_by_others,
    "client_id_reuse": client_id_reuse,
    "contradictory_terminal": contradictory_terminal,
    "late_fill": late_fill,
}


def _forced(traders: "Traders", seat: "Seat", kind: str) -> bool:
    return seat.market.product != "spot" and traders.force(seat, kind)


def _ended(seat: "Seat") -> list[Order]:
    orders = seat.account.orders[seat.market.product, seat.symbol].values()
    return [order for order in orders if not order.is_open]


def _prevented(seat: "Seat") -> int:
    orders = seat.account.orders[seat.market.product, seat.symbol].values()
    return sum(order.reason == "STP" for order in orders)
