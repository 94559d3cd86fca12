"""The longest pause of Python's collector beside many open orders, under load.

No partition of a process folds in a pause. Beside it the same without `processors.collector`: what
a worker would have if nothing were set aside. Wall time, so that what else runs on the machine is
in it. Asked: at most 20 ms.
"""

import gc
import subprocess
import sys
import time
from typing import Any, Final

from bench.growth import AT_ONCE, STRIDE, with_open_orders
from bench.plain_account import NOW_NS, PlainAccount
from processors.collector import keep_collections_short

PAUSE_MS_MAX: Final = 20.0
STEPS: Final = 600


def line(number: int) -> str:
    """One line: both figures, each measured in a process of its own."""
    kept, plain = (_in_a_process(number, how) for how in ("kept", "plain"))
    verdict = "met" if kept <= PAUSE_MS_MAX else "NOT MET"
    return (
        f"longest pause of the collector, {number} open orders: {kept:.1f} ms "
        f"({plain:.1f} with nothing set aside), asked {PAUSE_MS_MAX:.0f}  {verdict}"
    )


def _in_a_process(number: int, how: str) -> float:
    command = [sys.executable, "-m", "bench.pauses", str(number), how]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _longest_ms(number: int) -> float:
    """Executions of so many open orders in turn, each with one already."""
    meter, account = with_open_orders(number)
    _execute(meter.partition, account, number, number // AT_ONCE)
    found, began = [0.0], 0.0

    def watch(phase: str, _info: dict[str, Any]) -> None:
        nonlocal began
        if phase == "start":
            began = time.perf_counter()
        else:
            found.append(time.perf_counter() - began)

    gc.callbacks.append(watch)
    _execute(meter.partition, account, number, STEPS)
    return max(found) * 1e3


def _execute(partition: Any, account: PlainAccount, number: int, steps: int) -> None:
    for step in range(steps):
        orders = ((step * AT_ONCE + one) * STRIDE % number for one in range(AT_ONCE))
        partition.fold(account.pushed(map(account.executed, orders)), NOW_NS)
        partition.changes()


def main(number: str, how: str) -> None:
    """Print the figure alone, in ms."""
    if how == "kept":
        keep_collections_short()
    print(_longest_ms(int(number)))


if __name__ == "__main__":
    main(*sys.argv[1:])
