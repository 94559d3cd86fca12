"""OKX: positions, balances and instruments as evidence. Pure.

Manual: "Positions channel", "Account channel", "Balance and position channel", "GET Instruments".
One account holds the coins for all products, so balances are of `spot`, where coins themselves are
traded.
"""

from decimal import Decimal
from typing import Final

from orderloom.event import BalanceReport, Event, InstrumentReport, PositionReport
from orderloom.quantities import EXACT
from orderloom.words import PositionSide
from venues.document import (
    Document,
    blank_decimal,
    choice,
    fields_of,
    lenient_choice,
    needed_text,
    rows_of,
    text,
    time_ns,
)
from venues.okx.reading import INVERSE, SPOT, amount_above_zero, product_of, quote_of, unit_of
from venues.okx.words import (
    MARGIN_MODES,
    POSITION_SIDES,
)
from venues.reading import Reading
from venues.venue import BadFrame

ONE: Final = Decimal(1)


def position_row(row: Document, reading: Reading) -> tuple[Event, ...]:
    """A position; `pos` is signed for the net leg and above zero for a long and a short one."""
    product = product_of(row, reading)
    if product is None:
        return ()
    if product == SPOT:
        return reading.ignore("a loan against coins: the executions tell what is held")
    side, quantity = choice(row, "posSide", POSITION_SIDES), blank_decimal(row, "pos")
    if side is None or quantity is None:
        raise BadFrame("posSide, pos: a position needs both")
    return (
        PositionReport(
            product=product,
            symbol=needed_text(row, "instId"),
            position_side=side,
            quantity=_signed(quantity, side),
            quantity_unit=unit_of(product),
            entry_price=amount_above_zero(row, "avgPx"),
            margin_mode=lenient_choice(row, "mgnMode", MARGIN_MODES, reading.unknown),
            venue_ns=time_ns(row, "uTime"),
        ),
    )


def account(row: Document, reading: Reading) -> tuple[Event, ...]:
    """The account, pushed or asked for: `details` has a row for each currency that changed."""
    rows = rows_of(row.get("details"), "details")
    return tuple(event for one in rows for event in balance_row(fields_of(one, "details"), reading))


def balance_row(row: Document, _reading: Reading) -> tuple[Event, ...]:
    """One currency; `cashBal` is what is held, without unrealized profit."""
    return (
        BalanceReport(
            # Whoever asked: by the question's product there would
            # be copies that no push refreshes (decision 0802).
            product=SPOT,
            asset=needed_text(row, "ccy"),
            free=blank_decimal(row, "availBal"),
            locked=blank_decimal(row, "frozenBal"),
            total=blank_decimal(row, "cashBal"),
            venue_ns=time_ns(row, "uTime"),
        ),
    )


def balance_and_position(row: Document, reading: Reading) -> tuple[Event, ...]:
    """Cash and positions that one event changed; only the changed half is filled."""
    balances = rows_of(row.get("balData") or [], "balData")
    positions = rows_of(row.get("posData") or [], "posData")
    return (
        *(e for one in balances for e in balance_row(fields_of(one, "balData"), reading)),
        *(e for one in positions for e in position_row(fields_of(one, "posData"), reading)),
    )


def instrument_row(row: Document, reading: Reading) -> tuple[Event, ...]:
    """One instrument; a contract is `ctVal` x `ctMult` of its coin (of quote, if inverse)."""
    product = product_of(row, reading)
    if product is None:
        return ()
    symbol = needed_text(row, "instId")
    # Rows of contracts leave both blank; `USD_UM` in a symbol is USD.
    base = text(row, "baseCcy") or symbol.partition("-")[0]
    quote = text(row, "quoteCcy") or quote_of(symbol).partition("_")[0]
    # An inverse contract settles in its coin, a linear one in what it is quoted in.
    by_rule = base if product == INVERSE else quote
    return (
        InstrumentReport(
            product=product,
            symbol=symbol,
            base=base,
            quote=quote,
            settle=None if product == SPOT else text(row, "settleCcy") or by_rule,
            tick=amount_above_zero(row, "tickSz"),
            lot=amount_above_zero(row, "lotSz"),
            quantity_min=amount_above_zero(row, "minSz"),
            contract_size=ONE if product == SPOT else _contract_size(row),
            is_inverse=product == INVERSE,
            quantity_unit=unit_of(product),
            status=text(row, "state"),
        ),
    )


def _signed(quantity: Decimal, side: PositionSide) -> Decimal:
    """Below zero for a short leg, which the venue may list with either sign; to the last digit."""
    is_short = side is PositionSide.SHORT and quantity
    return quantity.copy_abs().copy_negate() if is_short else quantity


def _contract_size(row: Document) -> Decimal:
    value, factor = amount_above_zero(row, "ctVal"), amount_above_zero(row, "ctMult")
    if value is None:
        raise BadFrame("ctVal: missing")
    return EXACT.multiply(value, factor or ONE)
