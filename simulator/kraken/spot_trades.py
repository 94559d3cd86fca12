"""Placing, amending, cancelling at Spot: what REST and socket share (docs/venues/kraken.md 8)."""

from simulator.accounts import Account
from simulator.instrument import ZERO
from simulator.kraken.fields import SELF_TRADE_MODES, SPOT_TIMES, SPOT_TYPES, SpotFields
from simulator.kraken.limits import AMEND, CANCEL, EDIT
from simulator.kraken.refusals import spot_refused
from simulator.kraken.spot_documents import described
from simulator.kraken.system import KrakenSystem
from simulator.kraken.words import number_of_txid, txid
from simulator.market import Request
from simulator.matching import Order
from simulator.message import Document

QUERIED_MAX = 50


def place(system: KrakenSystem, account: Account, fields: SpotFields) -> Order | None:
    """A new order; None where it was only to be checked."""
    symbol = system.venue.symbol_of(fields.needed("pair"))
    system.limits.take_order(account.name, symbol)
    if fields.is_late(system.venue.now_ms):
        raise spot_refused("too_late")
    request = _wanted(symbol, fields)
    if fields.flag("validate"):
        return None
    return system.venue.spot.place(account, request)


def _wanted(symbol: str, fields: SpotFields) -> Request:
    order_type = fields.word("ordertype", SPOT_TYPES)
    is_market, is_quote = order_type == "MARKET", fields.has_flag("viqc")
    if fields.has("cl_ord_id") and fields.has("userref"):
        raise spot_refused("bad", name="cl_ord_id")
    if not is_market:
        fields.needed("price")
    fields.needed("volume")
    time_in_force = fields.word("timeinforce", SPOT_TIMES, "GTC")
    return Request(
        symbol=symbol,
        side=fields.side(),
        quantity=ZERO if is_quote else fields.decimal("volume"),
        quote_size=fields.decimal("volume") if is_quote else ZERO,
        price=ZERO if is_market else fields.decimal("price"),
        order_type=order_type,
        time_in_force="GTX" if fields.has_flag("post") else time_in_force,
        client_order_id=fields.text("cl_ord_id"),
        self_trade_mode=fields.word("stptype", SELF_TRADE_MODES, "cancel-newest"),
        tag=fields.text("userref"),
    )


def find(system: KrakenSystem, account: Account, name: str = "", client_id: str = "") -> Order:
    """The order with an id, else the latest with a client order id; refused without one."""
    if name:
        number = number_of_txid(name)
        found = (rows.get(number) for (kind, _), rows in account.orders.items() if kind == "spot")
        order = next(filter(None, found), None)
    else:
        order = account.by_name.get(client_id)
    if order is None or not system.venue.view.has(order, system.venue.now_ms):
        raise spot_refused("no_such_order")
    return order


def named(system: KrakenSystem, account: Account, fields: SpotFields) -> Order:
    """The order that the fields name."""
    name = fields.text("txid") or fields.text("order_id")
    return find(system, account, name, "" if name else fields.needed("cl_ord_id"))


def amend(system: KrakenSystem, account: Account, fields: SpotFields) -> str:
    """New terms for the same order; the amend's id."""
    order = named(system, account, fields)
    cost = system.limits.change_cost(order, AMEND)
    system.limits.take_order(account.name, order.symbol, cost)
    price, quantity = fields.decimal("limit_price"), fields.decimal("order_qty")
    return system.venue.spot.amend(account, order, price, quantity)


def edit(system: KrakenSystem, account: Account, fields: SpotFields) -> Document:
    """The older way: the order is canceled, and a new one placed, without its client id."""
    order = named(system, account, fields)
    market, instrument = system.venue.spot, system.venue.spot.instrument(order.symbol)
    cost = system.limits.change_cost(order, EDIT)
    system.limits.take_order(account.name, order.symbol, cost)
    request = Request(
        symbol=order.symbol,
        side=order.side,
        quantity=fields.decimal("volume") or order.remaining,
        price=fields.decimal("price") or order.price,
        time_in_force=order.time_in_force,
    )
    market.cancel(account, order)
    made = market.place(account, request)
    return {
        "status": "ok",
        "txid": txid("O", made.order_id),
        "originaltxid": txid("O", order.order_id),
        "volume": f"{made.quantity:.8f}",
        "price": f"{made.price:f}",
        "orders_cancelled": 1,
        "descr": {"order": described(made, instrument)["order"]},
    }


def cancel(system: KrakenSystem, account: Account, order: Order) -> Order:
    """End one order."""
    cost = system.limits.change_cost(order, CANCEL, fixed=0)
    if order.is_open:
        system.limits.take_order(account.name, order.symbol, cost)
    return system.venue.spot.cancel(account, order)


def cancel_all(system: KrakenSystem, account: Account) -> int:
    """End every order of the account; how many."""
    orders = system.venue.spot.open_orders(account)
    for order in orders:
        system.venue.spot.cancel(account, order)
    return len(orders)
