"""The state of a partition as `ledger` holds it now: where a replay may begin that looks ahead.

It is read while its ledger may write; the digest and the epoch in the place beside it say whether
what was read is of one step.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from processors.ledger.commit_record import CommitRecord
from processors.ledger.ledger import MakeState
from processors.ledger.log import LedgerLog
from processors.ledger.opening import check_whole, read_state, restored
from processors.ledger.recorded import check_recorded, steps_back
from processors.ledger.state import RESERVED, LedgerPlace
from processors.ledger.trouble import PartitionStopped
from processors.replay.refold import CannotReplay, Configuration

TRIES_MAX = 10
WAIT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Present:
    """State records, their epoch, the step that left them and its offset in `commits`."""

    saved: Mapping[bytes, bytes]
    epoch: int
    step: CommitRecord
    offset: int
    configuration: Configuration | None


def present(ledger_log: LedgerLog, partition: int, make_state: MakeState) -> Present:
    """What the ledger holds. Raises CannotReplay, LedgerLost, KafkaException."""
    saved, epoch, place = _whole_state(ledger_log, partition, make_state)
    found: tuple[int, CommitRecord] | None = None
    # Those that it does not come to were written since.
    steps = (one for one in steps_back(ledger_log, partition) if one[0].step <= place.step)
    for step, message in steps:
        if found is None:
            found = message.offset() or 0, step
            _check_recorded(partition, place, step)
        # The newest up to there: only an opening changes it, and its first step says it
        # (decision 0213).
        is_of_now = found[1].config == ledger_log.settings.config_digest
        if step.configuration is not None or is_of_now:
            return Present(saved, epoch, found[1], found[0], step.configuration)
    raise CannotReplay(
        f"no step that commits still holds says the configuration that step {place.step} was "
        "folded with, and the settings of now are others"
    )


def _check_recorded(partition: int, place: LedgerPlace, step: CommitRecord) -> None:
    try:
        check_recorded(partition, place, step)
    except PartitionStopped as stopped:
        raise CannotReplay(str(stopped)) from None


def _whole_state(
    ledger_log: LedgerLog, partition: int, make_state: MakeState
) -> tuple[dict[bytes, bytes], int, LedgerPlace]:
    line = ""
    for _ in range(TRIES_MAX):
        records = read_state(ledger_log, partition)
        try:
            own, state = restored(records, partition, make_state)
            check_whole(partition, own, state)
        except PartitionStopped as stopped:
            line = str(stopped)
            time.sleep(WAIT_SECONDS)
            continue
        if own.place is None or own.place.step == 0:
            raise CannotReplay("its ledger holds no step yet")
        if own.repair is not None and not own.repair.has_ended:
            raise CannotReplay("a repair is under way")
        saved = {key: value for key, value in records.items() if not key.startswith(RESERVED)}
        return saved, own.epoch, own.place
    raise CannotReplay(line)
