"""One record of an output topic as a consumer takes it, and a batch of them. Pure.

A record without a value is a tombstone: its key is shown no more. What a value would say of account
and number stands in the tombstone's headers then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from pydantic import BaseModel

from orderloom.codec import UnreadableMessage, read
from orderloom.topology import Topic
from sinks.numbering import Number, Series

EPOCH_END: Final = 1_000_000
"""A person begins each epoch: there are never so many (docs/contract.md, rule 5)."""
SEQUENCE_END: Final = 1 << 63
Place = tuple[str, int]
"""A topic's full name and a partition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record. `append_ms` is the broker's time; `message` None marks a tombstone."""

    topic: Topic
    name: str
    partition: int
    offset: int
    append_ms: int
    key: str
    account: str
    number: Number
    message: BaseModel | None
    value: bytes | None

    @property
    def series(self) -> Series:
        """What its number counts in."""
        return self.name, self.account


@dataclass(frozen=True, slots=True)
class Batch:
    """What was read at once: new records, and the next offset of each partition read.

    `at_end_ms`: the wall clock's reading, for each topic of which every partition was read to its
    end.
    """

    records: tuple[Record, ...] = ()
    offsets: Mapping[Place, int] = field(default_factory=dict)
    at_end_ms: Mapping[str, int] = field(default_factory=dict)

    def numbers(self) -> dict[Series, Number]:
        """The last number of each series in it."""
        numbers: dict[Series, Number] = {}
        for record in self.records:
            numbers[record.series] = max(record.number, numbers.get(record.series, record.number))
        return numbers


def record_of(
    topic: Topic,
    place: tuple[str, int, int],
    append_ms: int,
    content: tuple[bytes, bytes | None, Iterable[tuple[str, bytes]]],
) -> Record:
    """The record at `place` (name, partition, offset) with this key, value and these headers.

    Raises:
        UnreadableMessage: it does not hold to the contract, or to a newer one.
    """
    key, value, headers = content
    message = None if value is None else read(topic, value)
    fields: Any = message
    try:
        # A tombstone has no value to say these: they
        # stand in its headers (docs/contract.md, rule 6).
        if message is None:
            fields = _Headers(headers)
        account, number = str(fields.account), _number(fields.epoch, fields.sequence)
    except (AttributeError, ValueError, TypeError) as error:
        raise UnreadableMessage(f"{topic.kind}: no account or number: {error}") from None
    name, partition, offset = place
    return Record(
        topic=topic,
        name=name,
        partition=partition,
        offset=offset,
        append_ms=append_ms,
        key=key.decode(errors="replace"),
        account=account,
        number=number,
        message=message,
        value=value,
    )


def _number(epoch: Any, sequence: Any) -> Number:
    """The place of a record; ValueError for what no ledger wrote, which no table could hold."""
    if type(epoch) is not int or type(sequence) is not int:
        raise ValueError(f"numbers that are none: {epoch!r:.40}, {sequence!r:.40}")
    # Believed, it would make a repeat of all that the ledger writes after it, for good.
    if not (0 <= epoch < EPOCH_END and 0 < sequence < SEQUENCE_END):
        raise ValueError(f"epoch {epoch!r:.40}, sequence {sequence!r:.40}")
    return Number(epoch, sequence)


class _Headers:
    """A tombstone's headers as attributes; each is JSON."""

    def __init__(self, headers: Iterable[tuple[str, bytes]]) -> None:
        self.__dict__.update({name: orjson.loads(value) for name, value in headers})
