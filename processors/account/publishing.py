"""What an account says to its consumers in one step: numbered, coalesced, with its causes.

Pure. Orders, positions and the account are views: in a step each is published once, as it is at the
step's end, with the cause of its last change. Fills, dead letters, differences and dispatches are
events: each is published. Each (account, topic) has a dense sequence within an epoch.
"""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from orderloom import topology
from orderloom.codec import pack
from orderloom.event import Cause
from orderloom.question import Question
from orderloom.topology import Topic
from processors.ledger.step import Output


def cause_document(cause: Cause) -> dict[str, Any]:
    """The cause as it stands in a message."""
    return {
        "topic": cause.topic,
        "partition": cause.partition,
        "offset": cause.offset,
        "place": cause.place,
    }


@dataclass(slots=True)
class Publisher:
    """The outgoing side of one account. `sequences` is state: it goes on after a restart."""

    account: str
    epoch: int = 0
    sequences: dict[str, int] = field(default_factory=dict)
    events: list[Output] = field(default_factory=list)
    orders: dict[str, Cause] = field(default_factory=dict)
    positions: dict[str, Cause] = field(default_factory=dict)
    account_cause: Cause | None = None
    retired: dict[str, tuple[int, Cause]] = field(default_factory=dict)

    def event(self, topic: Topic, document: dict[str, Any], cause: Cause) -> None:
        """Publish one event, keyed by the account."""
        self.events.append(self.numbered(topic, self.account, document, cause))

    def question(self, question: Question, at_ns: int) -> None:
        """Hand one question to ingest; its id is its identity, so it needs no sequence."""
        document = {
            "v": 1,
            "id": question.id,
            "type": "question",
            "account": self.account,
            "question": question.document(),
            "at_ns": at_ns,
        }
        self.events.append(Output(topology.DISPATCHES, self.account.encode(), pack(document)))

    def numbered(self, topic: Topic, key: str, document: dict[str, Any], cause: Cause) -> Output:
        """One message with the next number of its topic."""
        sequence = self.sequences.get(topic.kind, 0) + 1
        self.sequences[topic.kind] = sequence
        document["v"] = 1
        document["account"] = self.account
        document["sequence"] = sequence
        document["epoch"] = self.epoch
        document["cause"] = cause_document(cause)
        return Output(topic, key.encode(), pack(document))

    def dead_letter(self, body: bytes, reason: str, cause: Cause, **fields: Any) -> None:
        """Put bytes that we could not read or place where somebody will look."""
        document = {"reason": reason, "body": b64encode(body).decode(), **fields}
        self.event(topology.DEAD_LETTERS, document, cause)

    def retire_order(self, key: str, version: int, cause: Cause) -> None:
        """The order is shown no more under this key: its view gets a tombstone."""
        self.orders.pop(key, None)
        self.retired[key] = (version, cause)

    def tombstones(self) -> Iterator[Output]:
        """Tombstones of retired keys; epoch, sequence, version and cause stand in their headers."""
        for key, (version, cause) in self.retired.items():
            yield self.tombstone(topology.ORDERS, key, version, cause)
        self.retired.clear()

    def tombstone(self, topic: Topic, key: str, version: int, cause: Cause) -> Output:
        """The end of one key of a view."""
        document: dict[str, Any] = {"version": version}
        self.numbered(topic, key, document, cause)
        headers = tuple((name, pack(value)) for name, value in sorted(document.items()))
        return Output(topic, key.encode(), None, headers)

    def take_events(self) -> Iterator[Output]:
        """The events so far, in order; forgotten afterwards."""
        events, self.events = self.events, []
        yield from events
