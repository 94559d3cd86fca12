"""Real private frames in any number: seeded histories, repeated with ids and times of their own.

Pure. A history of the simulator is about 150 frames of one account. Repeated, it has its order,
trade and client ids moved, and its times, so that every order and every execution stays distinct
and venue time rises: what an account looks like that has traded for long.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count, islice
from typing import Any, Final

import orjson

from bench.task import PARTITIONS, VENUE
from orderloom.raw import ConnectionChange, Frame, Item, RawRecord, encode
from simulator.history import MESSAGES_MAX, generate

OWNER: Final = "bench"
PRODUCTS: Final = ("spot", "linear")
HISTORIES: Final = 24
ACCOUNTS: Final = 8
SPAN_MS: Final = 300_000
"""How much later each repetition of a history happens; no history lasts so long."""
ID_STEP: Final = 100_000
"""How far ids move at each repetition; no history uses so many."""
EPOCH_MS: Final = 1_600_000_000_000
IDS: Final = frozenset({"i", "t", "I", "aid", "ai"})
CLIENT_IDS: Final = frozenset({"c", "C", "caid"})


@cache
def histories(seeds: range) -> list[list[dict[str, Any]]]:
    """The stream lines of each seed's history, parsed; answers over the same socket left out."""
    return [
        [
            line | {"raw": _parsed(line["raw"])}
            for line in generate(seed, MESSAGES_MAX).lines
            if line["source"] == "stream" and "result" not in _parsed(line["raw"])
        ]
        for seed in seeds
    ]


def _parsed(document: Any) -> Any:
    return orjson.loads(document) if isinstance(document, str) else document


def moved(value: Any, repetition: int, name: str = "") -> Any:
    """`value` as the same thing would read in a later repetition: other ids, later times."""
    if isinstance(value, dict):
        is_list_status = value.get("e") == "listStatus"  # its `c` is a kind of list, not an id
        return {
            key: inner if is_list_status and key == "c" else moved(inner, repetition, key)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [moved(inner, repetition, name) for inner in value]
    if type(value) is int:
        if value > EPOCH_MS:
            return value + repetition * SPAN_MS
        return value + repetition * ID_STEP if name in IDS and value > 0 else value
    if isinstance(value, str) and value and name in CLIENT_IDS:
        return f"{value}-{repetition}"
    return value


@dataclass(frozen=True, slots=True)
class Account:
    """One account of the bench: its id, its partition, and which histories are its own."""

    name: str
    partition: int
    first_history: int

    def frames(self, histories: Sequence[list[dict[str, Any]]]) -> Iterator[Frame]:
        """Its frames, without end."""
        numbers = dict.fromkeys(PRODUCTS, 0)
        for repetition in count():
            for line in histories[(self.first_history + repetition) % len(histories)]:
                product = line["product"]
                numbers[product] += 1
                yield Frame(
                    product,
                    numbers[product],
                    product,
                    line["received_ns"] + repetition * SPAN_MS * 1_000_000,
                    orjson.dumps(moved(line["raw"], repetition)),
                )

    def greeting(self) -> tuple[Item, ...]:
        """That its connections are LIVE: what `raw` holds before the first frame."""
        return tuple(ConnectionChange(product, product, "LIVE", 1) for product in PRODUCTS)

    def record(self, items: Sequence[Item]) -> bytes:
        """One record of `raw` with these items."""
        return encode(RawRecord(self.name, 1, OWNER, tuple(items)))


@dataclass(frozen=True, slots=True)
class RawMessage:
    """One record for the topic `raw`, and how many events (frames) it holds."""

    partition: int
    key: bytes
    value: bytes
    events: int


def accounts() -> list[Account]:
    """The accounts of the bench, spread over the partitions."""
    return [
        Account(f"{VENUE}:bench{number}", number % PARTITIONS, number * HISTORIES // ACCOUNTS)
        for number in range(ACCOUNTS)
    ]


class Load:
    """The frames of all accounts, each account's in order, taken in turn."""

    def __init__(self) -> None:
        made = histories(range(1, HISTORIES + 1))
        self.accounts = accounts()
        self._frames = {account.name: account.frames(made) for account in self.accounts}

    def greetings(self) -> list[RawMessage]:
        """What stands in `raw` before any frame; no events."""
        return [self._message(account, account.greeting(), 0) for account in self.accounts]

    def records(self, events: int, events_per_record: int) -> list[RawMessage]:
        """The next `events` frames (rounded up to whole records), so many a record."""
        found: list[RawMessage] = []
        for number in range(-(-events // events_per_record)):
            account = self.accounts[number % len(self.accounts)]
            frames = self.frames(account, events_per_record)
            found.append(self._message(account, frames, len(frames)))
        return found

    def frames(self, account: Account, number: int) -> list[Frame]:
        """The next frames of one account."""
        return list(islice(self._frames[account.name], number))

    @staticmethod
    def _message(account: Account, items: Sequence[Item], events: int) -> RawMessage:
        return RawMessage(account.partition, account.name.encode(), account.record(items), events)
