"""A `process` worker in whose fold two mistakes are planted: one asserts, one kills the process.

`python -m tests.end_to_end.planted_worker [--once]`, told by ORDERLOOM_CONFIG like any worker; it
is a program of its own: the product's worker has no way to be told such a thing.
"""

import os
import sys
from hashlib import blake2b
from typing import Final

from cli import processing
from orderloom import topology
from processors.ledger.step import InputRecord
from processors.measured import MeasuredFold
from runtime.logs import set_up_logs
from runtime.settings import load_settings
from runtime.supervise_process import stop_on_signals, supervise_process

ASSERTS: Final = "binance:sim-0"
KILLS: Final = "binance:sim-1"
ONE_IN: Final = 6  # an account has some 80 executions: that none of them is planted never happens


class PlantedFold(MeasuredFold):
    """Falls over certain records of two accounts, the same ones whenever they are folded."""

    def fold(self, record: InputRecord, now_ns: int) -> None:
        """Fold one record, or fall."""
        account = (record.key or b"").decode()
        if record.topic is topology.RAW and account not in set(self.quarantined()):
            if account == ASSERTS and is_planted(record):
                raise AssertionError("planted")
            if account == KILLS and is_planted(record):
                os._exit(9)
        super().fold(record, now_ns)


def is_planted(record: InputRecord) -> bool:
    """One record in so many that hold an execution, told by its bytes."""
    value = record.value or b""
    return b'"TRADE"' in value and blake2b(value).digest()[0] % ONE_IN == 0


def main() -> int:
    settings = load_settings()
    set_up_logs("planted", settings.log_level)
    if "--once" in sys.argv:
        processing.MeasuredFold = PlantedFold  # type: ignore[attr-defined]  # that is the plant
        return processing.run_once(settings, "binance")
    command = [sys.executable, "-m", "tests.end_to_end.planted_worker", "--once"]
    return supervise_process("planted", command, stop_on_signals())


if __name__ == "__main__":
    sys.exit(main())
