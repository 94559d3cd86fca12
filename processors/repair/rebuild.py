"""A ledger that folds its inputs anew, in a new epoch, after an operator's word.

The marker `@repair` stands in the log from before anything is removed until the last transaction of
the rebuilding: no ordinary ledger starts in between, and a repair that was killed goes on where it
was. Dispatches of the rebuilt past are not sent: what they asked was asked long ago, and what the
state as it is now wants to know is due once the repair has ended.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, cast

from processors.account.lost_fills import LostFill
from processors.ledger.folded import Folded
from processors.ledger.ledger import Ledger
from processors.ledger.log import LedgerLog
from processors.ledger.memory import Memory
from processors.ledger.opening import Loaded, at_place, check_whole, read_state, restored
from processors.ledger.settling import settle
from processors.ledger.state import REPAIR_KEY, Attempts, Repair, encoded
from processors.ledger.step import StepChanges
from processors.ledger.trouble import LedgerLost
from processors.ledger.writer import Probe, no_probe
from processors.partition import PartitionFold
from processors.repair.coverage import Coverage, relied_on
from processors.repair.finishing import FormerView
from processors.repair.former import Note, former_views, lost_fills
from processors.repair.gaps import gaps_in_raw
from processors.repair.notes import (
    ENDED,
    FOLDING,
    apply_found,
    note_of,
    packed_end,
    packed_lost,
    packed_views,
    sayable,
    without_dispatches,
)

CHUNK_RECORDS = 2_000
MakePartitionFold = Callable[[int], PartitionFold]


@dataclass(frozen=True, slots=True)
class FormerOutputs:
    """What the end of a repair found in the outputs of the former life."""

    retired: int = 0
    lost: int = 0


class Rebuilding(Ledger):
    """The ledger of a partition whose repair has begun. Raises as `Ledger` does."""

    _repair: Repair
    _partition_fold: PartitionFold
    _found: str = ""

    def __init__(
        self,
        ledger_log: LedgerLog,
        partition: int,
        make_state: MakePartitionFold,
        memory: Memory,
        probe: Probe = no_probe,
    ) -> None:
        self._log = ledger_log
        super().__init__(ledger_log, partition, make_state, memory, probe, open_log=self._load)

    def _settle(self, ledger_log: LedgerLog) -> None:
        settle(ledger_log, self.partition, self._writer, rebuilds=True)

    @property
    def done(self) -> int:
        """How many records of the inputs are folded, as offsets."""
        return sum(self.next_offsets.values())

    def end(self, note: Note, coverages: Mapping[str, Coverage]) -> FormerOutputs:
        """All is folded: end the former life's keys, publish what is lost, and end the repair.

        `coverages` is what the former life had looked at, by account.
        """
        former = former_views(self._log, self.partition, self._repair.epoch)
        for views in _chunks(former):
            self._write_found(packed_views(views))
        # Before the end is folded, which goes by what is lost to say since when an account is
        # blind.
        lost = lost_fills(self._log, self.partition, self._repair.epoch, note)
        for fills in _chunks_by_place(lost):
            self._write_found(packed_lost(fills))
        gaps = gaps_in_raw(self._log, self.partition, self._repair, self._now_ns())
        looked = relied_on(coverages, lost, gaps)
        # In one transaction with the end itself: a repair that is killed before it is not half
        # ended.
        self._repair = replace(self._repair, has_ended=True)
        self._write_found(packed_end(gaps, looked))
        self._writer.wait_until_shown()  # no killed Kafka can take the end back that is told
        return FormerOutputs(len(former), len(lost))

    def _load(self, ledger_log: LedgerLog, partition: int, make_state: Any) -> Loaded:
        own, state = restored(read_state(ledger_log, partition), partition, make_state)
        if own.repair is None or own.place is None or own.repair.has_ended:
            raise LedgerLost("another repair has ended meanwhile")
        check_whole(partition, own, state)
        self._repair = own.repair
        self._partition_fold = cast(PartitionFold, state)
        loaded = Loaded(state, own, own.place, {})
        return at_place(ledger_log, partition, loaded, ledger_log.topic_ids())

    def _changes(self) -> StepChanges:
        return without_dispatches(super()._changes())

    def _own_records(self, attempts: Attempts | None = None) -> list[tuple[bytes, bytes | None]]:
        return [*super()._own_records(attempts), (REPAIR_KEY, encoded(self._repair))]

    def _left_out_ns(self, folded: Folded) -> int:
        """When it was left out then: years of poison fold within a minute here."""
        return folded.clock_ns

    def _repair_note(self) -> dict[str, Any]:
        note = note_of(self._repair, ENDED if self._repair.has_ended else FOLDING)
        return note | {"found": sayable(self._found)} if self._found else note

    def _write_found(self, found: str) -> None:
        """A step without records: it folds what was found in outputs, and says so."""
        self._found, now_ns = found, self._now_ns()
        apply_found(self._partition_fold, found, now_ns)
        self._write(self._changes(), Folded([], [], now_ns))

    def _now_ns(self) -> int:
        return self._clock.reading(None, self._memory.clock.now_ns())


def _chunks(views: Iterable[FormerView]) -> Iterator[list[FormerView]]:
    rest = iter(views)
    while chunk := list(islice(rest, CHUNK_RECORDS)):
        yield chunk


def _chunks_by_place(fills: Iterable[LostFill]) -> Iterator[list[LostFill]]:
    """Chunks in which no position is cut: it is published whole, or not at all."""
    chunk: list[LostFill] = []
    for fill in sorted(fills, key=lambda one: (one.account, one.place)):
        place = chunk and (chunk[-1].account, chunk[-1].place)
        if len(chunk) >= CHUNK_RECORDS and place != (fill.account, fill.place):
            yield chunk
            chunk = []
        chunk.append(fill)
    if chunk:
        yield chunk
