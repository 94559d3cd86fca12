"""Binance USD-M futures: algo orders, positions, balances and instruments as evidence. Pure.

An algo (conditional) order waits outside the matching engine under `algoId`; when it triggers, an
order of its own id (`ai`, `actualOrderId`) takes its place. So the report names the engine's order
as soon as there is one, and the algo id as its alias: whether both bear one client id is
unconfirmed, and they are never joined by it (docs/venues/binance.md 13). That order speaks for
itself then: what the algo still says of its terms yields (it may be cut to the position, or
amended), and FINISHED says that it ended, not how, unless all of its quantity is done.
"""

from decimal import Decimal
from typing import Final

from orderloom.event import (
    BalanceReport,
    Event,
    InstrumentReport,
    OrderReport,
    PositionReport,
    Reply,
)
from orderloom.words import PositionSide, Reason, Status
from venues.binance.conditions import (
    ALGO_REPORT,
    ALGO_ROW,
    linear_conditions,
)
from venues.binance.reading import (
    LINEAR,
    NOT_SPOKEN,
    amount_above_zero,
    balance_ordinal,
    closure,
    given_id,
    linear_symbol,
    ordinal,
    time_ns,
)
from venues.binance.spot_account import filter_value, filters_of
from venues.binance.words import (
    ALGO_STATUSES,
    MARGIN_MODES,
    ORDER_TYPES,
    POSITION_SIDES,
    SIDES,
    TIMES_IN_FORCE,
)
from venues.document import (
    Document,
    amount,
    choice,
    decimal,
    fields_of,
    flag,
    lenient_choice,
    names_in,
    needed_decimal,
    needed_identifier,
    needed_text,
    note_unknown,
    rows_of,
    text,
)
from venues.venue import BadFrame, UnknownFrame

ONE: Final = Decimal(1)
# Our name for a fact: the stream's field, the REST row's field.
ALGO_STREAM: Final = {
    "id": "aid", "client": "caid", "engine": "ai", "status": "X", "side": "S", "type": "o",
    "force": "f", "symbol": "s", "price": "p", "quantity": "q", "filled": "aq", "average": "ap",
    "position": "ps", "time": "T",
}  # fmt: skip
ALGO_REST: Final = {
    "id": "algoId", "client": "clientAlgoId", "engine": "actualOrderId", "status": "algoStatus",
    "side": "side", "type": "orderType", "force": "timeInForce", "symbol": "symbol",
    "price": "price", "quantity": "quantity", "filled": "actualQty", "average": "actualPrice",
    "position": "positionSide", "time": "updateTime",
}  # fmt: skip


def algo_update(event: Document, unknown: list[str]) -> tuple[Event, ...]:
    """`ALGO_UPDATE`: a conditional order before, at and after its trigger."""
    order = fields_of(event.get("o"), "o")
    # The order has no time of its own here: the envelope's is what REST calls updateTime.
    return (algo_order({"T": event.get("T"), **order}, ALGO_STREAM, unknown),)


def algo_row(row: Document, unknown: list[str]) -> tuple[Event, ...]:
    """An algo order of a query or a reply, or the bare `o` of the stream; a cancel's ack."""
    if "aid" in row:
        return (algo_order(row, ALGO_STREAM, unknown),)
    if "algoStatus" in row:
        return (algo_order(row, ALGO_REST, unknown),)
    return (
        Reply(
            product=LINEAR,
            accepted=True,
            venue_order_id=needed_identifier(row, "algoId"),
            client_order_id=text(row, "clientAlgoId"),
            text=text(row, "msg"),
        ),
    )


def algo_order(row: Document, names: dict[str, str], unknown: list[str]) -> OrderReport:
    """One algo order; `names` says what its fields are called where it came from."""
    algo_id = needed_identifier(row, names["id"])
    engine_id = given_id(row, names["engine"], 1)
    order_type = lenient_choice(row, names["type"], ORDER_TYPES, unknown)
    time_in_force = lenient_choice(row, names["force"], TIMES_IN_FORCE, unknown)
    quantity = amount(row, names["quantity"]) or None
    filled = amount(row, names["filled"])
    is_finished = needed_text(row, names["status"]) == "FINISHED"
    status = lenient_choice(row, names["status"], ALGO_STATUSES, unknown)
    if is_finished and engine_id is None and quantity and filled and filled >= quantity:
        status = Status.FILLED  # of an order that it became that order's quantity decides
    elif engine_id and status in (Status.CANCELED, Status.EXPIRED):
        status = None  # of the order that it became this says nothing
    venue_ns = time_ns(row, names["time"])
    return OrderReport(
        product=LINEAR,
        symbol=linear_symbol(row, names["symbol"]),
        # One order under two ids and no chain of two: its terms go on unchanged (decision 0304).
        venue_order_id=engine_id or algo_id,
        client_order_id=text(row, names["client"]),
        status=status,
        **closure(status, None, order_type, time_in_force),
        side=choice(row, names["side"], SIDES),
        order_type=order_type,
        time_in_force=time_in_force,
        price=amount(row, names["price"]) or None,
        quantity=quantity,
        # Of an order that it became its row knows what was executed only once that has ended.
        filled_quantity=filled if is_finished or engine_id is None else None,
        average_price=amount(row, names["average"]) or None,
        position_side=choice(row, names["position"], POSITION_SIDES),
        **linear_conditions(row, ALGO_REPORT if names is ALGO_STREAM else ALGO_ROW, unknown),
        is_ended=is_finished,
        alias_ids=(algo_id,) if engine_id else (),
        # The engine's order may have been amended or cut
        # since: these terms yield to its own (decision 0307).
        ordinal=None if engine_id else ordinal(venue_ns, None),
        venue_ns=venue_ns,
    )


def trigger_reject(event: Document, _unknown: list[str]) -> tuple[Event, ...]:
    """`CONDITIONAL_ORDER_TRIGGER_REJECT`: the engine refused a triggered order (older wire)."""
    order = fields_of(event.get("or"), "or")
    venue_ns = time_ns(event, "T")
    return (
        OrderReport(
            product=LINEAR,
            symbol=linear_symbol(order, "s"),
            venue_order_id=needed_identifier(order, "i"),
            status=Status.REJECTED,
            reason=Reason.LIFECYCLE_REJECT,
            ordinal=ordinal(venue_ns, None),
            venue_ns=venue_ns,
        ),
    )


def account_update(event: Document, unknown: list[str]) -> tuple[Event, ...]:
    """`ACCOUNT_UPDATE`: the wallet balances and positions that changed."""
    note_unknown(event, names_in("e E T a fs st i"), unknown)
    change = fields_of(event.get("a"), "a")
    note_unknown(change, frozenset("mBPS"), unknown)
    venue_ns, sent_ns = time_ns(event, "T"), time_ns(event, "E") or 0
    balances = rows_of(change.get("B") or [], "B")
    positions = rows_of(change.get("P") or [], "P")
    return (
        *(balance_entry(fields_of(row, "B"), unknown, venue_ns, sent_ns) for row in balances),
        *(position_entry(fields_of(row, "P"), unknown, venue_ns) for row in positions),
    )


def balance_entry(
    row: Document, unknown: list[str], venue_ns: int | None = None, sent_ns: int = 0
) -> BalanceReport:
    """One entry of `ACCOUNT_UPDATE.a.B`; `wb` is the whole wallet balance."""
    note_unknown(row, frozenset({"a", "wb", "cw", "bc"}), unknown)
    return BalanceReport(
        product=LINEAR,
        asset=needed_text(row, "a"),
        total=needed_decimal(row, "wb"),
        ordinal=balance_ordinal(venue_ns, sent_ns),
        venue_ns=venue_ns,
    )


def position_entry(
    row: Document, unknown: list[str], venue_ns: int | None = None
) -> PositionReport:
    """One entry of `ACCOUNT_UPDATE.a.P`; `pa` is signed, entry price 0 means flat."""
    note_unknown(row, names_in("s pa ep bep cr up mt iw ps ma"), unknown)
    return PositionReport(
        product=LINEAR,
        symbol=linear_symbol(row, "s"),
        position_side=_leg(row, "ps"),
        quantity=needed_decimal(row, "pa"),
        entry_price=amount_above_zero(row, "ep"),
        margin_mode=lenient_choice(row, "mt", MARGIN_MODES, unknown),
        venue_ns=venue_ns,
    )


def _leg(row: Document, name: str) -> PositionSide:
    side = choice(row, name, POSITION_SIDES)
    if side is None:
        raise BadFrame(f"{name}: missing")
    return side


def position_row(row: Document, unknown: list[str]) -> tuple[Event, ...]:
    """One row of `GET positionRisk`, or a position of `GET account`."""
    is_isolated = flag(row, "isolated")
    mode = lenient_choice(row, "marginType", MARGIN_MODES, unknown)
    if mode is None and is_isolated is not None:
        mode = "isolated" if is_isolated else "cross"
    return (
        PositionReport(
            product=LINEAR,
            symbol=linear_symbol(row, "symbol"),
            position_side=_leg(row, "positionSide"),
            quantity=needed_decimal(row, "positionAmt"),
            entry_price=amount_above_zero(row, "entryPrice"),
            margin_mode=mode,
            venue_ns=time_ns(row, "updateTime"),
        ),
    )


def account(answer: Document, unknown: list[str]) -> tuple[Event, ...]:
    """`GET account`: assets and positions."""
    assets = rows_of(answer.get("assets"), "assets")
    positions = rows_of(answer.get("positions") or [], "positions")
    return (
        *(event for row in assets for event in balance_row(fields_of(row, "assets"), unknown)),
        *(event for row in positions for event in position_row(fields_of(row, "p"), unknown)),
    )


def balance_row(row: Document, _unknown: list[str]) -> tuple[Event, ...]:
    """One row of `GET balance`, or an asset of `GET account`."""
    if "withdrawAvailable" in row:  # USD-M says maxWithdrawAmount
        raise UnknownFrame(NOT_SPOKEN)
    total = needed_decimal(row, "balance" if "balance" in row else "walletBalance")
    venue_ns = time_ns(row, "updateTime")
    return (
        BalanceReport(
            product=LINEAR,
            asset=needed_text(row, "asset"),
            free=decimal(row, "availableBalance"),
            total=total,
            ordinal=balance_ordinal(venue_ns, None),
            venue_ns=venue_ns,
        ),
    )


def instrument_row(row: Document, _unknown: list[str]) -> tuple[Event, ...]:
    """One symbol of `GET exchangeInfo`; quantities of linear contracts are in base units."""
    filters = filters_of(row)
    return (
        InstrumentReport(
            product=LINEAR,
            symbol=linear_symbol(row, "symbol"),
            base=text(row, "baseAsset"),
            quote=text(row, "quoteAsset"),
            settle=text(row, "marginAsset"),
            tick=filter_value(filters, "PRICE_FILTER", "tickSize"),
            lot=filter_value(filters, "LOT_SIZE", "stepSize"),
            quantity_min=filter_value(filters, "LOT_SIZE", "minQty"),
            notional_min=filter_value(filters, "MIN_NOTIONAL", "notional"),
            contract_size=ONE,
            status=text(row, "status"),
        ),
    )
