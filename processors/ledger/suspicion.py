"""Whether what an opened ledger folds next may end its process, and how that is found out.

Before the first fold of an opening an attempt is written into the log. The step's commit ends
it; so does a process that outlived it, which says so when it opens again, or stops. What still
stands there ended its process. From the third attempt at the same place on the ledger is careful:
it folds the batch that was not committed record by record, and says too when timers are about to
fire. docs/decisions/0201 has the reasons.
"""

from dataclasses import replace

from processors.ledger.memory import Memory, ends_of
from processors.ledger.poison import ATTEMPTS_LEFT_OUT, ATTEMPTS_SINGLE
from processors.ledger.state import Attempts, LedgerPlace
from processors.ledger.step import InputRecord
from processors.ledger.trouble import PartitionStopped


class Suspicion:
    """That of one opening; `standing` are the attempts that nobody outlived, this one's not."""

    def __init__(self, memory: Memory, logged: Attempts, step: int) -> None:
        self.standing = memory.standing(logged, step)
        self._memory = memory
        self._is_first = True
        self._under_way: Attempts | None = None
        self._is_careful = self.standing.count + 1 >= ATTEMPTS_SINGLE

    def noted(self) -> None:
        """The opening's note has been written, with what is `standing`."""
        # Not taken back a second time: the log says now that this process outlived it.
        self._memory.attempt = None
        if self._is_careful:
            self._memory.size.narrow(1, self.standing.until)

    def attempt(self, records: list[InputRecord]) -> Attempts | None:
        """What to write before these are folded; None where nothing is in doubt.

        Where four attempts ended with their processes, the fifth leaves out the one record that it
        would fold. Of timers nothing can be left out: it raises PartitionStopped.
        """
        # An attempt for each step would find a killer in the middle of a life one death earlier,
        # and cost a transaction more a step (decision 0201).
        if not self._is_first and not self.standing.count:
            return None
        attempted = self.standing.another(ends_of(records))
        if attempted.count >= ATTEMPTS_LEFT_OUT:
            # What ended the process behind the record, or without one, was a timer.
            if self.standing.timers or not records:
                raise PartitionStopped(
                    f"the process ended in each of {self.standing.count} attempts to let timers "
                    "fire: this is a fault of the program; run the version before it"
                )
            self._memory.poison.killed(records[0], self.standing.count)
        return self._begun(attempted)

    def attempt_timers(self) -> Attempts | None:
        """What to write before timers fire behind records; None where nothing is in doubt."""
        if not self._is_careful or self._under_way is None:
            return None
        return self._begun(replace(self._under_way, timers=self.standing.timers + 1))

    def taken_back(self) -> Attempts | None:
        """What to write where this process stops, alive; None where nothing is under way."""
        return None if self._under_way is None else self.standing

    def carried(self, place: LedgerPlace) -> Attempts | None:
        """What the step that comes to `place` hands on while the batch is not folded to its end."""
        if self._is_careful and self._memory.size.is_narrow_at(place.next):
            # Two, so that the next record is attempted alone: a killer at the end of the batch
            # costs as many deaths as one at its head (decision 0201).
            return Attempts(place.step, ATTEMPTS_SINGLE - 1, until=self.standing.until)
        return None

    def committed(self, carried: Attempts | None) -> None:
        """A step was committed, and with it what is `carried` on."""
        self.standing = carried or Attempts()
        self._under_way, self._is_first = None, False
        self._is_careful = carried is not None

    def _begun(self, attempts: Attempts) -> Attempts:
        self._under_way = self._memory.attempt = attempts
        self._memory.timers_before = self.standing.timers
        return attempts
