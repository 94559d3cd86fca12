"""The numbers of orders, trades and executions: where counting begins and how far it reaches. Pure.

The books count in whole numbers. How a number looks on the wire (text, UUID, transaction id) is
for the venue to say: in its documents, or by a kind of number whose text is that.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from simulator.instrument import Product


@dataclass(frozen=True, slots=True)
class Numbering:
    """A venue's rules for its numbers.

    By default every symbol of every product begins at the same number, so numbers collide between
    symbols as they may at a venue. `is_shared`: one counter for all orders of the venue, of which
    conditional orders are some.
    """

    first_order: int = 7_700_001
    first_trade: int = 88_120_001
    first_conditional: int = 2_200_001
    first_fill: int = 1
    is_shared: bool = False
    looks: Mapping[Product, type[int]] = field(default_factory=dict)
    """The kind of number that shows itself as a product's ids look, where those are no digits."""


class Numbers:
    """A venue's counters."""

    def __init__(self, rules: Numbering) -> None:
        self._is_shared = rules.is_shared
        self._looks = rules.looks
        self._orders: dict[tuple[str, str], count[int]] = defaultdict(
            lambda: count(rules.first_order)
        )
        self._trades: dict[tuple[str, str], count[int]] = defaultdict(
            lambda: count(rules.first_trade)
        )
        self._forced: dict[tuple[str, str], count[int]] = defaultdict(lambda: count(-1, -1))
        self._conditionals: dict[str, count[int]] = defaultdict(
            lambda: count(rules.first_conditional)
        )
        self._fills = count(rules.first_fill)

    def order(self, product: Product, symbol: str) -> int:
        """The next order's number."""
        number = next(self._orders[("", "") if self._is_shared else (product, symbol)])
        return self._look(product, number)

    def conditional(self, product: Product) -> int:
        """The next conditional order's number."""
        return self.order(product, "") if self._is_shared else next(self._conditionals[product])

    def trade(self, product: Product, symbol: str) -> int:
        """The next trade's number."""
        return self._look(product, next(self._trades[product, symbol]))

    def forced_trade(self, product: Product, symbol: str) -> int:
        """The next number below zero, for trades that a venue does not count with the others."""
        return next(self._forced[product, symbol])

    def fill(self) -> int:
        """The next execution's number."""
        return next(self._fills)

    def _look(self, product: Product, number: int) -> int:
        return self._looks[product](number) if product in self._looks else number
