"""How a ledger ends: stopped for a person, or lost and to be opened again.

Pure: the errors and what each carries.
"""

from processors.ledger.step import InputRecord


class PartitionStopped(Exception):
    """Going on would lose or double something. `str()` is one line: the cause and what to do."""


class LedgerLost(Exception):
    """What is in memory may differ from the log: throw it away and open again.

    By itself it blames no record: the log, the network or another owner did it.
    """


class LedgerFenced(LedgerLost):
    """Another owner has initialised the partition's producer."""


class StepRefused(LedgerLost):
    """What a step made cannot be written: the broker refuses it, or the state cannot be given out.

    `trace` is the formatted exception; as the line says where there is none.
    """

    def __init__(self, line: str, trace: str = "") -> None:
        super().__init__(line)
        self.trace = trace or line


class StepTooSlow(LedgerLost):
    """The transaction did not end in time; whether it was committed is unknown."""


class RecordPoisoned(LedgerLost):
    """Folding `record` raised; `trace` is the formatted exception."""

    def __init__(self, record: InputRecord, trace: str) -> None:
        super().__init__(f"{record.topic.kind} {record.partition} {record.offset} cannot be folded")
        self.record = record
        self.trace = trace


class TimersFailed(LedgerLost):
    """Letting timers fire raised, or the broker refused what they made."""
