"""What the readers of both products share: times, amounts, status with its reason. Pure.

`OrderReport.ordinal` is (the order's transaction time in ns, sub-ordinal). The time is `T` on the
stream and `updateTime` or `transactTime` in REST: the matching engine's own stamp of the same
change, so rows of both compare; event time `E` alone would not, as REST rows have none. The
sub-ordinal is the execution id `I` on Spot, which grows per report, and `E` (ns) of an amendment on
USD-M, where nothing else changes an order's terms and two may share a `T`; 0 where there is none.
"""

import re
from decimal import Decimal
from typing import Any, Final

from orderloom.quantities import ZERO
from orderloom.words import Liquidity, Product, Reason, Status
from venues.binance.words import CONDITIONAL_TYPES, EXPIRY_BY_TERMS, SYSTEM_PREFIXES
from venues.document import (
    INTEGER_MAX,
    MILLISECONDS_MAX,
    Document,
    amount,
    decimal,
    identifier,
    needed_text,
    text,
)
from venues.venue import BadFrame, UnknownFrame

SPOT: Final = Product.SPOT.value
LINEAR: Final = Product.LINEAR.value
MICROSECONDS_MAX: Final = MILLISECONDS_MAX * 1000
NOT_SPOKEN: Final = "COIN-M contracts are not spoken here"
# Quoted in USD itself, which nothing of USD-M is: BTCUSD_PERP, BTCUSD_261225.
_COIN_SYMBOL: Final = re.compile(r".+USD_(?:PERP|[0-9]{6})|.+_PERP")
# What COIN-M writes in the place of USD-M's amounts in quote currency; newer USD-M has both.
_IN_COIN: Final = (("cumBase", "cumQuote"), ("baseQty", "quoteQty"))


def linear_symbol(document: Document, name: str) -> str:
    """The symbol of a USD-M contract.

    Raises:
        UnknownFrame: the row is of COIN-M, whose quantities are contracts.
    """
    symbol = needed_text(document, name)
    if is_coin_margined(symbol, document):
        raise UnknownFrame(NOT_SPOKEN)
    return symbol


def is_coin_margined(symbol: str, document: Document) -> bool:
    """Whether a row of contracts is one of COIN-M: by its symbol, its margin or its amounts.

    Both products write the same messages, and one portfolio-margin stream brings both. The margin
    is the coin itself on COIN-M (`ma`, `marginAsset`), on USD-M what the symbol is quoted in.
    """
    if _COIN_SYMBOL.fullmatch(symbol):
        return True
    margin = document.get("ma") or document.get("marginAsset")
    if type(margin) is str and symbol.startswith(margin) and not symbol.endswith(margin):
        return True
    return any(coin in document and quote not in document for coin, quote in _IN_COIN)


def given_id(document: Document, name: str, least: int) -> str | None:
    """An id as text; None where there is none, or the venue says so by one below `least`.

    Raises:
        BadFrame: something else than a whole number, written as a number or as text.
    """
    # Spot writes -1 where there is none, USD-M 0: below `least` either way.
    if document.get(name) in (-1, "-1"):
        return None
    number = identifier(document, name)
    return None if number is None or int(number) < least else str(int(number))


def time_ns(document: Document, name: str) -> int | None:
    """The time of field `name` in ns; None where it is absent, 0 or -1.

    Milliseconds, or microseconds where `timeUnit` asked for them (Spot): told apart by size.
    """
    value = document.get(name)
    if value is None:
        return None
    if type(value) is not int or not -1 <= value <= MICROSECONDS_MAX:
        raise BadFrame(f"{name}: not a time: {value!r:.80}")
    if value <= 0:
        return None
    return value * (1_000_000 if value <= MILLISECONDS_MAX else 1_000)


def ordinal(venue_ns: int | None, sub_ordinal: int | str | None) -> tuple[int, int] | None:
    """Where a report stands among those of its order; None without a time."""
    return None if venue_ns is None else (venue_ns, int(sub_ordinal or 0))


def balance_ordinal(venue_ns: int | None, sent_ns: int | None) -> tuple[int, int] | None:
    """Where what is said of an asset stands: an event by when it was sent, an answer after all.

    Two events may share a millisecond, and an answer shows what both of them left.
    """
    return ordinal(venue_ns, INTEGER_MAX if sent_ns is None else sent_ns)


def amount_above_zero(document: Document, name: str) -> Decimal | None:
    """A price or quantity where the venue writes 0 for none."""
    return amount(document, name) or None


def known_quote(document: Document, name: str) -> Decimal | None:
    """A cumulative quote amount; a negative one is the venue's word for unknown (old orders)."""
    value = decimal(document, name)
    return None if value is None or value < ZERO else value


def fee_of(document: Document, name: str, asset: str) -> tuple[Decimal | None, str | None]:
    """What an execution cost and in which asset; (None, None) where the message does not say.

    Raises:
        BadFrame: an amount without its asset: it would be lost from the books.
    """
    fee, currency = decimal(document, name), text(document, asset)
    # Without a trade `N` is null beside an amount of 0 (docs/venues/binance.md, trap 18).
    if fee and currency is None:
        raise BadFrame(f"{asset}: missing beside a fee of {fee}")
    return fee, None if fee is None else currency


def liquidity_of(is_maker: bool | None) -> Liquidity | None:
    """Which side of the match the order was."""
    if is_maker is None:
        return None
    return Liquidity.MAKER if is_maker else Liquidity.TAKER


def waiting_or(status: Status | None, order_type: str | None, is_waiting: bool) -> Status | None:
    """A conditional order that is NEW and not on the book waits for its trigger."""
    if status is Status.ACTIVE and is_waiting and order_type in CONDITIONAL_TYPES:
        return Status.WAITING_TRIGGER
    return status


def by_quantity(quantity: Decimal | None, filled: Decimal | None) -> Status:
    """The status of an order whose word does not say how much of it is filled."""
    if filled and quantity is not None and filled >= quantity:
        return Status.FILLED
    return Status.PARTIALLY_FILLED if filled else Status.ACTIVE


def asked_quantity(
    status: Status | None, quantity: Decimal | None, filled: Decimal | None
) -> Decimal | None:
    """The quantity that was to be executed; None where an amendment to less ended the order.

    An amendment to at most what is executed cancels (USD-M; on Spot the order expires). What such
    an end bears as quantity was never open, and reaching it is no FILLED.
    """
    if status not in (Status.CANCELED, Status.EXPIRED) or not quantity or not filled:
        return quantity
    return None if filled >= quantity else quantity


def closure(
    status: Status | None, said: Reason | None, order_type: str | None, time_in_force: str | None
) -> dict[str, Any]:
    """Why an order closed: the venue's own reason if it gives one, else what its terms say.

    A row of REST rarely gives one, so what is inferred there yields to the stream's word.
    """
    if status is Status.CANCELED:
        inferred = Reason.USER_CANCEL
    elif status is Status.REJECTED:
        inferred = Reason.LIFECYCLE_REJECT
    elif status is Status.EXPIRED:
        # The time in force says more than the type: an IOC expires by it whatever it is.
        by_type = EXPIRY_BY_TERMS.get(order_type or "", Reason.EXPIRY)
        inferred = EXPIRY_BY_TERMS.get(time_in_force or "", by_type)
    else:
        return {}
    return {"reason": said or inferred, "is_reason_inferred": said is None}


def system_reason(client_order_id: str | None) -> Reason | None:
    """Why the venue itself placed this order; None for anybody else's."""
    if client_order_id is None or "autoclose" not in client_order_id:
        return None
    for prefix, reason in SYSTEM_PREFIXES:
        if client_order_id.startswith(prefix):
            return reason
    return None
