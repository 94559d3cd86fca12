"""Exact decimals with their units, and their one text form.

Pure. Money is `Decimal` made from text; a float never holds it. One number has one text: no
exponent, no trailing zeros, no minus zero; so equal content gives equal digests.
"""

from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from enum import StrEnum
from functools import lru_cache
from typing import Final

DIGITS_MAX: Final = 40
EXPONENT_MAX: Final = 30
TEXTS_REMEMBERED_MAX: Final = 16_384
"""A step writes the same numbers several times: a look-up is a quarter of the formatting."""
ZERO: Final = Decimal(0)
EXACT: Final = Context(prec=400, traps=[InvalidOperation, DivisionByZero, Overflow, Inexact])
"""Sums and products in this context are exact or raise; no rounding goes unseen.

Any number of products of the widest numbers that we read (below) can be summed in it.
"""


class Unit(StrEnum):
    """What a native quantity counts."""

    BASE = "base"
    CONTRACTS = "contracts"
    QUOTE = "quote"


def decimal_of(value: object) -> Decimal:
    """The exact number that a venue wrote, as text, integer or already exact.

    Raises:
        ValueError: no finite decimal, or more than 40 digits, or an exponent beyond 30.
    """
    # No float: it has lost the venue's digits already. To `isinstance` true is an int.
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError(f"not a decimal: {value!r:.80}")
    # `Decimal` reads "1_000" as a thousand, which no venue means.
    if isinstance(value, str) and (len(value) > 2 * DIGITS_MAX or "_" in value):
        raise ValueError(f"not a decimal: {value!r:.80}")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"not a decimal: {value!r:.80}") from None
    if not number.is_finite():
        raise ValueError(f"not a finite decimal: {value!r:.80}")
    digits = number.as_tuple()
    # Wider ones could not be summed exactly (`EXACT`).
    if len(digits.digits) > DIGITS_MAX or abs(int(digits.exponent)) > EXPONENT_MAX:
        raise ValueError(f"decimal out of range: {value!r:.80}")
    return number


@lru_cache(maxsize=TEXTS_REMEMBERED_MAX)
def text_of(number: Decimal) -> str:
    """The one text of `number`."""
    # Also for -0 and 0.00: one number has one text, or equal states had unequal digests.
    if not number:
        return "0"
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text


def text_or_none(number: Decimal | None) -> str | None:
    """The one text of `number`, or None."""
    return None if number is None else text_of(number)


def base_text(quantity: Decimal | None, size: Decimal | None, *, is_inverse: bool) -> str | None:
    """A native `quantity` in base units, as text; None where that cannot be said.

    `size` is base per native unit. Inverse contracts count quote units: what they are in base
    depends on the price, so they stay contracts.
    """
    if quantity is None or size is None or is_inverse:
        return None
    return text_of(quantity if size == 1 else EXACT.multiply(quantity, size))
