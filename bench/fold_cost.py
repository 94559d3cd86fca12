"""What one frame costs the fold, in CPU time: run in a checkout, this one or an older one.

`python fold_cost.py LOAD RECORD STEP RUNS`, the checkout in PYTHONPATH. LOAD is a file that
`bench.against` wrote: a line of JSON says how many frames only prepare, then comes one a frame:
[account, product, received ns, body]. RECORD frames stand in a record of `raw`, STEP records make
a step. Of each step the least time of RUNS runs counts, so that what else the machine does stays
out. Prints one line of JSON: microseconds a frame of folding and of giving out what changed.
"""

import gc
import json
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any, Final

from orderloom import raw, topology
from processors.ledger.step import InputRecord
from venues import VENUES

NOW_NS: Final = 1_800_000_000_000_000_000
PREPARED_RECORD: Final = 100


def new_fold() -> Any:
    """The fold of one partition, under the name that this checkout has for it."""
    try:
        from processors.partition import PartitionFold as Fold  # noqa: PLC0415 - which one, is seen
    except ImportError:
        from processors.book import PartitionBook as Fold  # type: ignore  # noqa: PLC0415
    return Fold(VENUES["binance"], 0)


class Records:
    """Frames packed as ingest packs them: numbered by connection, accounts in turn."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._offset = 0

    def of(self, frames: list[list[Any]], size: int) -> list[InputRecord]:
        """The frames as records of `raw`, at most `size` in each."""
        items: dict[str, list[Any]] = {}
        for account, product, received_ns, body in frames:
            mine = items.setdefault(account, [])
            number = self._numbers.get((account, product), 0) + 1
            self._numbers[account, product] = number
            if number == 1:
                change = getattr(raw, "ConnectionChange", None) or vars(raw)["Connection"]
                mine.append(change(product, product, "LIVE", 1))
            mine.append(raw.Frame(product, number, product, received_ns, body.encode()))
        found = []
        turns = {account: iter(mine) for account, mine in items.items()}
        while turns:
            for account, left in list(turns.items()):
                if part := tuple(islice(left, size)):
                    found.append(self._record(account, part))
                else:
                    del turns[account]
        return found

    def _record(self, account: str, items: tuple[Any, ...]) -> InputRecord:
        value = raw.encode(raw.RawRecord(account, 1, "bench", items))
        self._offset += 1
        return InputRecord(topology.RAW, 0, self._offset, NOW_NS, account.encode(), value)


def timed(prepared: list[InputRecord], steps: list[list[InputRecord]]) -> list[tuple[float, float]]:
    """CPU seconds of folding and of giving out, by step."""
    fold, clock, found = new_fold(), time.process_time, []
    for record in prepared:
        fold.fold(record, NOW_NS)
    fold.changes()
    gc.collect()
    gc.freeze()
    for step in steps:
        began = clock()
        for record in step:
            fold.fold(record, NOW_NS)
        folded = clock()
        fold.changes()
        found.append((folded - began, clock() - folded))
    gc.unfreeze()
    return found


def main() -> None:
    """One measurement."""
    size, step, runs = (int(one) for one in sys.argv[2:5])
    first, *lines = Path(sys.argv[1]).read_bytes().splitlines()
    prepare, frames = json.loads(first), [json.loads(line) for line in lines]
    records = Records()
    prepared = records.of(frames[:prepare], PREPARED_RECORD)
    counted = records.of(frames[prepare:], size)
    steps = [counted[at : at + step] for at in range(0, len(counted), step)]
    best = [timed(prepared, steps) for _ in range(runs)]
    a_frame = 1e6 / (len(frames) - prepare)
    parts = [sum(min(run[at][part] for run in best) for at in range(len(steps))) for part in (0, 1)]
    print(json.dumps({"fold": parts[0] * a_frame, "give out": parts[1] * a_frame}))


if __name__ == "__main__":
    main()
