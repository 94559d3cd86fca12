"""The load that the peers are measured with: executions at random over many open orders. Pure.

One account of Binance Spot with `OPEN` limit orders; each frame has all fields that the manual
gives for one (`executionReport`), tells one execution, and no order is ever filled.
"""

from collections.abc import Iterator
from random import Random
from typing import Any, Final

import orjson

OPEN: Final = 1_000
ACCOUNT: Final = "binance:open-orders"
PRODUCT: Final = "spot"
BEGAN_MS: Final = 1_722_500_000_000
QUANTITY: Final = 1_000_000
PRICE: Final = "64250.12000000"
FIRST_ORDER: Final = 28_000_000_000
FIRST_TRADE: Final = 3_500_000_000
Line = tuple[str, str, int, str]
"""A frame: account, product, when it was received (ns), and its text."""


def placed() -> Iterator[Line]:
    """A frame for each order, as it was placed."""
    for order in range(OPEN):
        yield _line(order, _report(order, order, 0))


def executed(frames: int, seed: int = 1) -> Iterator[Line]:
    """So many executions, each of an order taken at random."""
    random, filled = Random(seed), [0] * OPEN
    for number in range(OPEN, OPEN + frames):
        order = random.randrange(OPEN)
        filled[order] += 1
        yield _line(number, _report(order, number, filled[order]))


def _line(number: int, report: dict[str, Any]) -> Line:
    received_ns = (BEGAN_MS + number) * 1_000_000 + 900_000
    return ACCOUNT, PRODUCT, received_ns, orjson.dumps(report).decode()


def _report(order: int, number: int, filled: int) -> dict[str, Any]:
    is_new, at_ms = not filled, BEGAN_MS + number
    return {
        "e": "executionReport", "E": at_ms, "s": "BTCUSDT", "c": f"bench-{order:08d}",
        "S": "BUY", "o": "LIMIT", "f": "GTC", "q": f"{QUANTITY}.00000000", "p": PRICE,
        "P": "0.00000000", "F": "0.00000000", "g": -1, "C": "",
        "x": "NEW" if is_new else "TRADE", "X": "NEW" if is_new else "PARTIALLY_FILLED",
        "r": "NONE", "i": FIRST_ORDER + order, "l": "0.00000000" if is_new else "1.00000000",
        "z": f"{filled}.00000000", "L": "0.00000000" if is_new else PRICE,
        "n": "0" if is_new else "0.00075000", "N": None if is_new else "BNB",
        "T": at_ms, "t": -1 if is_new else FIRST_TRADE + number, "I": 8_641_984 + number,
        "w": is_new, "m": not is_new, "M": not is_new, "O": BEGAN_MS,
        "Z": f"{filled * 64250.12:.8f}", "Y": "0.00000000" if is_new else PRICE,
        "Q": "0.00000000", "W": BEGAN_MS, "V": "NONE",
    }  # fmt: skip
