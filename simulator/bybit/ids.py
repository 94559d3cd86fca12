"""Ids as they look: digits of coins, UUIDs of contracts (docs/venues/bybit.md 5). Pure.

The books count both in whole numbers; a number of a contract shows itself as a UUID.
"""

from uuid import UUID

from simulator.instrument import Product

_SPACE = 1 << 128
_FACTOR = 0x5851F42D4C957F2D14057B7EF767814F
"""Odd, so that each number has its own UUID and each UUID its number."""
_BACK = pow(_FACTOR, -1, _SPACE)


class Uuid(int):
    """A number that looks like a UUID."""

    def __str__(self) -> str:
        return str(UUID(int=int(self) * _FACTOR % _SPACE))


def number_of(product: Product, text: str) -> int:
    """The number that looks so; zero, which nothing has, where it is none."""
    if product == "spot":
        return int(text) if text.isdecimal() else 0
    try:
        return UUID(text).int * _BACK % _SPACE
    except ValueError:
        return 0
