"""What the tests of repairs share: the real state of a simulated venue's data on a broker."""

import time
from dataclasses import dataclass
from typing import Any

import orjson

from orderloom.question import About
from orderloom.raw import Answer, ClockSample, RawRecord, encode
from orderloom.topology import (
    CONTROL,
    DISPATCHES,
    FILLS,
    ORDERS,
    PARTITION_KEY,
    POSITIONS,
    RAW,
    Topic,
)
from processors.ledger.ledger import Ledger
from processors.ledger.opening import read_state, restored
from processors.ledger.state import PLACE_KEY
from processors.ledger.trouble import LedgerLost
from processors.ledger.writer import Probe, no_probe
from processors.partition import PartitionFold
from processors.repair.repair import Outcome, RepairOrder, repair
from processors.repair.survey import Survey, survey
from tests.processors.ledger_lab import Lab, come_to, drain
from tests.processors.partition_lab import ACCOUNT, NOW, a_registration, history_records
from venues import VENUES

VENUE = "binance"
NO_BALANCES = b'{"balances":[]}'
ORDER = RepairOrder("ada", "the ledger was lost", "", 1)
OF_AN_EPOCH = ("epoch", "sequence", "version", "cause", "first_cause", "stale", "unbounded")
"""What a record says of its place in a series, and of spans that are asked about anew."""


@dataclass
class RepairLab(Lab):
    """One partition of a venue whose state is the real one."""

    seed: int = 1
    answered: int = 0

    def configure(self, **changes: Any) -> None:
        super().configure(**{"venue": VENUE} | changes)

    def live(self) -> None:
        """A life: an account, and what its venue said of it."""
        self.feed(CONTROL, [(ACCOUNT.encode(), a_registration())])
        self.measure_clock()
        self.feed(RAW, self.history())
        self.run()

    def history(self) -> list[tuple[bytes, bytes]]:
        records, _ = history_records(self.seed)
        return [(record.key or b"", record.value or b"") for record in records]

    def measure_clock(self, at_ns: int = NOW) -> None:
        """The venue's clock is ours, since then."""
        samples = tuple(ClockSample(one, at_ns, at_ns, at_ns) for one in VENUES[VENUE].products)
        self.feed(RAW, [(PARTITION_KEY, encode(RawRecord("venue", 1, "w1", samples)))])

    def run(self) -> None:
        """Open the ledger as a worker does, fold all there is, and close it."""
        ledger = self.open_real()
        drain(ledger)
        ledger.close()

    def answer_all(self) -> None:
        """Answer every question about the account so far with a complete, empty page."""
        questions = [one["question"] for one in self.documents(DISPATCHES)]
        at_ns = time.time_ns()
        for question in questions[self.answered :]:
            body = NO_BALANCES if question["about"] == About.BALANCES else b"[]"
            if question["product"] == "linear":
                body = b"[]"
            page = Answer(question, "", 1, True, 200, at_ns, at_ns, at_ns, body)
            value = encode(RawRecord(ACCOUNT, 1, "w1", (page,)))
            self.feed(RAW, [(ACCOUNT.encode(), value)])
        self.answered = len(questions)

    def run_until_folded(self) -> None:
        """As a worker does where a record cannot be folded: open again until all is behind."""
        for _ in range(3):
            try:
                self.run()
            except LedgerLost:
                continue
            return
        raise AssertionError("the ledger never gets past the record")

    def open_real(self, probe: Probe = no_probe) -> Ledger:
        return Ledger(self.log, 0, self.real_state, self.memory, probe)

    def real_state(self, partition: int) -> PartitionFold:
        return PartitionFold(VENUES[VENUE], partition, namespace=self.namespace)

    def survey(self) -> Survey:
        return survey(self.log, 0, self.real_state)

    def repair(self, order: RepairOrder = ORDER, probe: Probe = no_probe) -> Outcome:
        return repair(self.log, 0, self.real_state, order, probe=probe)

    def cut_off(self, lost: int) -> None:
        """Let the end of `raw` be lost: the ledger has read so many records more than there are."""
        read = orjson.loads(read_state(self.log, 0)[PLACE_KEY])["next"]
        come_to(self, self.real_state, next=read | {RAW.kind: read[RAW.kind] + lost})

    def documents(self, topic: Topic) -> list[dict[str, Any]]:
        return [orjson.loads(value) for value in self.values(topic) if value]

    def view(self, topic: Topic) -> dict[str, dict[str, Any]]:
        """The newest state of each key that is shown, without what an epoch decides."""
        shown: dict[str, dict[str, Any]] = {}
        for message in self.committed(topic):
            key = (message.key() or b"").decode()
            shown.pop(key, None)
            if message.value() is not None:
                document = orjson.loads(message.value() or b"")
                shown[key] = {k: v for k, v in document.items() if k not in OF_AN_EPOCH}
        return shown

    def executions(self, epoch: int | None = None) -> dict[str, dict[str, Any]]:
        """The newest content of each execution; of one epoch alone if given."""
        return {
            document["execution_key"]: {
                k: v for k, v in document.items() if k not in (*OF_AN_EPOCH, "kind")
            }
            for document in self.documents(FILLS)
            if epoch is None or document["epoch"] == epoch
        }

    def content_digest(self) -> str:
        """What the orders are, by the state that stands in the log."""
        _, state = restored(read_state(self.log, 0), 0, self.real_state)
        return state.changes().content_digest

    def content(self) -> tuple[Any, ...]:
        """What consumers hold at the end, and the digest of what the orders are."""
        return self.content_digest(), self.view(ORDERS), self.view(POSITIONS), self.executions()


class Killed(BaseException):
    """The process ends here."""


@dataclass
class KillAt:
    """A probe that kills at the n-th time a point is passed."""

    point: str
    number: int
    passed: int = 0

    def __call__(self, point: str) -> None:
        self.passed += point == self.point
        if self.passed == self.number:
            raise Killed
