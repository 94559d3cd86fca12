"""Kraken Spot: orders and fills in answers of REST as evidence. Pure.

Manual: "Get Open Orders", "Get Closed Orders", "Query Orders Info", "Get Trades History", "Query
Trades Info". The rules:

- A row stands under its id. Its pair is `XBTUSD` or `XXBTZUSD`, as it is written there: the list of
  instruments says which market that is (decision 0018).
- `price` is the average of what was executed; what was asked for stands in `descr`.
- `closed` means filled; `canceled` and `expired` may have fills.
- Nothing says when a row changed last: one that is open stands at the time of its opening, and its
  terms are those of when it was asked for (decision 1105).
- An answer says what a fill cost and not in which asset (decision 1104).
"""

from decimal import Decimal
from typing import Any, Final

from orderloom.event import Event, Execution, OrderReport
from orderloom.words import Liquidity, OrderType, Reason, Side, Status
from venues.document import (
    Document,
    amount,
    choice,
    fields_of,
    flag,
    lenient_choice,
    names_in,
    needed_amount,
    needed_text,
    note_unknown,
    plain_decimal,
    text,
)
from venues.kraken.reading import KrakenReading, above_zero, ordinal, seconds_ns
from venues.kraken.spot import closure
from venues.kraken.words import (
    CONDITIONAL,
    REST_STATUSES,
    SIDES,
    SPOT,
    SPOT_TIMES,
    SPOT_TRIGGERS,
    SPOT_TYPES,
)
from venues.venue import BadFrame

ORDER_FIELDS: Final = names_in(
    "aclass amended cl_ord_id closetm cost descr expiretm fee limitprice link margin misc oflags "
    "opentm price reason reduce_only refid sender_sub_id starttm status stopprice timeinforce "
    "trades trigger userref vol vol_exec"
)
TRADE_FIELDS: Final = names_in(
    "aclass ccost cfee cmargin cost cprice cvol fee ledgers leverage maker margin misc net "
    "ordertxid ordertype pair posstatus postxid price time trade_id trades type vol"
)
IN_QUOTE: Final = "viqc"
MAKER_ONLY: Final = "post"
LIQUIDATED: Final = "liquidated"
LIQUIDITIES: Final = {True: Liquidity.MAKER, False: Liquidity.TAKER}
HAS_TRIGGERED: Final = frozenset({"stopped", "touched"})
TYPES_AT_TRIGGER: Final = frozenset({OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET})


def order_row(name: str, row: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """The order `name`: a row of open, closed or queried ones."""
    note_unknown(row, ORDER_FIELDS, reading.unknown)
    needed_text(row, "status")
    asked = fields_of(row.get("descr"), "descr")
    status = lenient_choice(row, "status", REST_STATUSES, reading.unknown)
    filled = needed_amount(row, "vol_exec")
    opened_ns, closed_ns = seconds_ns(row, "opentm"), seconds_ns(row, "closetm")
    at_ns = closed_ns or opened_ns
    is_forced = LIQUIDATED in _words(row, "misc")
    return (
        OrderReport(
            product=SPOT,
            symbol=needed_text(asked, "pair"),
            venue_order_id=name,
            client_order_id=text(row, "cl_ord_id"),
            **_terms(row, asked, reading),
            status=_status(row, asked, status, filled),
            **({"reason": Reason.LIQUIDATION} if is_forced else closure(row, status, reading)),
            filled_quantity=filled,
            filled_quote=amount(row, "cost"),
            average_price=above_zero(row, "price"),
            is_as_asked=closed_ns is None,
            ordinal=ordinal(at_ns),
            venue_ns=at_ns,
        ),
    )


def _words(row: Document, name: str) -> frozenset[str]:
    """The words of a list that stands in one text."""
    return frozenset((text(row, name) or "").split(","))


def _status(
    row: Document, asked: Document, status: Status | None, filled: Decimal
) -> Status | None:
    """There is no word for an order that was executed in part, and none for one that waits."""
    if status is not Status.ACTIVE:
        return status
    if filled:
        return Status.PARTIALLY_FILLED
    is_conditional = SPOT_TYPES.get(text(asked, "ordertype") or "") in CONDITIONAL
    has_triggered = not HAS_TRIGGERED.isdisjoint(_words(row, "misc"))
    return Status.WAITING_TRIGGER if is_conditional and not has_triggered else status


def _terms(row: Document, asked: Document, reading: KrakenReading) -> dict[str, Any]:
    kind = lenient_choice(asked, "ordertype", SPOT_TYPES, reading.unknown)
    flags, size = _words(row, "oflags"), above_zero(row, "vol")
    first, second = (_price(asked, name, reading) for name in ("price", "price2"))
    is_conditional = kind in CONDITIONAL
    # Of what waits, the first price is that of the trigger.
    price = (None if kind in TYPES_AT_TRIGGER else second) if is_conditional else first
    is_maker_only = kind is OrderType.LIMIT and MAKER_ONLY in flags
    return {
        "side": choice(asked, "type", SIDES),
        "order_type": OrderType.LIMIT_MAKER if is_maker_only else kind,
        "time_in_force": lenient_choice(row, "timeinforce", SPOT_TIMES, reading.unknown),
        "price": None if kind is OrderType.MARKET else price,
        "quantity": None if IN_QUOTE in flags else size,
        "quote_quantity": size if IN_QUOTE in flags else None,
        "trigger_price": first if is_conditional else None,
        "trigger_type": lenient_choice(row, "trigger", SPOT_TRIGGERS, reading.unknown),
        "reduce_only": flag(row, "reduce_only"),
    }


def _price(asked: Document, name: str, reading: KrakenReading) -> Decimal | None:
    """A price; None for 0, and for a distance such as `+5%`, which is counted."""
    said = text(asked, name)
    if said is None:
        return None
    try:
        price = plain_decimal(said)
    except ValueError:
        price = None
    if price is None or price < 0 or said.startswith("+"):
        reading.unknown.append(f"{name}: a distance")
        return None
    return price or None


def trade_row(name: str, row: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """The fill `name`: a row of the history, or a queried one."""
    note_unknown(row, TRADE_FIELDS, reading.unknown)
    side = choice(row, "type", SIDES)
    if side is None:
        raise BadFrame("type: missing")
    if amount(row, "fee"):
        reading.unknown.append("fee: its asset is not said")
    return (_execution(name, row, side),)


def _execution(name: str, row: Document, side: Side) -> Execution:
    is_maker = flag(row, "maker")
    return Execution(
        product=SPOT,
        symbol=needed_text(row, "pair"),
        exec_id=name,
        venue_order_id=needed_text(row, "ordertxid"),
        side=side,
        last_price=needed_amount(row, "price"),
        last_quantity=needed_amount(row, "vol"),
        liquidity=None if is_maker is None else LIQUIDITIES[is_maker],
        reason=Reason.LIQUIDATION if LIQUIDATED in _words(row, "misc") else None,
        venue_ns=seconds_ns(row, "time"),
    )
