"""Kraken Futures: positions, balances and instruments as evidence. Pure.

Manual: "Open Positions", "Balances" (Futures WebSocket), "Get Open Positions", "Get Wallets", "Get
Instruments". Contracts `PF_` and `FF_` are held against one wallet of several assets (`flex`), each
inverse market has a wallet of its own asset. The list of positions is whole each time: what it
lacks is flat, which only an answer is read to mean.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from orderloom.event import BalanceReport, Event, InstrumentReport, PositionReport
from orderloom.words import PositionSide
from venues.document import (
    Document,
    choice,
    decimal,
    fields_of,
    flag,
    integer,
    needed_decimal,
    needed_text,
    rows_of,
    text,
    time_ns,
)
from venues.kraken.reading import (
    KrakenReading,
    above_zero,
    asset_of,
    contract_product,
    is_asset,
    moment_ns,
    ordinal,
    unit_of,
)
from venues.kraken.words import INVERSE, LINEAR, POSITION_SIDES
from venues.venue import BadFrame

ONE: Final = Decimal(1)
DECIMALS_MAX: Final = 30
FLEX: Final = "multiCollateralMarginAccount"
MARGIN: Final = "marginAccount"


def position_list(push: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """The open positions, as the stream lists them: `balance` is below zero for a short one."""
    at_ns = time_ns(push, "timestamp")
    rows = [fields_of(one, "positions") for one in rows_of(push.get("positions"), "positions")]
    return _positions(
        ((row, "instrument", needed_decimal(row, "balance"), "entry_price") for row in rows),
        at_ns,
        reading,
    )


def position_rows(answer: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """The open positions of an answer: `side` says which way."""
    at_ns = moment_ns(answer, "serverTime")
    listed = rows_of(answer.get("openPositions"), "openPositions")
    rows = [fields_of(one, "openPositions") for one in listed]
    return _positions(((row, "symbol", _signed(row), "price") for row in rows), at_ns, reading)


def _signed(row: Document) -> Decimal:
    side = choice(row, "side", POSITION_SIDES)
    if side is None:
        raise BadFrame("side: missing")
    size = needed_decimal(row, "size").copy_abs()
    return size.copy_negate() if side is PositionSide.SHORT and size else size


def _positions(
    rows: Iterator[tuple[Document, str, Decimal, str]], at_ns: int | None, reading: KrakenReading
) -> tuple[Event, ...]:
    found: list[Event] = []
    for row, name, quantity, price in rows:
        product = contract_product(row, name, reading)
        if product is not None:
            found.append(
                PositionReport(
                    product=product,
                    symbol=needed_text(row, name),
                    position_side=PositionSide.NET,
                    quantity=quantity,
                    quantity_unit=unit_of(product),
                    entry_price=above_zero(row, price),
                    venue_ns=at_ns,
                )
            )
    return tuple(found) if found else reading.ignore(reading.ignored or "an empty list")


def balance_push(push: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """The wallets, or those that changed."""
    at_ns = time_ns(push, "timestamp")
    flex = fields_of(push.get("flex_futures") or {}, "flex_futures")
    found = list(_currencies(flex, at_ns, reading))
    for name, value in fields_of(push.get("futures") or {}, "futures").items():
        wallet = value if type(value) is dict else {}
        unit = text(wallet, "unit")
        # Of each asset one wallet is that of its inverse contracts: `F-XBT:USD`.
        if unit is None or name != f"F-{unit}:USD":
            reading.unknown.append(f"wallet {name[:80]}")
        else:
            found.append(_balance(INVERSE, unit, needed_decimal(wallet, "balance"), None, at_ns))
    return tuple(found) if found else reading.ignore("no wallet that is traded from")


def wallets(answer: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """The wallets of an answer, each with its type; what lies in cash is not traded from."""
    at_ns = moment_ns(answer, "serverTime")
    found: list[Event] = []
    for name, value in fields_of(answer.get("accounts"), "accounts").items():
        wallet = value if type(value) is dict else {}
        kind = text(wallet, "type")
        if kind == FLEX:
            found += _currencies(wallet, at_ns, reading)
        elif kind == MARGIN:
            found += _margin(name, wallet, at_ns, reading)
        elif kind != "cashAccount":
            reading.unknown.append(f"wallet {name[:80]}")
    return tuple(found) if found else reading.ignore("no wallet that is traded from")


def _margin(
    name: str, wallet: Document, at_ns: int | None, reading: KrakenReading
) -> Iterator[Event]:
    currency = needed_text(wallet, "currency")
    if name != f"fi_{currency}usd":
        reading.unknown.append(f"wallet {name[:80]}")
        return
    held = needed_decimal(fields_of(wallet.get("balances"), "balances"), currency)
    yield _balance(INVERSE, currency.upper(), held, None, at_ns)


def _currencies(wallet: Document, at_ns: int | None, reading: KrakenReading) -> Iterator[Event]:
    for name, value in fields_of(wallet.get("currencies") or {}, "currencies").items():
        if not is_asset(name) or type(value) is not dict or "quantity" not in value:
            reading.unknown.append(f"currency {name[:80]}")
            continue
        free = decimal(value, "available")
        yield _balance(LINEAR, name, needed_decimal(value, "quantity"), free, at_ns)


def _balance(
    product: str, name: str, total: Decimal, free: Decimal | None, at_ns: int | None
) -> BalanceReport:
    return BalanceReport(
        product=product,
        asset=asset_of(name),
        free=free,
        total=total,
        ordinal=ordinal(at_ns),
        venue_ns=at_ns,
    )


def instrument_rows(answer: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """The contracts of the list; indices and others that are not spoken here are left out."""
    found: list[Event] = []
    for one in rows_of(answer.get("instruments"), "instruments"):
        row = fields_of(one, "instruments")
        product = contract_product(row, "symbol", reading)
        if product is not None:
            found.append(_instrument(row, product))
    return tuple(found) if found else reading.ignore(reading.ignored or "an empty list")


def _instrument(row: Document, product: str) -> InstrumentReport:
    base, quote = text(row, "base"), text(row, "quote")
    coin = None if base is None else asset_of(base)
    is_inverse = product == INVERSE
    is_open = flag(row, "tradeable")
    return InstrumentReport(
        product=product,
        symbol=needed_text(row, "symbol"),
        base=coin,
        quote=None if quote is None else asset_of(quote),
        settle=coin if is_inverse else None if quote is None else asset_of(quote),
        tick=above_zero(row, "tickSize"),
        lot=_lot(row),
        contract_size=above_zero(row, "contractSize") or ONE,
        is_inverse=is_inverse,
        quantity_unit=unit_of(product),
        status=None if is_open is None else "tradeable" if is_open else "not tradeable",
    )


def _lot(row: Document) -> Decimal | None:
    """In how fine steps a size goes; below zero of decimals means thousands and more."""
    places = integer(row, "contractValueTradePrecision")
    if places is None or not -DECIMALS_MAX <= places <= DECIMALS_MAX:
        return None
    return ONE.scaleb(-places) if places >= 0 else ONE * 10**-places
