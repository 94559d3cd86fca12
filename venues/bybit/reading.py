"""What the readers share: products, units, ordinals, the coin of a fee. Pure.

Nearly every number is a text, and "" stands for none. The same symbol names a pair of coins and a
contract, so a product is never read from a symbol: `category` has it, in each item of a push and
once in an answer of REST.

`OrderReport.ordinal` is (updatedTime in ns, 0): there is no sequence number per order. Of equal
times the fold takes the greater cumulative quantity, then the terminal claim: the venue's own rule.
"""

import re
from decimal import Decimal
from typing import Final

from orderloom.quantities import Unit
from orderloom.words import Side
from venues.bybit.words import CATEGORIES, INVERSE, LINEAR, SPOT
from venues.document import Document, amount, text
from venues.reading import Reading
from venues.venue import BadFrame

SWAP: Final = "swap"
"""The hint of who does not know which kind of contract it is: `normalize` takes it."""
# BTCUSD, and dated BTCUSDH27.
_INVERSE: Final = re.compile(r"[A-Z0-9]+USD(?:[FGHJKMNQUVXZ][0-9]{2})?")
USDT: Final = "USDT"
USDC: Final = "USDC"
PERPETUAL_OF_USDC: Final = "PERP"
DATED: Final = "-"
INVERSE_QUOTE: Final = "USD"
# Longest first: what ends in USDT does not end in T.
QUOTES: Final = ("USDT", "USDC", "USDE", "USD1", "USDQ", "USDR", "XUSD", "EUR", "BRL", "BRZ", "PLN",
    "TRY", "DAI", "MNT", "BTC", "ETH", "SOL")  # fmt: skip


class Message(Reading):
    """One message of Bybit being read; `sent_ns`: when it says that it was sent, in ns."""

    __slots__ = ("sent_ns",)

    def __init__(self, product: str | None) -> None:
        super().__init__(product)
        self.sent_ns: int | None = None


def product_of(row: Document, reading: Message) -> str | None:
    """Whose row it is; None, with the rule, for products that are not spoken here.

    Raises:
        BadFrame: nothing says which product.
    """
    category = text(row, "category")
    if category is None:
        if reading.product is None:
            raise BadFrame("category: missing")
        if reading.product == SWAP:
            return INVERSE if _INVERSE.fullmatch(text(row, "symbol") or "") else LINEAR
        return reading.product
    # Left out, and no dead letter: an option must not cost the rows beside it.
    if category not in CATEGORIES:
        reading.unknown.append(f"category={category}")
        reading.ignore(f"of category {category}: not spoken here")
    return CATEGORIES.get(category)


def unit_of(product: str) -> Unit:
    """What quantities of a product count: an inverse contract is worth one dollar."""
    return Unit.CONTRACTS if product == INVERSE else Unit.BASE


def ordinal(venue_ns: int | None) -> tuple[int, int] | None:
    """Where a report stands among those of its order; None without a time."""
    return None if venue_ns is None else (venue_ns, 0)


def above_zero(document: Document, name: str) -> Decimal | None:
    """A price or quantity where the venue writes 0 or nothing for none."""
    return amount(document, name) or None


def fee_coin(product: str, symbol: str, side: Side, *, is_rebate_of_maker: bool) -> str | None:
    """In which coin a fee is, where the message does not say it; None where the symbol does not.

    Of contracts it is the coin that they settle in. Of coins it is what the order received, but for
    a maker's rebate, which is in the other ("Spot Fee Currency Instruction").
    """
    coins = _coins_of(product, symbol)
    if coins is None:
        return None
    base, quote = coins
    if product != SPOT:
        return base if product == INVERSE else quote
    return base if (side is Side.BUY) != is_rebate_of_maker else quote


def _coins_of(product: str, symbol: str) -> tuple[str, str] | None:
    stem, _, date = symbol.partition(DATED)
    if product == INVERSE:
        base, quote, _ = stem.partition(INVERSE_QUOTE)
        return (base, quote) if base and quote else None
    if product == LINEAR and not stem.endswith(USDT):
        # BTCPERP and BTC-27MAR26 settle in USDC, BTCUSDT and BTCUSDT-27MAR26 in USDT.
        return (stem, USDC) if date or stem.endswith(PERPETUAL_OF_USDC) else None
    found = (quote for quote in QUOTES if stem.endswith(quote) and stem != quote)
    quote = next(found, "")
    return (stem.removesuffix(quote), quote) if quote else None
