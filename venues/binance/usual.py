"""The most frequent frames of Binance, straight into evidence. Pure.

A report of a plain order, live, filled or canceled, that has no other fields than these is decoded
into a typed struct and read once. Anything else, down to an unknown field or word, a negative
number or an empty text where one is needed, is `None` here and goes the general way (`translate`).
Both give the same evidence for every frame that this way takes; a test holds them together.
"""

from decimal import Decimal
from typing import Final, Literal

import msgspec

from orderloom.event import Event, Execution, OrderReport
from orderloom.quantities import ZERO
from orderloom.words import Liquidity, Reason, Status
from venues.binance.reading import (
    LINEAR,
    MICROSECONDS_MAX,
    MILLISECONDS_MAX,
    SPOT,
    asked_quantity,
    system_reason,
)
from venues.binance.words import (
    CONDITIONAL_TYPES,
    ORDER_TYPES,
    POSITION_SIDES,
    SIDES,
    TIMES_IN_FORCE,
    WORKING_TYPES,
)
from venues.document import INTEGER_MAX, TEXT_LENGTH_MAX, plain_decimal

FRAME_BYTES_MAX: Final = 4096
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


class SpotReport(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """`executionReport` of Spot, as the manual has it for a plain order."""

    e: Literal["executionReport"]
    E: int
    s: str
    c: str
    S: str
    o: str
    f: str
    q: str
    p: str
    P: str
    F: str
    g: int
    C: str
    x: str
    X: str
    r: Literal["NONE"]
    i: int
    l: str  # noqa: E741 - the venue's name
    z: str
    L: str
    n: str
    N: str | None
    T: int
    t: int
    I: int  # noqa: E741 - the venue's name
    w: bool
    m: bool
    M: bool
    O: int  # noqa: E741 - the venue's name
    Z: str
    Y: str
    Q: str
    W: int = 0
    V: str = ""


class SpotEnvelope(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """What a subscription of the WebSocket API puts around an event of Spot."""

    event: SpotReport
    subscriptionId: int = 0  # noqa: N815 - the venue's name


class LinearReport(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Field `o` of `ORDER_TRADE_UPDATE`, as the manual has it for a plain order."""

    s: str
    c: str
    S: str
    o: str
    f: str
    q: str
    p: str
    ap: str
    sp: str
    x: str
    X: str
    i: int
    l: str  # noqa: E741 - the venue's name
    z: str
    T: int
    t: int
    m: bool
    R: bool
    wt: str
    ot: str
    ps: str
    cp: bool
    L: str | None = None
    n: str | None = None
    N: str | None = None
    b: str = "0"
    a: str = "0"
    rp: str = "0"
    pP: bool = False  # noqa: N815 - the venue's name
    si: int = 0
    ss: int = 0
    V: str = ""
    pm: str = ""
    gtd: int = 0
    er: str = ""


class LinearUpdate(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """`ORDER_TRADE_UPDATE` of USD-M."""

    e: Literal["ORDER_TRADE_UPDATE"]
    E: int
    T: int
    o: LinearReport


SPOT_REPORT: Final = msgspec.json.Decoder(SpotReport)
SPOT_ENVELOPE: Final = msgspec.json.Decoder(SpotEnvelope)
LINEAR_UPDATE: Final = msgspec.json.Decoder(LinearUpdate)


def usual(body: bytes, product: str | None) -> tuple[Event, ...] | None:
    """The evidence in a frame of the most frequent kinds; None: read it the general way."""
    if len(body) > FRAME_BYTES_MAX or product not in (SPOT, LINEAR):
        return None
    try:
        if body.startswith(b'{"e":"executionReport"'):
            return _of_spot(SPOT_REPORT.decode(body))
        if body.startswith(b'{"subscriptionId":') and b'"executionReport"' in body:
            return _of_spot(SPOT_ENVELOPE.decode(body).event)
        if body.startswith(b'{"e":"ORDER_TRADE_UPDATE"'):
            return _of_linear(LINEAR_UPDATE.decode(body))
    except (msgspec.DecodeError, ValueError, KeyError):
        return None
    return None


def _of_spot(report: SpotReport) -> tuple[Event, ...]:
    """Raises ValueError or KeyError where anything is not usual."""
    name, other_name = report.c, report.C
    _demand(
        report.o in PLAIN_TYPES
        and report.x in NEWS
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
        order_type=report.o,
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
        order_type=report.o,
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
