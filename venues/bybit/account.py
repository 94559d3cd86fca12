"""Bybit: positions, balances and instruments as evidence. Pure.

Manual: "Position", "Wallet" (private stream), "Get Position Info", "Get Wallet Balance", "Get
Instruments Info". One account holds the coins for all products, so balances are of `spot`, where
coins themselves are traded.
"""

from decimal import Decimal
from typing import Final

from orderloom.event import BalanceReport, Event, InstrumentReport, PositionReport
from orderloom.quantities import ZERO
from orderloom.words import PositionSide, Side
from venues.bybit.orders import position_side_of
from venues.bybit.reading import Message, above_zero, ordinal, product_of, unit_of
from venues.bybit.words import INVERSE, SIDES, SPOT
from venues.document import (
    Document,
    blank_decimal,
    choice,
    fields_of,
    needed_amount,
    needed_text,
    rows_of,
    text,
    time_ns,
)
from venues.venue import BadFrame

ONE: Final = Decimal(1)
UNIFIED: Final = "UNIFIED"


def position_row(row: Document, reading: Message) -> tuple[Event, ...]:
    """A position; `size` is never below zero, and a flat one has no side."""
    product = product_of(row, reading)
    if product is None:
        return ()
    leg = position_side_of(row)
    if leg is None:
        raise BadFrame("positionIdx: missing")
    return (
        PositionReport(
            product=product,
            symbol=needed_text(row, "symbol"),
            position_side=leg,
            quantity=_signed(needed_amount(row, "size"), leg, choice(row, "side", SIDES)),
            quantity_unit=unit_of(product),
            # So in the stream, and so in answers.
            entry_price=above_zero(row, "entryPrice") or above_zero(row, "avgPrice"),
            venue_ns=time_ns(row, "updatedTime"),
        ),
    )


def _signed(size: Decimal, leg: PositionSide, side: Side | None) -> Decimal:
    """Below zero for what is short, by its leg, or in one-way mode by its side."""
    if leg is PositionSide.NET and size and side is None:
        raise BadFrame("side: missing beside a size")
    is_short = leg is PositionSide.SHORT or (leg is PositionSide.NET and side is Side.SELL)
    return size.copy_negate() if is_short and size != ZERO else size


def wallet(row: Document, reading: Message) -> tuple[Event, ...]:
    """The account, pushed or asked for: `coin` has a row for each coin, pushed those that changed.

    What is free nobody says: the venue no longer fills the field.
    """
    kind = needed_text(row, "accountType")
    if kind != UNIFIED:
        reading.unknown.append(f"accountType={kind}")
        return reading.ignore(f"an account of type {kind}: not spoken here")
    rows = rows_of(row.get("coin"), "coin")
    return tuple(event for one in rows for event in balance_row(fields_of(one, "coin"), reading))


def balance_row(row: Document, reading: Message) -> tuple[Event, ...]:
    """One coin; `walletBalance` is what is held, borrowed coins included."""
    report = BalanceReport(
        # Whoever asked: by the question's product there would be
        # copies that no push refreshes (decision 1004).
        product=SPOT,
        asset=needed_text(row, "coin"),
        locked=blank_decimal(row, "locked"),
        total=blank_decimal(row, "walletBalance"),
        ordinal=ordinal(reading.sent_ns),
        venue_ns=reading.sent_ns,
    )
    return (report,)


def instrument_row(row: Document, reading: Message) -> tuple[Event, ...]:
    """One instrument; an inverse contract is worth a dollar, quantities of others are in coins."""
    product = product_of(row, reading)
    if product is None:
        return ()
    sizes = fields_of(row.get("lotSizeFilter"), "lotSizeFilter")
    prices = fields_of(row.get("priceFilter"), "priceFilter")
    return (
        InstrumentReport(
            product=product,
            symbol=needed_text(row, "symbol"),
            base=text(row, "baseCoin"),
            quote=text(row, "quoteCoin"),
            settle=text(row, "settleCoin"),
            tick=above_zero(prices, "tickSize"),
            lot=above_zero(sizes, "qtyStep") or above_zero(sizes, "basePrecision"),
            quantity_min=above_zero(sizes, "minOrderQty"),
            notional_min=above_zero(sizes, "minNotionalValue") or above_zero(sizes, "minOrderAmt"),
            contract_size=ONE,
            is_inverse=product == INVERSE,
            quantity_unit=unit_of(product),
            status=text(row, "status"),
        ),
    )
