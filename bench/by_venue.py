"""What a frame of each venue costs to read and to fold, beside the usual venue's.

The frames are those of seeded histories of the simulated venues: what the same traders do, as each
venue tells it. In one process, without a broker: CPU time, the least of several runs, the venues in
turn, as the machine may be quicker now than then. To fold holds what a step publishes and saves.
"""

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from bench.latency import NOW_NS
from bench.results import Ratio
from orderloom import topology
from orderloom.raw import ConnectionChange, Frame, Item, RawRecord, encode
from processors.intake import read_frame
from processors.ledger.step import InputRecord
from processors.partition import PartitionFold
from simulator.faces import FACES, USUAL
from simulator.history import MESSAGES_MAX, generate
from venues import VENUES

HISTORIES: Final = 40
QUICK_HISTORIES: Final = 4
RUNS: Final = 4
RECORD_FRAMES: Final = 10
STEP_RECORDS: Final = 20
RATIO_MAX: Final = 1.5
"""Asked of each venue, beside the usual one."""
HEADER: Final = f"{'a frame of':<20}{'frames':>8}{'read µs':>9}{'with fold µs':>14}{'ratio':>8}"


@dataclass(slots=True)
class VenueCost:
    """CPU µs a frame, the least so far."""

    venue: str
    frames: int
    read_us: float = float("inf")
    folded_us: float = float("inf")

    def line(self, usual: "VenueCost") -> str:
        """As it is printed."""
        ratio = self.folded_us / usual.folded_us
        numbers = f"{self.frames:>8}{self.read_us:>9.1f}{self.folded_us:>14.1f}{ratio:>8.2f}"
        return f"{self.venue:<20}{numbers}"

    def ratio(self, usual: "VenueCost") -> Ratio:
        """Beside what is asked."""
        of = f"{self.folded_us:.1f} of {usual.folded_us:.1f} µs"
        name = f"read and fold, a frame of {self.venue}, of {usual.venue}'s"
        return Ratio(name, self.folded_us / usual.folded_us, RATIO_MAX, is_limit=True, of=of)


class VenueLoad:
    """The frames of one venue, an account for each history."""

    def __init__(self, venue: str, histories: int) -> None:
        self.venue = VENUES[venue]
        self.frames = {
            f"{venue}:history{seed}": list(_frames(venue, seed)) for seed in range(1, histories + 1)
        }
        self.cost = VenueCost(venue, sum(map(len, self.frames.values())))

    def measure(self) -> None:
        """Once more: the least counts."""
        read = self._timed(self._read)
        self.cost.read_us = min(self.cost.read_us, read)
        steps = list(self.steps())
        folded = self._timed(lambda: _fold(PartitionFold(self.venue, 0), steps))
        self.cost.folded_us = min(self.cost.folded_us, folded)

    def _timed(self, work: Callable[[], None]) -> float:
        gc.collect()
        began = time.process_time()
        work()
        return 1e6 * (time.process_time() - began) / self.cost.frames

    def _read(self) -> None:
        for frames in self.frames.values():
            for frame in frames:
                read_frame(self.venue, frame)

    def steps(self) -> Iterator[list[InputRecord]]:
        """The records that are folded, by step."""
        records = [
            _record(account, offset, items) for offset, (account, items) in enumerate(self._items())
        ]
        for start in range(0, len(records), STEP_RECORDS):
            yield records[start : start + STEP_RECORDS]

    def _items(self) -> Iterator[tuple[str, Sequence[Item]]]:
        for account, frames in self.frames.items():
            live = {one.connection: one.product for one in frames}
            yield account, [ConnectionChange(*one, "LIVE", 1) for one in live.items()]
            for start in range(0, len(frames), RECORD_FRAMES):
                yield account, frames[start : start + RECORD_FRAMES]


def _frames(venue: str, seed: int) -> Iterator[Frame]:
    numbers = Counter[str]()
    for line in generate(seed, MESSAGES_MAX, venue=venue).lines:
        if line["source"] == "stream":
            product, body = line["product"], line["raw"]
            numbers[product] += 1
            value = body.encode() if isinstance(body, str) else orjson.dumps(body)
            number = numbers[product]
            yield Frame(f"c-{product}", number, product, line["received_ns"], value)


def _record(account: str, offset: int, items: Sequence[Item]) -> InputRecord:
    value = encode(RawRecord(account, 1, "bench", tuple(items)))
    return InputRecord(topology.RAW, 0, offset, NOW_NS, account.encode(), value)


def _fold(partition: PartitionFold, steps: list[list[InputRecord]]) -> None:
    for step in steps:
        for record in step:
            partition.fold(record, NOW_NS)
        partition.changes()


def measure(say: Callable[[str], None], *, is_quick: bool) -> list[Ratio]:
    """Every venue that can be simulated, beside the usual one; `say` gets each line."""
    loads = [VenueLoad(venue, QUICK_HISTORIES if is_quick else HISTORIES) for venue in FACES]
    for _ in range(RUNS):
        for load in loads:
            load.measure()
    costs = [load.cost for load in loads]
    usual = next(cost for cost in costs if cost.venue == USUAL)
    say(HEADER)
    for cost in costs:
        say(cost.line(usual))
    ratios = [cost.ratio(usual) for cost in costs if cost is not usual]
    for ratio in ratios:
        say(ratio.line())
    return ratios
