"""What is traded in the box: names, steps and the price that a market starts from."""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

Side = Literal["BUY", "SELL"]
Product = Literal["spot", "linear", "inverse"]

ZERO = Decimal(0)


def opposite(side: Side) -> Side:
    """The other side of the book."""
    return "SELL" if side == "BUY" else "BUY"


@dataclass(frozen=True, slots=True)
class Instrument:
    """One symbol of one product; `tick` and `lot` are the steps of price and quantity.

    `contract` is what a quantity of one stands for: base units, or quote units where the product
    is inverse; 1 where quantities are base units themselves.
    """

    product: Product
    symbol: str
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    notional_min: Decimal
    start_price: Decimal
    contract: Decimal = Decimal(1)
    code: int = 0
    """The venue's number of it, where it has one."""

    @property
    def settle(self) -> str:
        """The asset of a contract's profit and fees; empty at Spot."""
        if self.product == "spot":
            return ""
        return self.base if self.is_inverse else self.quote

    @property
    def is_inverse(self) -> bool:
        """Whether profit and fees are in the base asset."""
        return self.product == "inverse"

    def notional(self, quantity: Decimal, price: Decimal) -> Decimal:
        """What a quantity is worth at a price, in quote units."""
        return quantity * self.contract * (Decimal(1) if self.is_inverse else price)

    def quantity_for(self, notional: Decimal, price: Decimal) -> Decimal:
        """The whole number of lots nearest below `notional` in quote units, at least one."""
        return max(notional // self.notional(self.lot, price), Decimal(1)) * self.lot


def plain(value: Decimal) -> str:
    """Decimal text without an exponent and without needless zeros; zero is "0"."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


@lru_cache(maxsize=256)
def places(step: Decimal) -> int:
    """How many decimal places a tick or lot has: 0.010 has two."""
    exponent = step.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def stepped(value: Decimal, step: Decimal) -> str:
    """`value` as text with the decimal places of `step`."""
    return f"{value:.{places(step)}f}"
