"""The plainest valid objects, changed by keyword."""

from decimal import Decimal
from typing import Any

from orderloom.event import Cause, Execution, OrderReport, Origin
from orderloom.words import FillKind, Liquidity, Product, Side, Source, Status
from processors.orders.effects import Effect
from processors.orders.order import Order
from processors.orders.orders import Orders
from venues.venue import Profile, Profiles

ACCOUNT = "binance:main"
SYMBOL = "SOLUSDT"
PLACE: dict[str, Any] = {"product": "spot", "symbol": SYMBOL}
ORDER_ID = "7700123"
ORDER_KEY = f"{ACCOUNT}/spot/{SYMBOL}/{ORDER_ID}"


def decimal(value: Any) -> Decimal | None:
    """`value` as a Decimal; None stays None."""
    return None if value is None else Decimal(str(value))


def an_origin(
    source: Source = Source.STREAM, *, asked_ns: int | None = None, offset: int = 0
) -> Origin:
    """An origin on the stream, at offset 0 of `raw`."""
    return Origin(ACCOUNT, source, Cause("raw.binance", 0, offset), asked_ns=asked_ns)


def a_report(status: Status | None = Status.ACTIVE, **fields: Any) -> OrderReport:
    """A report about the one order: 4 SOL at 150, bought; numbers may be given as text."""
    names = ("price", "quantity", "quote_quantity", "filled_quantity", "filled_quote")
    for name in (*names, "average_price"):
        if name in fields:
            fields[name] = decimal(fields[name])
    plain: dict[str, Any] = {
        **PLACE,
        "venue_order_id": ORDER_ID,
        "client_order_id": "osp-000017",
        "side": Side.BUY,
        "price": Decimal(150),
        "quantity": Decimal(4),
    }
    return OrderReport(status=status, **plain | fields)


def an_execution(
    exec_id: str | None = "88120045", quantity: Any = "1.5", **fields: Any
) -> Execution:
    """An execution of the one order: bought as maker at 150, fee in SOL."""
    for name in ("last_price", "fee"):
        if name in fields:
            fields[name] = decimal(fields[name])
    plain: dict[str, Any] = {
        **PLACE,
        "venue_order_id": ORDER_ID,
        "side": Side.BUY,
        "last_price": Decimal(150),
        "fee": Decimal("0.0015"),
        "fee_currency": "SOL",
        "liquidity": Liquidity.MAKER,
    }
    return Execution(exec_id=exec_id, last_quantity=decimal(quantity), **plain | fields)


def a_bust(exec_id: str = "88120045", **fields: Any) -> Execution:
    """The venue takes one execution back."""
    return Execution(
        **{**PLACE, "venue_order_id": ORDER_ID, "exec_id": exec_id, "kind": FillKind.BUST, **fields}
    )


def everywhere(profile: Profile) -> Profiles:
    """The same promises for every product."""
    return dict.fromkeys(Product, profile)


def some_orders(profile: Profile | None = None) -> Orders:
    """No orders yet, of one account."""
    return Orders(ACCOUNT, everywhere(profile or Profile()))


def take(orders: Orders, *events: Any, source: Source = Source.STREAM) -> list[Effect]:
    """Fold these events in this order; what they did."""
    return [effect for event in events for effect in orders.apply(event, an_origin(source))]


def the_order(orders: Orders) -> Order:
    """The one order of `a_report` and `an_execution`."""
    order = orders.get(ORDER_KEY)
    assert order is not None
    return order


def after(*events: Any, profile: Profile | None = None) -> Order:
    """The one order after these events."""
    orders = some_orders(profile)
    take(orders, *events)
    return the_order(orders)
