"""Which records are under suspicion, and which are left out. Pure.

Only an exception raised while folding a record, and the broker's refusal of what one record made,
count against it. Kafka errors, fencing and timeouts never do.
"""

from dataclasses import dataclass

from processors.ledger.step import InputRecord

FAILURES_MAX = 2
ATTEMPTS_SINGLE = 3  # from the third attempt at the same place on, steps of one record
ATTEMPTS_LEFT_OUT = 5  # the fifth leaves that record out: it kills the process
ACCOUNTS_MAX = 3  # more in a minute is a bad deploy, not bad data
ACCOUNTS_WINDOW_NS = 60 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Why a record is left out: a word for the commit record, and the evidence."""

    reason: str
    trace: str


class PoisonWatch:
    """The failures seen by this process; lives over openings."""

    def __init__(self) -> None:
        self._failures: dict[tuple[str, int], int] = {}
        self._verdicts: dict[tuple[str, int], Exclusion] = {}

    def failed(self, record: InputRecord, verdict: Exclusion) -> int:
        """Count a failure of `record`; from the second on it has this verdict."""
        key = _key(record)
        count = self._failures[key] = self._failures.get(key, 0) + 1
        if count >= FAILURES_MAX:
            self._verdicts.setdefault(key, verdict)
        return count

    def killed(self, record: InputRecord, attempts: int) -> None:
        """`record` stands alone before a step that was attempted so often; nobody survived it."""
        trace = f"the process ended in each of {attempts} attempts to fold what begins here"
        self._verdicts.setdefault(_key(record), Exclusion("killed", trace))

    def verdict(self, record: InputRecord) -> Exclusion | None:
        """Why `record` is to be left out; None for one to be folded."""
        return self._verdicts.get(_key(record)) if self._verdicts else None

    def committed(self, records: list[InputRecord]) -> None:
        """These are behind us: forget what was counted."""
        if self._failures or self._verdicts:
            for record in records:
                self._failures.pop(_key(record), None)
                self._verdicts.pop(_key(record), None)


def _key(record: InputRecord) -> tuple[str, int]:
    return record.topic.kind, record.offset
