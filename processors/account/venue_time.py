"""Our times in the venue's time: bounds of how far the venue's clock is from ours, by product.

Pure; decision 0014. A sample says that the venue's clock read `venue_ns` between `sent_ns` and
`received_ns` of ours, so the venue's clock less ours lay between two bounds. What our clock read in
between two samples is bounded by both, so a span is converted with all bounds from the last sample
before it on: also if our clock was set meanwhile, or another host with another clock took over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, NamedTuple

from orderloom.raw import GENERATION_LEAD_SECONDS, Answer, ClockSample, Failure

CLOCK: Final = "k"
"""The kind of its state records."""
DRIFT_NS: Final = 100_000_000
"""So far a clock may move between two samples without its being noticed."""
APART_NS_MAX: Final = GENERATION_LEAD_SECONDS * 1_000_000_000
"""A clock that is further off than this is not known: it is no clock to convert by."""
KEPT: Final = 32
"""Bounds kept apart: five minutes of samples. Older ones are joined into one."""


class ClockBounds(NamedTuple):
    """From `at_ns` of our clock on, the venue's less ours lay between `low_ns` and `high_ns`."""

    at_ns: int
    low_ns: int
    high_ns: int


@dataclass(slots=True)
class VenueTime:
    """One product's bounds, in the order of the log.

    `generation` is that of the ingest worker whose clock the last ones are of; -1: not known.
    """

    bounds: list[ClockBounds] = field(default_factory=list)
    generation: int = -1

    def take(self, sample: ClockSample, generation: int, now_ns: int) -> int | None:
        """Learn from a sample; since when (ns, ours) times may have been converted wrongly.

        None where it agrees with what is known, as nearly always. One that cannot be right says
        that nothing is known from here on.
        """
        # A former owner's clock says nothing of the times that are reported now.
        if generation < self.generation:
            return None
        last = self.bounds[-1] if self.bounds else None
        low_ns, high_ns = sample.venue_ns - sample.received_ns, sample.venue_ns - sample.sent_ns
        # Received before it was sent, or in times to come: not believed (decision 0014, rule 5).
        is_possible = low_ns <= high_ns and sample.received_ns <= now_ns + APART_NS_MAX
        if not is_possible or max(-low_ns, high_ns) > APART_NS_MAX:
            was_known, self.generation = self.generation >= 0, -1
            return last.at_ns if was_known and last is not None else None
        self.generation = generation
        self.bounds.append(ClockBounds(sample.received_ns, low_ns, high_ns))
        if len(self.bounds) > KEPT:
            first, second = self.bounds[:2]
            # Wider than either, so of times that old too much is asked for, and never too little.
            joined = min(first.low_ns, second.low_ns), max(first.high_ns, second.high_ns)
            self.bounds[:2] = [ClockBounds(first.at_ns, *joined)]
        if last is None or _gap_ns((last, self.bounds[-1])) <= DRIFT_NS:
            return None
        # If our clock was set back, the new sample has the earlier time.
        return min(last.at_ns, sample.received_ns)

    def is_known(self, generation: int) -> bool:
        """Whether times that the ingest worker of that generation reports can be converted."""
        return self.generation >= max(generation, 0)

    def lowest_ns(self, at_ns: int) -> int:
        """The least that the venue's clock was ahead of ours, from `at_ns` of ours on."""
        # Before any sample there are no bounds: a cycle covers nothing
        # then (decision 0014, rule 5).
        return min((one.low_ns for one in self._from(at_ns)), default=0) - DRIFT_NS

    def highest_ns(self, at_ns: int) -> int:
        """The most that the venue's clock was ahead of ours, from `at_ns` of ours on."""
        return max((one.high_ns for one in self._from(at_ns)), default=0) + DRIFT_NS

    def leap_ns(self, at_ns: int) -> int:
        """How far our clock was surely set, or changed for another, from `at_ns` of ours on."""
        return _gap_ns(self._from(at_ns))

    def earliest_ns(self, at_ns: int) -> int:
        """The earliest venue time that a late time of ours can be."""
        return at_ns + min((one.low_ns for one in self._from(at_ns)), default=0)

    def ours_ns(self, venue_ns: int) -> int:
        """The earliest time of ours that a venue time, of whenever, can be."""
        # Rather too early: a blind interval that begins there must not leave the execution out.
        return venue_ns - max((one.high_ns for one in self.bounds), default=0)

    def _from(self, at_ns: int) -> list[ClockBounds]:
        # Our clock may have been set back, so a time may stand at several places: the first counts.
        for place, after in enumerate(self.bounds[1:]):
            if after.at_ns > at_ns:
                return self.bounds[place:]
        return self.bounds[-1:]


def _gap_ns(bounds: Sequence[ClockBounds]) -> int:
    """How far apart bounds lie that do not meet; 0 where one offset fits them all."""
    if not bounds:
        return 0
    return max(0, max(one.low_ns for one in bounds) - min(one.high_ns for one in bounds))


@dataclass(slots=True)
class VenueTimes:
    """Those of one partition, by product; `dirty` are the products that changed since saved."""

    KINDS: ClassVar[tuple[str, ...]] = (CLOCK,)

    by_product: dict[str, VenueTime] = field(default_factory=dict)
    dirty: set[str] = field(default_factory=set)

    def of(self, product: str) -> VenueTime:
        """That of one product; nothing is known of it yet where no sample came."""
        return self.by_product.setdefault(product, VenueTime())

    def take(self, sample: ClockSample, generation: int, now_ns: int) -> int | None:
        """Learn from a sample (`VenueTime.take`)."""
        self.dirty.add(sample.product)
        return self.of(sample.product).take(sample, generation, now_ns)

    def asked_ns(self, item: Answer | Failure, generation: int) -> int | None:
        """The earliest venue time at which this may have been asked.

        None where the clock of the ingest worker of that generation is not known: what another one
        measured says nothing of its times.
        """
        time = self.of(item.question.get("product", ""))
        # Bounds of another worker's clock could put the answer into the venue's future: then the
        # next true change would be no news (decision 0014).
        return time.earliest_ns(item.asked_ns) if time.generation == generation else None

    def state(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The state records that changed since the last call, by key."""
        for product in sorted(self.dirty):
            one = self.of(product)
            bounds = [each._asdict() for each in one.bounds]
            fields = {"product": product, "bounds": bounds, "generation": one.generation}
            yield f"{CLOCK}/{product}", fields
        self.dirty.clear()

    def restore(self, _kind: str, document: dict[str, Any]) -> None:
        """Take back one state record."""
        bounds = [ClockBounds(**one) for one in document["bounds"]]
        self.by_product[document["product"]] = VenueTime(bounds, document["generation"])
