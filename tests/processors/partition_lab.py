"""Feeds one partition's state without Kafka: records in, outputs out, restarts between."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from orderloom import codec, topology
from orderloom.account import AccountConfig
from orderloom.order import OrderState
from orderloom.raw import ClockSample, ConnectionChange, Failure, Frame, Item, RawRecord, encode
from processors.account.venue_time import VenueTimes
from processors.ledger.step import InputRecord, Output, PartitionState
from processors.partition import STATE_FORMAT, PartitionFold
from simulator.history import generate
from trial.verdict import Published, judge
from venues import VENUES

ACCOUNT = "binance:main"
NOW = 1_793_000_000_000_000_000


def a_partition() -> PartitionFold:
    return PartitionFold(VENUES["binance"], 0)


def a_record(
    value: bytes, offset: int = 0, topic: topology.Topic = topology.RAW, key: str = ACCOUNT
) -> InputRecord:
    return InputRecord(topic, 0, offset, NOW, key.encode(), value)


def a_raw_record(
    *items: Item, offset: int = 0, account: str = ACCOUNT, generation: int = 1
) -> InputRecord:
    value = encode(RawRecord(account, generation, f"w{generation}", items))
    return a_record(value, offset, key=account)


def a_frame(body: bytes, number: int = 1, product: str = "spot") -> Frame:
    return Frame(f"c-{product}", number, product, NOW, body)


def live(product: str = "spot", at_ns: int = NOW) -> ConnectionChange:
    return ConnectionChange(f"c-{product}", product, "LIVE", at_ns)


def a_registration(account: str = ACCOUNT, **fields: Any) -> bytes:
    config = AccountConfig(
        id=account, products=("spot", "linear"), key="env:KEY", partition=0, **fields
    )
    return orjson.dumps({"type": "account", "config": config.model_dump(mode="json")})


def history_records(seed: int, messages: int = 100) -> tuple[list[InputRecord], dict[str, Any]]:
    """A seeded history as records of `raw`, and the venue's books at its end."""
    history = generate(seed, messages)
    records = [a_raw_record(live("spot"), live("linear"))]
    numbers: Counter[str] = Counter()
    for line in history.lines:
        records.append(a_raw_record(_item_of(line, numbers), offset=len(records)))
    return records, history.truth


def _item_of(line: dict[str, Any], numbers: Counter[str]) -> Item:
    product, body = line["product"], line["raw"]
    body = body.encode() if isinstance(body, str) else orjson.dumps(body)
    if line["source"] == "stream":
        numbers[product] += 1
        return Frame(f"c-{product}", numbers[product], product, line["received_ns"], body)
    question = {"id": "somebody-else", "product": product}
    return Failure(question, "", line["asked_ns"], line["received_ns"], 200, body)


def fed(records: Iterable[InputRecord], cuts: frozenset[int] = frozenset()) -> "Run":
    """Feed all records, a step each; after the steps in `cuts` the state is restored anew."""
    run = Run(a_partition())
    for number, record in enumerate(records):
        run.step(record)
        if number in cuts:
            run.restart()
    return run


def a_right_clock(venue: str) -> dict[bytes, bytes]:
    """State records: the clock of each product of the venue is ours, since long ago."""
    times, at_ns = VenueTimes(), NOW - 365 * 86_400 * 1_000_000_000
    for product in VENUES[venue].products:
        times.take(ClockSample(product, at_ns, at_ns, at_ns), 1, at_ns)
    return {key.encode(): codec.pack({"f": STATE_FORMAT} | fields) for key, fields in times.state()}


class Run:
    """The state, what it published, and its records as the log would hold them.

    The venue's clock was measured, and is ours, unless it is said otherwise.
    """

    def __init__(self, partition: PartitionFold, *, has_clock: bool = True) -> None:
        self.partition = partition
        self.state: dict[bytes, bytes] = a_right_clock(partition.venue) if has_clock else {}
        for key, value in self.state.items():
            partition.restore(key, value)
        self.outputs: list[Output] = []
        self.digests = ("", "")

    def step(self, record: InputRecord | None, now_ns: int = NOW) -> list[Output]:
        """One step of one record (None: only timers); what it published."""
        if record is not None:
            self.partition.fold(record, now_ns)
        self.partition.tick(now_ns)
        return self.take()

    def take(self) -> list[Output]:
        changes = self.partition.changes()
        changes.bring_up_to_date(self.state)
        self.outputs += changes.outputs
        self.digests = (changes.content_digest, changes.exact_digest)
        return changes.outputs

    def restart(self) -> None:
        """Throw the memory away and restore it from the state records."""
        self.partition = a_partition()
        for key, value in self.state.items():
            self.partition.restore(key, value)

    def published(self) -> Published:
        """What a consumer has read."""
        published = Published()
        for message in self.messages(topology.FILLS):
            published.take_fill(message)
        for message in self.messages(topology.POSITIONS):
            published.take_position(message)
        for output in self.outputs:
            if output.topic is topology.ORDERS:
                key = output.key.decode()
                published.orders.pop(key, None)
                if output.value is not None:
                    order = codec.read(output.topic, output.value)
                    assert isinstance(order, OrderState)
                    published.orders[key] = order
        return published

    def messages(self, topic: topology.Topic) -> Iterator[Any]:
        """The messages of one topic, read by the contract."""
        for output in self.outputs:
            if output.topic is topic and output.value is not None:
                yield codec.read(topic, output.value)

    def verdict(self, truth: dict[str, Any]) -> dict[str, Any]:
        return judge(self.published(), truth)


def as_protocol(partition: PartitionFold) -> PartitionState:
    """mypy's proof that the partition is what a ledger takes."""
    return partition
