"""The state of a partition as `ledger` holds it now: where a replay may begin that looks ahead.

It is read while its ledger may write; the digest and the epoch in the place beside it say whether
what was read is of one step.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from orderloom.topology import COMMITS
from processors.ledger.commit_record import CommitRecord
from processors.ledger.committed import tails
from processors.ledger.ledger import MakeState
from processors.ledger.log import LedgerLog
from processors.ledger.opening import check_whole, read_state, restored
from processors.ledger.state import RESERVED, LedgerPlace
from processors.ledger.trouble import PartitionStopped
from processors.replay.reading import step_in
from processors.replay.refold import CannotReplay, Configuration

TRIES_MAX = 10
WAIT_SECONDS = 0.5
LOOK_BACK = 256


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
    for messages in tails(ledger_log, COMMITS, partition, LOOK_BACK):
        numbered = ((message.offset() or 0, step_in(ledger_log, message)) for message in messages)
        steps = [one for one in numbered if one[1].step <= place.step]
        # The newest up to there: only an opening changes it, and its first step says it
        # (decision 0213).
        said = [step.configuration for _, step in steps if step.configuration is not None]
        if steps and (said or steps[-1][1].config == ledger_log.settings.config_digest):
            offset, step = steps[-1]
            return Present(saved, epoch, step, offset, said[-1] if said else None)
    raise CannotReplay(
        f"no step that commits still holds says the configuration that step {place.step} was "
        "folded with, and the settings of now are others"
    )


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
