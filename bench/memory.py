"""What an open order with one execution takes of a process that holds many. Asked: 3.5 KB.

The growth of the process from some thousand such orders to many more: with all that is kept for an
order, the allocator's losses included. What the bench itself keeps is measured apart, by another
process that makes the same records and folds none, and is left out.
"""

import gc
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.growth import AT_ONCE, Meter
from bench.plain_account import PlainAccount
from processors.ledger.step import InputRecord

BYTES_MAX: Final = 3_500
WARM: Final = 2_000
Take = Callable[[InputRecord], object]
STATM: Final = Path("/proc/self/statm")
PAGE_BYTES: Final = 4_096


def line(number: int) -> str:
    """One line: the figure, measured in a process of its own; Linux alone says it."""
    if not STATM.exists():
        return "memory of an open order: not measured, as there is no /proc here"
    folded, made = (_in_a_process(number, what) for what in ("folded", "made"))
    taken = folded - made
    verdict = "met" if taken <= BYTES_MAX else "NOT MET"
    return (
        f"memory of an open order with one execution, of {number}: {taken:,.0f} bytes, "
        f"asked {BYTES_MAX:,}  {verdict}"
    )


def _in_a_process(number: int, what: str) -> float:
    command = [sys.executable, "-m", "bench.memory", str(number), what]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _resident_bytes() -> int:
    gc.collect()
    return int(STATM.read_text().split()[1]) * PAGE_BYTES


def _bytes_an_order(number: int, take: Take) -> float:
    account = PlainAccount()
    take(account.greeting())
    _place_and_execute(account, 0, WARM, take)
    before = _resident_bytes()
    _place_and_execute(account, WARM, WARM + number, take)
    return (_resident_bytes() - before) / number


def _place_and_execute(account: PlainAccount, first: int, end: int, take: Take) -> None:
    for start in range(first, end, AT_ONCE):
        orders = range(start, min(start + AT_ONCE, end))
        take(account.pushed(map(account.placed, orders)))
        take(account.pushed(map(account.executed, orders)))


def _folding() -> Take:
    """Folds each record as a step."""
    meter = Meter()
    # A ledger asks for what the orders mean once a second: until then they wait to be hashed.
    return lambda record: meter.feed(record).content_digest


def main(number: str, what: str) -> None:
    """Print the figure alone, in bytes."""
    print(_bytes_an_order(int(number), _folding() if what == "folded" else lambda _record: None))


if __name__ == "__main__":
    main(*sys.argv[1:])
