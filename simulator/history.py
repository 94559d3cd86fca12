"""Seeded histories of wire messages without any server, with the books at their end.

A history is what an account of the venue saw and asked, in order: every private stream frame,
and answers in between. Each line has the form of the `fold` command's input. A seed and a length
give the same history, to the byte, on every machine.
"""

from dataclasses import dataclass
from typing import Any

from simulator.binance.history import BinanceTeller
from simulator.bybit.history import BybitTeller
from simulator.faces import USUAL
from simulator.kraken.history import KrakenTeller
from simulator.okx.history import OkxTeller
from simulator.telling import Teller
from simulator.truth import truth

MESSAGES_MIN, MESSAGES_MAX = 20, 180
"""What may be asked for; the last act may add up to twenty more."""
TURNS_MAX = 5_000
TELLERS: dict[str, type[Teller]] = {
    "binance": BinanceTeller,
    "bybit": BybitTeller,
    "kraken": KrakenTeller,
    "okx": OkxTeller,
}


@dataclass(frozen=True, slots=True)
class History:
    """The messages in the order of their arrival, and the venue's books when they ended."""

    seed: int
    lines: list[dict[str, Any]]
    truth: dict[str, Any]


def generate(seed: int, messages: int = 100, *, timed: bool = True, venue: str = USUAL) -> History:
    """A history of about `messages` (20 to 180) lines, all products, at least 5 orders.

    It never has fewer lines, and a few more where its last act made several. Without `timed`
    the lines have no `received_ns` and `asked_ns`.
    """
    assert MESSAGES_MIN <= messages <= MESSAGES_MAX, "a history has 20 to 180 messages"
    teller = TELLERS[venue](seed)
    for _ in range(TURNS_MAX):
        if len(teller.lines) >= messages and teller.is_rich():
            break
        teller.turn()
    for ref, line in enumerate(teller.lines):
        line["ref"] = ref
        if not timed:
            line.pop("received_ns")
            line.pop("asked_ns", None)
    books = truth([teller.account], teller.frames)
    books["accounts"][teller.account.name]["orders"] += teller.waiting
    return History(seed, teller.lines, books)
