"""The most frequent frames of Binance, straight into evidence. Pure.

A report of a plain order, live, filled or canceled, an early fill or a change of balances that has
no other fields than those in `typed` is decoded into a struct and read once. Anything else, down to
an unknown field or word, a negative number or an empty text where one is needed, is `None` here and
goes the general way (`translate`). Both give the same evidence for every frame that this way takes;
a test holds them together.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from orderloom.event import BalanceReport, Event, Execution, OrderReport
from orderloom.quantities import ZERO
from orderloom.words import Liquidity, Reason, Status
from venues.binance.reading import (
    LINEAR,
    MICROSECONDS_MAX,
    SPOT,
    asked_quantity,
    system_reason,
)
from venues.binance.typed import (
    BalancesEnvelope,
    LinearFill,
    LinearUpdate,
    SpotBalances,
    SpotEnvelope,
    SpotReport,
)
from venues.binance.words import (
    CONDITIONAL_TYPES,
    ORDER_TYPES,
    POSITION_SIDES,
    SIDES,
    TIMES_IN_FORCE,
    WORKING_TYPES,
)
from venues.document import INTEGER_MAX, MILLISECONDS_MAX, TEXT_LENGTH_MAX, plain_decimal

USUAL_BYTES_MAX: Final = 4096
# The name of the event is read before anything is parsed; written otherwise, it is not usual.
BEGINS: Final = b'{"e":"'
ENVELOPE_BEGINS: Final = b'{"subscriptionId":'
NAME_BEGINS: Final = b'"e":"'
STATUSES: Final = {
    "NEW": Status.ACTIVE,
    "PARTIALLY_FILLED": Status.PARTIALLY_FILLED,
    "FILLED": Status.FILLED,
    "CANCELED": Status.CANCELED,
}
PLAIN_TYPES: Final = frozenset(ORDER_TYPES) - CONDITIONAL_TYPES
NEWS: Final = frozenset({"NEW", "TRADE", "CANCELED"})
"""What such a report is about."""
LIQUIDITY: Final = {True: Liquidity.MAKER, False: Liquidity.TAKER}


def usual(body: bytes, product: str | None) -> tuple[Event, ...] | None:
    """The evidence in a frame of the most frequent kinds; None: read it the general way."""
    if len(body) > USUAL_BYTES_MAX or product not in (SPOT, LINEAR):
        return None
    readers, at = BARE, len(BEGINS)
    if body.startswith(ENVELOPE_BEGINS):
        readers, at = ENVELOPED, body.find(NAME_BEGINS) + len(NAME_BEGINS)
    elif not body.startswith(BEGINS):
        return None
    read = readers.get(body[at : body.find(b'"', at)])
    if read is None:
        return None
    try:
        return read(body)
    # No verdict: whether such a frame is good, the general way alone says (decision 0310).
    except (msgspec.DecodeError, ValueError, KeyError):
        return None


def _of_spot(report: SpotReport) -> tuple[Event, ...]:
    """Raises ValueError or KeyError where anything is not usual."""
    name, other_name = report.c, report.C
    _demand(
        report.o in PLAIN_TYPES
        and report.x in NEWS
        # A stop price: it waits for something, or did.
        and not plain_decimal(report.P)
        and _is_text(report.s)
        and _is_text(name)
        and (not other_name or _is_text(other_name))
        and 0 <= report.i <= INTEGER_MAX
        and 0 <= report.I <= INTEGER_MAX
        and -1 <= report.t <= INTEGER_MAX
    )
    filled, status, side = _amount(report.z), STATUSES[report.X], SIDES[report.S]
    order_id, venue_ns = str(report.i), _time_ns(report.T)
    is_canceled = status is Status.CANCELED
    order = OrderReport(
        product=SPOT,
        symbol=report.s,
        venue_order_id=order_id,
        client_order_id=other_name or name,
        status=status,
        reason=Reason.USER_CANCEL if is_canceled else None,
        is_reason_inferred=is_canceled,
        side=side,
        order_type=ORDER_TYPES[report.o],
        time_in_force=TIMES_IN_FORCE[report.f],
        price=_amount(report.p) or None,
        quantity=asked_quantity(status, _amount(report.q) or None, filled),
        quote_quantity=_amount(report.Q) or None,
        filled_quantity=filled,
        filled_quote=_amount(report.Z),
        ordinal=(venue_ns, report.I),
        venue_ns=venue_ns,
    )
    last, number = _amount(report.l), report.t
    # An allocation has no trade id either, but a field that is not in the struct.
    if not last or number == -1:
        return (order,)
    if report.N is None or not _is_text(report.N):
        raise ValueError("not a usual execution")
    return order, Execution(
        product=SPOT,
        symbol=report.s,
        exec_id=str(number),
        venue_order_id=order_id,
        client_order_id=order.client_order_id,
        side=side,
        last_price=_amount(report.L),
        last_quantity=last,
        fee=plain_decimal(report.n),
        fee_currency=report.N,
        liquidity=LIQUIDITY[report.m],
        venue_ns=venue_ns,
    )


def _of_linear(update: LinearUpdate) -> tuple[Event, ...]:
    """Raises ValueError or KeyError where anything is not usual."""
    report = update.o
    name = report.c
    _demand(
        -1 <= update.E <= MICROSECONDS_MAX
        and report.o in PLAIN_TYPES
        and report.x in NEWS
        and report.wt in WORKING_TYPES
        and not plain_decimal(report.sp)
        and "_" not in report.s  # nor a contract of COIN-M
        and _is_text(report.s)
        and _is_text(name)
        # Whether the venue placed it itself: then the order has a reason.
        and system_reason(name) is None
        and 0 <= report.i <= INTEGER_MAX
        and -1 <= report.t <= INTEGER_MAX
    )
    filled, status, side = _amount(report.z), STATUSES[report.X], SIDES[report.S]
    order_id, venue_ns = str(report.i), _time_ns(report.T)
    position_side, is_canceled = POSITION_SIDES[report.ps], status is Status.CANCELED
    order = OrderReport(
        product=LINEAR,
        symbol=report.s,
        venue_order_id=order_id,
        client_order_id=name,
        status=status,
        reason=Reason.USER_CANCEL if is_canceled else None,
        is_reason_inferred=is_canceled,
        side=side,
        order_type=ORDER_TYPES[report.o],
        time_in_force=TIMES_IN_FORCE[report.f],
        price=_amount(report.p) or None,
        quantity=asked_quantity(status, _amount(report.q) or None, filled),
        filled_quantity=filled,
        average_price=_amount(report.ap) or None,
        position_side=position_side,
        reduce_only=report.R,
        close_position=report.cp,
        ordinal=(venue_ns, 0),
        venue_ns=venue_ns,
    )
    last, number = _amount(report.l), report.t
    if not last or number in (0, -1):
        return (order,)
    last_price, fee, currency = report.L, report.n, report.N
    if last_price is None or fee is None or currency is None or not _is_text(currency):
        raise ValueError("not a usual execution")
    return order, Execution(
        product=LINEAR,
        symbol=report.s,
        exec_id=str(number),
        venue_order_id=order_id,
        client_order_id=name,
        side=side,
        last_price=_amount(last_price),
        last_quantity=last,
        fee=plain_decimal(fee),
        fee_currency=currency,
        liquidity=LIQUIDITY[report.m],
        position_side=position_side,
        venue_ns=venue_ns,
    )


def _of_balances(event: SpotBalances) -> tuple[Event, ...]:
    """Raises ValueError where anything is not usual."""
    venue_ns, sent_ns = _time_ns(event.u), _time_ns(event.E)
    _demand(all(_is_text(balance.a) for balance in event.B))
    return tuple(
        BalanceReport(
            product=SPOT,
            asset=balance.a,
            free=plain_decimal(balance.f),
            locked=plain_decimal(balance.l),
            ordinal=(venue_ns, sent_ns),
            venue_ns=venue_ns,
        )
        for balance in event.B
    )


def _of_fill(fill: LinearFill) -> tuple[Event, ...]:
    """Raises ValueError or KeyError where anything is not usual."""
    _demand(
        "_" not in fill.s
        and _is_text(fill.s)
        and _is_text(fill.c)
        and system_reason(fill.c) is None
        and 0 <= fill.i <= INTEGER_MAX
        and 0 < fill.t <= INTEGER_MAX
    )
    return (
        Execution(
            product=LINEAR,
            symbol=fill.s,
            exec_id=str(fill.t),
            venue_order_id=str(fill.i),
            client_order_id=fill.c,
            side=SIDES[fill.S],
            last_price=_amount(fill.L),
            last_quantity=_amount(fill.l),
            liquidity=LIQUIDITY[fill.m],
            venue_ns=_time_ns(fill.T),
        ),
    )


def _demand(is_usual: bool) -> None:
    if not is_usual:
        raise ValueError("not a usual frame")


def _amount(text: str) -> Decimal:
    """A quantity or price, which cannot be negative."""
    value = plain_decimal(text)
    if value < ZERO:
        raise ValueError(f"negative: {text}")
    return value


def _is_text(value: str) -> bool:
    return 0 < len(value) <= TEXT_LENGTH_MAX and value.isprintable()


def _time_ns(value: int) -> int:
    """A time in ms or µs, as ns.

    Raises:
        ValueError: no time, or out of range.
    """
    if not 0 < value <= MICROSECONDS_MAX:
        raise ValueError(f"not a time: {value}")
    return value * (1_000_000 if value <= MILLISECONDS_MAX else 1_000)


Read = Callable[[bytes], tuple[Event, ...]]
_report = msgspec.json.Decoder(SpotReport).decode
_report_in_envelope = msgspec.json.Decoder(SpotEnvelope).decode
_balances = msgspec.json.Decoder(SpotBalances).decode
_balances_in_envelope = msgspec.json.Decoder(BalancesEnvelope).decode
_update = msgspec.json.Decoder(LinearUpdate).decode
_fill = msgspec.json.Decoder(LinearFill).decode
BARE: Final[dict[bytes, Read]] = {
    b"executionReport": lambda body: _of_spot(_report(body)),
    b"outboundAccountPosition": lambda body: _of_balances(_balances(body)),
    b"ORDER_TRADE_UPDATE": lambda body: _of_linear(_update(body)),
    b"TRADE_LITE": lambda body: _of_fill(_fill(body)),
}
ENVELOPED: Final[dict[bytes, Read]] = {
    b"executionReport": lambda body: _of_spot(_report_in_envelope(body).event),
    b"outboundAccountPosition": lambda body: _of_balances(_balances_in_envelope(body).event),
}
