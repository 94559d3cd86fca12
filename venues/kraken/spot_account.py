"""Kraken Spot: balances and instruments as evidence. Pure.

Manual: "Balances" (WebSocket v2), "Get Extended Balance", "Get Tradable Asset Pairs". The stream
says what is held, ledger entry by ledger entry, and not what is free; answers say both and no time.
What is earned on elsewhere is no part of what can be traded: the wallet `spot/main` alone counts.
"""

from decimal import Decimal
from typing import Final

from orderloom.event import BalanceReport, Event, InstrumentReport
from orderloom.quantities import EXACT, ZERO
from venues.document import (
    Document,
    blank_decimal,
    fields_of,
    integer,
    needed_decimal,
    needed_text,
    rows_of,
    text,
)
from venues.kraken.reading import KrakenReading, above_zero, asset_of, moment_ns, ordinal
from venues.kraken.words import SPOT
from venues.venue import BadFrame

ONE: Final = Decimal(1)
TRADED: Final = ("spot", "main")
DECIMALS_MAX: Final = 30


def balance_entry(row: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """One asset of a snapshot, which has `wallets`, or one entry of the ledger."""
    asset = asset_of(needed_text(row, "asset"))
    if "wallets" in row:
        total = _held(rows_of(row["wallets"], "wallets"))
    elif (text(row, "wallet_type"), text(row, "wallet_id")) != TRADED:
        reading.unknown.append(f"wallet_type={text(row, 'wallet_type')}")
        return reading.ignore("a wallet that is not traded from")
    else:
        total = needed_decimal(row, "balance")
    at_ns = moment_ns(row, "timestamp")
    return (
        BalanceReport(
            product=SPOT, asset=asset, total=total, ordinal=ordinal(at_ns), venue_ns=at_ns
        ),
    )


def _held(wallets: list[object]) -> Decimal:
    total = ZERO
    for one in wallets:
        wallet = fields_of(one, "wallets")
        if (text(wallet, "type"), text(wallet, "id")) == TRADED:
            total = EXACT.add(total, needed_decimal(wallet, "balance"))
    return total


def balance_row(name: str, row: Document, _reading: KrakenReading) -> tuple[Event, ...]:
    """One asset of an answer: `balance + credit - credit_used - hold_trade` is free."""
    total, held = needed_decimal(row, "balance"), blank_decimal(row, "hold_trade") or ZERO
    credit, used = (blank_decimal(row, one) or ZERO for one in ("credit", "credit_used"))
    free = EXACT.subtract(EXACT.add(total, credit), EXACT.add(used, held))
    report = BalanceReport(product=SPOT, asset=asset_of(name), free=free, locked=held, total=total)
    return (report,)


def pair_row(name: str, row: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """One pair; the stream's name is the instrument's, all others are aliases."""
    said = needed_text(row, "wsname")
    base, line, quote = said.partition("/")
    if not (base and line and quote):
        raise BadFrame(f"wsname: no pair: {said!r:.80}")
    base, quote = asset_of(base), asset_of(quote)
    symbol = f"{base}/{quote}"
    aliases = {name, said, text(row, "altname") or name} - {symbol}
    return (
        InstrumentReport(
            product=SPOT,
            symbol=symbol,
            aliases=tuple(sorted(aliases)),
            base=base,
            quote=quote,
            tick=above_zero(row, "tick_size") or _step(row, "pair_decimals"),
            lot=_step(row, "lot_decimals"),
            quantity_min=above_zero(row, "ordermin"),
            notional_min=above_zero(row, "costmin"),
            contract_size=ONE,
            status=text(row, "status"),
        ),
    )


def _step(row: Document, name: str) -> Decimal | None:
    places = integer(row, name)
    if places is None:
        return None
    if not 0 <= places <= DECIMALS_MAX:
        raise BadFrame(f"{name}: no number of decimals: {places}")
    return ONE.scaleb(-places)
