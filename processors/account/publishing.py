"""What an account says to its consumers in one step: numbered, coalesced, with its causes.

Pure. Orders, positions and the account are views: in a step each is published once, as it is at the
step's end, with the cause of its last change. Fills, dead letters, differences and dispatches are
events: each is published. Each (account, topic) has a dense sequence within an epoch.
"""

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, ClassVar, Final

from orderloom import topology
from orderloom.codec import pack
from orderloom.dispatch import Dispatch
from orderloom.event import Cause
from orderloom.question import Question
from orderloom.topology import Topic
from processors.ledger.step import Output

COUNTERS: Final = "n"
"""The kind of its state record."""
BALANCES_NS: Final = 1_000_000_000
"""Balances change with each execution: they are shown so often, and what else changes at once."""
LETTER_BYTES_MAX: Final = 1024 * 1024
"""A dead letter holds so much whole, of more `LETTER_HEAD_BYTES`; all of it stands at its cause."""
LETTER_HEAD_BYTES: Final = 64 * 1024


class Publisher:
    """The outgoing side of one account.

    `cause` is the record that what follows is said by, at the clock reading `now_ns`. `orders` and
    `positions` name the views that are to be shown anew, by key, with the cause of the last change,
    `account_cause` is that of the account's own; `version` counts those that were shown, the last
    at `shown_ns`. `owes_balances`: others are there than those shown, and wait until it is due.
    """

    KINDS: ClassVar[tuple[str, ...]] = (COUNTERS,)

    def __init__(self, account: str, epoch: int, cause: Cause) -> None:
        self.account = account
        self.epoch = epoch
        self.cause = cause
        self.now_ns = 0
        self.events: list[Output] = []
        self.orders: dict[str, Cause] = {}
        self.positions: dict[str, Cause] = {}
        self.account_cause: Cause | None = None
        self.version = 0
        self.shown_ns = 0
        self.owes_balances = False
        self._sequences: dict[str, int] = {}
        self._questions = 0
        self._retired: dict[str, tuple[int, Cause]] = {}
        self._is_dirty = False

    def begin(self, cause: Cause, now_ns: int) -> None:
        """What follows is said by the record at `cause`, at the step's clock reading."""
        self.cause, self.now_ns, self._is_dirty = cause, now_ns, True

    def show_account(self) -> None:
        """The account's record, and with it whether its bands are bounded, is published anew."""
        self.account_cause = self.cause
        self.shown_ns = self.now_ns
        self.owes_balances = False

    def show_balances(self) -> None:
        """Balances changed: the account's record is published anew, if that is due."""
        self.owes_balances = True
        self.tick(self.now_ns)

    def due_ns(self) -> int | None:
        """When the account's record is due; None while it shows what there is."""
        return self.shown_ns + BALANCES_NS if self.owes_balances else None

    def tick(self, now_ns: int) -> None:
        """Show the account's record if it is due."""
        due_ns = self.due_ns()
        if due_ns is not None and due_ns <= now_ns:
            self.show_account()

    def event(self, topic: Topic, document: dict[str, Any], cause: Cause) -> None:
        """Publish one event, keyed by the account."""
        self.events.append(self.numbered(topic, self.account, document, cause))

    def ask(self, fields: dict[str, Any]) -> Question:
        """Hand one question to ingest; its id is its identity, so it needs no sequence."""
        self._questions += 1
        # Nothing random: folding the same records again asks the same (docs/state-model.md 4.7).
        question_id = f"{self.account}/q{self.epoch}-{self._questions}"
        question = Question(id=question_id, account=self.account, **fields)
        value = Dispatch.of(question, self.now_ns).encoded()
        self.events.append(Output(topology.DISPATCHES, self.account.encode(), value))
        return question

    def numbered(self, topic: Topic, key: str, document: dict[str, Any], cause: Cause) -> Output:
        """One message with the next number of its topic."""
        sequence = self._sequences.get(topic.kind, 0) + 1
        self._sequences[topic.kind] = sequence
        document["v"] = 1
        document["account"] = self.account
        document["sequence"] = sequence
        document["epoch"] = self.epoch
        document["cause"] = cause.document()
        return Output(topic, key.encode(), pack(document))

    def dead_letter(self, body: bytes, reason: str, cause: Cause, **fields: Any) -> None:
        """Put bytes that we could not read or place where somebody will look.

        Many bytes would not fit, in base64, into a record: then their head, length and hash.
        """
        if len(body) > LETTER_BYTES_MAX:
            fields |= {"length": len(body), "sha256": sha256(body).hexdigest()}
            body = body[:LETTER_HEAD_BYTES]
        document = {"reason": reason, "body": b64encode(body).decode(), **fields}
        self.event(topology.DEAD_LETTERS, document, cause)

    def retire_order(self, key: str, version: int, cause: Cause) -> None:
        """The order is shown no more under this key: its view gets a tombstone."""
        self.orders.pop(key, None)
        self._retired[key] = (version, cause)

    def tombstones(self) -> Iterator[Output]:
        """Tombstones of retired keys; epoch, sequence, version and cause stand in their headers."""
        for key, (version, cause) in self._retired.items():
            yield self.tombstone(topology.ORDERS, key, version, cause)
        self._retired.clear()

    def tombstone(self, topic: Topic, key: str, version: int, cause: Cause) -> Output:
        """The end of one key of a view."""
        document: dict[str, Any] = {"version": version}
        self.numbered(topic, key, document, cause)
        # A tombstone has no value: what a reader needs of it stands in headers.
        headers = tuple((name, pack(value)) for name, value in sorted(document.items()))
        return Output(topic, key.encode(), None, headers)

    def end_view(self, topic: Topic, key: str, version: int) -> None:
        """One key of a view is shown no more, whatever was kept under it."""
        self.events.append(self.tombstone(topic, key, version, self.cause))

    def take_events(self) -> Iterator[Output]:
        """The events so far, in order; forgotten afterwards."""
        events, self.events = self.events, []
        yield from events

    def shown(self) -> None:
        """All that was to be shown anew is shown."""
        self.orders.clear()
        self.positions.clear()
        self.account_cause = None

    def state(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The state record, if anything was said since the last call."""
        if self._is_dirty:
            yield (
                COUNTERS,
                {
                    "epoch": self.epoch,
                    "sequences": self._sequences,
                    "questions": self._questions,
                    "version": self.version,
                    "shown_ns": self.shown_ns,
                    "owes_balances": self.owes_balances,
                    "cause": self.cause.document(),
                    "now_ns": self.now_ns,
                },
            )
        self._is_dirty = False

    def restore(self, _kind: str, document: dict[str, Any]) -> None:
        """Take back the state record."""
        self.epoch, self._sequences = document["epoch"], document["sequences"]
        self._questions, self.version = document["questions"], document["version"]
        self.shown_ns, self.now_ns = document["shown_ns"], document["now_ns"]
        self.owes_balances = document["owes_balances"]
        self.cause = Cause(**document["cause"])
