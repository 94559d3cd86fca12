"""What the readers share: products, times, amounts, trade ids, fees. Pure.

Every value is a text, "" stands for "does not apply". Times are milliseconds. An instrument says
itself what it is: `BTC-USDT` coins, `BTC-USDT-SWAP` and `BTC-USD_UM-SWAP` linear contracts,
`BTC-USD-SWAP` an inverse one.

`OrderReport.ordinal` is (time in ns, 0): of equal times the fold itself takes the greater
cumulative quantity and the terminal claim, which is the venue's own rule ("Order channel"). The
time is uTime in answers. On the stream a message may come again with a later uTime, so there it is
a time that the copy shares (`push_time_ns`), or the change has a name (`change_id`).
"""

import re
from decimal import Decimal
from hashlib import blake2b
from typing import Final

from orderloom.quantities import ZERO, Unit
from orderloom.words import PositionSide, Product, Side
from venues.document import (
    Document,
    amount,
    blank_decimal,
    choice,
    needed_text,
    text,
    time_ns,
)
from venues.okx.words import MARGIN_MODES, POSITION_SIDES
from venues.reading import Reading
from venues.venue import BadFrame

SPOT: Final = Product.SPOT.value
LINEAR: Final = Product.LINEAR.value
INVERSE: Final = Product.INVERSE.value
SPOT_KINDS: Final = frozenset({"SPOT", "MARGIN"})
CONTRACT_KIND: Final = "SWAP"
CONTRACT_SUFFIX: Final = "-SWAP"
TERMS: Final = (
    "reqId", "amendResult", "amendSource", "px", "sz", "ordPx", "slOrdPx", "tpOrdPx", "triggerPx",
    "slTriggerPx", "tpTriggerPx", "activePx",
)  # fmt: skip
"""What a change of terms says of itself."""
PASSING: Final = ("state", "accFillSz", "lastPx", "notionalUsd", "last")
"""What a message about a change says besides: by it copies of one that has no name are known."""
CHANGE_MARKS: Final = ("amendResult", "amendSource", "reqId")
INVERSE_QUOTE: Final = "USD"
_TRADE_ID: Final = re.compile(r"-?[0-9]{1,19}")


def product_of(row: Document, reading: Reading) -> str | None:
    """Whose row it is; None, with the rule, for kinds that are not spoken here.

    Raises:
        BadFrame: no instrument, or one that is not known.
    """
    kind, symbol = text(row, "instType"), needed_text(row, "instId")
    # Rows of the channel `fills` do not say their kind.
    if kind is None:
        kind = CONTRACT_KIND if symbol.endswith(CONTRACT_SUFFIX) else _plain_kind(symbol)
    if kind in SPOT_KINDS:
        return SPOT
    if kind == CONTRACT_KIND:
        return INVERSE if quote_of(symbol) == INVERSE_QUOTE else LINEAR
    # Left out, and no dead letter: an option must not cost the rows beside it.
    reading.unknown.append(f"instType={kind}")
    reading.ignore(f"an instrument of kind {kind}: not spoken here")
    return None


def _plain_kind(symbol: str) -> str:
    return "SPOT" if symbol.count("-") == 1 else "of its own"


def quote_of(symbol: str) -> str:
    """The second part of an instrument's name."""
    parts = symbol.split("-")
    if len(parts) < 2 or not parts[1]:
        raise BadFrame(f"instId: no instrument: {symbol!r:.80}")
    return parts[1]


def unit_of(product: str) -> Unit:
    """What quantities of a product count."""
    return Unit.BASE if product == SPOT else Unit.CONTRACTS


def is_sized_in_quote(row: Document, side: Side | None, *, is_market: bool) -> bool:
    """Whether `sz` of an order for coins counts quote currency.

    At market alone: by `tgtCcy`, by default where it buys ("Place order", "Place algo order").
    """
    unit = text(row, "tgtCcy")
    return is_market and (side is Side.BUY if unit is None else unit == "quote_ccy")


def margin_mode_of(row: Document, product: str) -> str | None:
    """How a contract is margined; coins are held, whatever paid for them: their position is one."""
    mode = text(row, "tdMode")
    return None if product == SPOT or mode is None else MARGIN_MODES.get(mode)


def position_side_of(row: Document, product: str) -> PositionSide | None:
    """The leg of a contract; of coins the stream says nothing and a fill's row `net`: no leg."""
    return None if product == SPOT else choice(row, "posSide", POSITION_SIDES)


def push_time_ns(row: Document) -> int | None:
    """When a push on the orders channel happened, by what a later copy of it says too.

    A fill happened at its match, a new order when it was made. A change of terms is known by its
    name, and after an end there is nothing to come later than.
    """
    if trade_id(row) is not None and (filled_ns := time_ns(row, "fillTime")) is not None:
        return filled_ns
    is_new = row.get("state") == "live" and not any(text(row, name) for name in CHANGE_MARKS)
    if is_new and not amount(row, "accFillSz"):
        return time_ns(row, "cTime") or time_ns(row, "uTime")
    return time_ns(row, "uTime") or time_ns(row, "cTime")


def change_id(row: Document) -> str | None:
    """The name of the change of terms that a push reports; None if it reports none.

    It is the request's (`reqId`), as the manual has it, with the terms: who uses an id twice for
    two changes made two. Changes from elsewhere (the venue's web page, its system) have no request:
    what makes them copies of one another is that all else is the same.
    """
    if not any(text(row, name) for name in CHANGE_MARKS):
        return None
    names = TERMS if text(row, "reqId") is not None else (*TERMS, *PASSING)
    said = "/".join(f"{row.get(name)!r:.80}" for name in names)
    return blake2b(said.encode(), digest_size=8).hexdigest()


def ordinal(venue_ns: int | None) -> tuple[int, int] | None:
    """Where a report stands among those of its order; None without a time."""
    return None if venue_ns is None else (venue_ns, 0)


def flag(document: Document, name: str) -> bool | None:
    """A yes or no, as text or as itself; None where it is neither."""
    value = document.get(name)
    return {"true": True, "false": False}.get(value) if type(value) is str else _yes_or_no(value)


def _yes_or_no(value: object) -> bool | None:
    return value if type(value) is bool else None


def amount_above_zero(document: Document, name: str) -> Decimal | None:
    """A price or quantity where the venue writes 0, -1 or nothing for none."""
    value = blank_decimal(document, name)
    return value if value is not None and value > ZERO else None


def trade_id(document: Document) -> str | None:
    """The trade's id as it stands, which may be "0" or negative; None where there is none."""
    value = document.get("tradeId")
    if value is None or value == "":
        return None
    if type(value) is not str or not _TRADE_ID.fullmatch(value):
        raise BadFrame(f"tradeId: not an id: {value!r:.80}")
    return value


def fee_of(document: Document, name: str, asset: str) -> tuple[Decimal | None, str | None]:
    """What an execution cost (the venue writes a cost below zero) and in which asset.

    Raises:
        BadFrame: an amount without its asset: it would be lost from the books.
    """
    fee, currency = blank_decimal(document, name), text(document, asset)
    if fee is None or (not fee and currency is None):
        return None, None
    if currency is None:
        raise BadFrame(f"{asset}: missing beside a fee of {fee}")
    return fee.copy_negate() if fee else ZERO, currency  # -fee would round to 28 digits
