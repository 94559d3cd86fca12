"""The load that the peers are measured with: executions at random over many open orders. Pure.

One account of Binance Spot; each frame tells one execution, and no order is ever filled.
"""

from collections.abc import Iterable, Iterator
from itertools import count
from random import Random
from typing import Any, Final

import orjson

from bench.plain_account import NOW_NS, PRODUCT, PlainAccount

OPEN: Final = 1_000
SEED: Final = 1
Line = tuple[str, str, int, str]
"""A frame: account, product, when it was received (ns), and its text."""


def open_orders(frames: int) -> tuple[list[Line], list[Line]]:
    """A frame for each order as it was placed, and then so many executions."""
    account, random = PlainAccount("binance:open-orders"), Random(SEED)
    numbers = count()
    placed = list(_lines(account, map(account.placed, range(OPEN)), numbers))
    executed = (account.executed(random.randrange(OPEN)) for _ in range(frames))
    return placed, list(_lines(account, executed, numbers))


def _lines(
    account: PlainAccount, reports: Iterable[dict[str, Any]], numbers: Iterator[int]
) -> Iterator[Line]:
    for report, number in zip(reports, numbers, strict=False):
        yield account.name, PRODUCT, NOW_NS + number * 1_000, orjson.dumps(report).decode()
