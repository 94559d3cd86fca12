"""Records as the topics hold them: the plainest valid ones, changed by keyword; and histories."""

import random
from decimal import Decimal
from typing import Any

import orjson
from pydantic import BaseModel

from orderloom import topology
from orderloom.event import Cause
from orderloom.fill import Fill
from orderloom.order import OrderState
from orderloom.position import Position
from orderloom.topology import Topic
from orderloom.trouble import Difference
from orderloom.words import (
    Completeness,
    FillKind,
    Lifecycle,
    PositionSide,
    Source,
    Status,
    Trust,
)
from sinks.record import Batch, Record, record_of

VENUE = "lab"
ACCOUNT = "lab:one"
CAUSE = Cause("raw", 0, 7)


def an_order(key: str = "lab:one/spot/SOL/1", **fields: Any) -> OrderState:
    plain: dict[str, Any] = {
        "key": key,
        "account": ACCOUNT,
        "product": "spot",
        "symbol": "SOL",
        "status": Status.ACTIVE,
        "lifecycle": Lifecycle.ACTIVE,
        "completeness": Completeness.COMPLETE,
        "trust": Trust.OBSERVED,
        "version": 1,
        "sequence": 1,
        "epoch": 0,
        "cause": CAUSE,
    }
    return OrderState(**plain | fields)


def a_fill(execution_key: str = "spot/SOL/e1/1", **fields: Any) -> Fill:
    plain: dict[str, Any] = {
        "kind": FillKind.REAL,
        "account": ACCOUNT,
        "product": "spot",
        "symbol": "SOL",
        "order_key": "lab:one/spot/SOL/1",
        "execution_key": execution_key,
        "exec_id": execution_key.split("/")[2],
        "price": Decimal("150.10"),
        "quantity": Decimal("1.5"),
        "fee": Decimal("0.0015"),
        "source": Source.STREAM,
        "sequence": 1,
        "epoch": 0,
        "cause": CAUSE,
    }
    return Fill(**plain | fields)


def a_position(symbol: str = "SOL", **fields: Any) -> Position:
    plain: dict[str, Any] = {
        "account": ACCOUNT,
        "product": "spot",
        "symbol": symbol,
        "position_side": PositionSide.NET,
        "net": Decimal("1.5"),
        "low": Decimal(0),
        "high": Decimal(4),
        "unbounded": False,
        "version": 1,
        "sequence": 1,
        "epoch": 0,
        "cause": CAUSE,
    }
    return Position(**plain | fields)


TOPIC_OF: dict[type[BaseModel], Topic] = {
    OrderState: topology.ORDERS,
    Fill: topology.FILLS,
    Position: topology.POSITIONS,
    Difference: topology.DIFFERENCES,
}
Content = tuple[Topic, bytes, bytes | None, list[tuple[str, bytes]]]


def content_of(message: BaseModel) -> Content:
    """Topic, key, value and headers of a message."""
    named: Any = message
    key = named.account
    if isinstance(message, OrderState):
        key = message.key
    elif isinstance(message, Position):
        key = f"{message.account}/{message.symbol}/{message.position_side}"
    value = orjson.dumps(message.model_dump(mode="json"))
    return TOPIC_OF[type(message)], key.encode(), value, []


def tombstone(key: str, **numbers: Any) -> Content:
    """An order's key is shown no more."""
    fields = {"account": ACCOUNT, "epoch": 0, "version": 9} | numbers
    headers = [(name, orjson.dumps(value)) for name, value in fields.items()]
    return topology.ORDERS, key.encode(), None, headers


def a_record(content: Content | BaseModel, offset: int = 0, append_ms: int = 0) -> Record:
    """The record as the follower hands it on."""
    topic, key, value, headers = content_of(content) if isinstance(content, BaseModel) else content
    return record_of(topic, (topic.name(VENUE), 0, offset), append_ms, (key, value, headers))


def a_batch(*contents: Content | BaseModel, at: int = 0) -> Batch:
    """These records as one batch of partition 0, from offset `at` on."""
    records = tuple(a_record(content, at + place) for place, content in enumerate(contents))
    return Batch(records, {(record.name, 0): record.offset + 1 for record in records})


def a_history(seed: int, steps: int = 60) -> list[Content]:
    """What one account publishes: orders that grow and retire, fills that are corrected and busted,
    positions, and in the middle a new epoch; every sequence dense."""
    chance = random.Random(seed)
    sequences: dict[tuple[str, int], int] = {}
    history: list[Content] = []
    executions = 0
    epoch = 0

    def numbered(topic: Topic) -> dict[str, int]:
        sequences[topic.kind, epoch] = sequences.get((topic.kind, epoch), 0) + 1
        return {"sequence": sequences[topic.kind, epoch], "epoch": epoch}

    for step in range(steps):
        if step == steps // 2 and seed % 2:
            epoch = 1
        key = f"lab:one/spot/SOL/{chance.randrange(6)}"
        filled = Decimal(step) / 10
        order = an_order(key, filled_quantity=filled, version=step, **numbered(topology.ORDERS))
        history.append(content_of(order))
        if chance.random() < 0.1:
            history.append(tombstone(key, **numbered(topology.ORDERS)))
        old = executions and chance.random() < 0.3
        number = chance.randrange(executions) if old else executions
        executions += not old
        kind = chance.choice([FillKind.CORRECTION, FillKind.BUST]) if old else FillKind.REAL
        fee = Decimal(step) / 1000
        fill = a_fill(f"spot/SOL/e{number}/1", kind=kind, fee=fee, **numbered(topology.FILLS))
        history.append(content_of(fill))
        symbol = chance.choice(["SOL", "ETH"])
        numbers = numbered(topology.POSITIONS)
        history.append(content_of(a_position(symbol, net=Decimal(step), version=step, **numbers)))
    return history
