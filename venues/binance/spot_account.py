"""Binance Spot: balances and instruments as evidence. Pure.

There are no positions on Spot. `outboundAccountPosition` holds absolute amounts of only the assets
that may have changed; `balanceUpdate` is a change that no order made.
"""

from decimal import Decimal
from typing import Any

from orderloom.event import BalanceReport, Event, InstrumentReport
from venues.binance.reading import SPOT, balance_ordinal, time_ns
from venues.document import (
    Document,
    amount,
    fields_of,
    needed_decimal,
    needed_text,
    note_unknown,
    rows_of,
    text,
)


def account_position(event: Document, unknown: list[str]) -> tuple[Event, ...]:
    """`outboundAccountPosition`: absolute balances of the assets that may have changed."""
    note_unknown(event, frozenset("eEuB"), unknown)
    # Two events may share a `u`: `E` says which is later (docs/venues/binance.md 3.1).
    at = time_ns(event, "u"), time_ns(event, "E") or 0
    rows = rows_of(event.get("B"), "B")
    return tuple(balance_entry(fields_of(row, "B"), unknown, *at) for row in rows)


def balance_entry(
    row: Document, unknown: list[str], venue_ns: int | None = None, sent_ns: int = 0
) -> BalanceReport:
    """One entry of `outboundAccountPosition.B`."""
    return _balance(row, ("a", "f", "l"), unknown, (venue_ns, sent_ns))


def balance_update(event: Document, unknown: list[str]) -> tuple[Event, ...]:
    """`balanceUpdate`: a deposit, withdrawal or transfer."""
    note_unknown(event, frozenset("eEadT"), unknown)
    return (
        BalanceReport(
            product=SPOT,
            asset=needed_text(event, "a"),
            # A change and no amount: taken for what is held, it would empty the balance.
            delta=needed_decimal(event, "d"),
            venue_ns=time_ns(event, "T"),
        ),
    )


def account(answer: Document, unknown: list[str]) -> tuple[Event, ...]:
    """`GET account`: every balance."""
    venue_ns = time_ns(answer, "updateTime")
    rows = rows_of(answer.get("balances"), "balances")
    return tuple(balance_row(fields_of(row, "balances"), unknown, venue_ns) for row in rows)


def balance_row(row: Document, unknown: list[str], venue_ns: int | None = None) -> BalanceReport:
    """One row of `GET account`'s balances."""
    return _balance(row, ("asset", "free", "locked"), unknown, (venue_ns, None))


def _balance(
    row: Document,
    names: tuple[str, str, str],
    unknown: list[str],
    at: tuple[int | None, int | None],
) -> BalanceReport:
    """What there is of an asset; `names` are those of asset, free and locked there.

    `at` is since when it is so, and when it was said, in ns of the venue's time.
    """
    note_unknown(row, frozenset(names), unknown)
    asset, free, locked = names
    return BalanceReport(
        product=SPOT,
        asset=needed_text(row, asset),
        free=needed_decimal(row, free),
        locked=needed_decimal(row, locked),
        ordinal=balance_ordinal(*at),
        venue_ns=at[0],
    )


def instrument_row(row: Document, _unknown: list[str]) -> tuple[Event, ...]:
    """One symbol of `GET exchangeInfo`."""
    filters = filters_of(row)
    return (
        InstrumentReport(
            product=SPOT,
            symbol=needed_text(row, "symbol"),
            base=text(row, "baseAsset"),
            quote=text(row, "quoteAsset"),
            tick=filter_value(filters, "PRICE_FILTER", "tickSize"),
            lot=filter_value(filters, "LOT_SIZE", "stepSize"),
            quantity_min=filter_value(filters, "LOT_SIZE", "minQty"),
            notional_min=filter_value(filters, "NOTIONAL", "minNotional")
            or filter_value(filters, "MIN_NOTIONAL", "minNotional"),
            status=text(row, "status"),
        ),
    )


def filters_of(row: Document) -> dict[Any, dict[str, Any]]:
    """The trading rules of a symbol by their name."""
    rules = [fields_of(rule, "filters") for rule in rows_of(row.get("filters") or [], "filters")]
    return {needed_text(rule, "filterType"): rule for rule in rules}


def filter_value(filters: dict[Any, dict[str, Any]], name: str, key: str) -> Decimal | None:
    """One number of a symbol's trading rules; None where there is no such rule."""
    return amount(filters[name], key) if name in filters else None
