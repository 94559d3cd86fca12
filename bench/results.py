"""What was measured, what was asked, and how it is shown. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bench.latency import Latency
from bench.rates import Rate

HEADER = f"{'':<42}{'events':>8}{'events/s':>10}{'CPU µs':>9}{'fold µs':>9}{'rest µs':>9}"
LATENCY_HEADER = f"{'receipt to readable':<42}{'a second':>8}{'p50 ms':>10}{'p90':>9}{'p99':>9}"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A number, what is asked of it, and from what it comes. `asked` None: shown beside others."""

    name: str
    value: float
    asked: float | None
    is_limit: bool
    of: str

    @property
    def is_met(self) -> bool:
        """Whether it is what is asked."""
        if self.asked is None:
            return True
        return self.value <= self.asked if self.is_limit else self.value >= self.asked

    def line(self) -> str:
        """As it is printed."""
        if self.asked is None:
            return f"{self.name:<66}{self.value:>7.3f}  {'':<10}{'':<8}{self.of}"
        bound = f"{'<=' if self.is_limit else '>='} {self.asked:g}"
        word = "met" if self.is_met else "MISSED"
        return f"{self.name:<66}{self.value:>7.3f}  {bound:<10}{word:<8}{self.of}"

    def document(self) -> dict[str, Any]:
        """For the result file."""
        return {
            "name": self.name,
            "value": round(self.value, 4),
            "asked": self.asked,
            "at_most": self.is_limit,
            "met": self.is_met,
            "of": self.of,
        }


@dataclass(slots=True)
class Results:
    """Everything that one run found, by name; what could not be measured says why."""

    rates: dict[str, Rate] = field(default_factory=dict)
    latencies: dict[str, list[Latency]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    def ratios(self) -> list[Ratio]:
        """Those for which everything was measured."""
        return [*self._overheads(), *self._totals(), *self._catch_up()]

    def _overheads(self) -> Iterator[Ratio]:
        faust = self.rates.get(FAUST)
        same = self.rates.get(pipeline("same", 10))
        product = self.rates.get(pipeline("product", 10))
        if faust and same:
            yield _ratio("overhead, 10 a record, of stock Faust's", same, faust, 0.1)
        if faust and product:
            yield _ratio("overhead, 10 a record, product's fold, of stock Faust's", product, faust)
        for rate, fold in ((same, "same"), (product, "product")):
            bare = self.rates.get(folded(fold, 10))
            bare_one = self.rates.get(folded("same", 1))
            if rate and bare and faust and bare_one:
                mine, theirs = rate.cpu_us - bare.cpu_us, faust.cpu_us - bare_one.cpu_us
                yield Ratio(
                    f"the same less the fold measured alone ({fold})",
                    mine / theirs,
                    None,
                    is_limit=True,
                    of=f"{mine:.1f} of {theirs:.1f} µs",
                )

    def _totals(self) -> Iterator[Ratio]:
        quix = self.rates.get(QUIX)
        for fold, asked in (("same", 1.0), ("product", None)):
            rate = self.rates.get(pipeline(fold, 10))
            if quix and rate:
                yield Ratio(
                    f"events/s, 10 a record, of quixstreams' ({fold})",
                    rate.per_second / quix.per_second,
                    asked,
                    is_limit=False,
                    of=f"{rate.per_second:.0f} of {quix.per_second:.0f}; "
                    f"CPU {rate.cpu_us:.0f} of {quix.cpu_us:.0f} µs",
                )

    def _catch_up(self) -> Iterator[Ratio]:
        read, bare = self.rates.get(CATCH_UP), self.rates.get(CATCH_UP_BARE)
        if read and bare:
            yield Ratio(
                "catch-up, events/s, of the same folded from memory",
                read.per_second / bare.per_second,
                0.8,
                is_limit=False,
                of=f"{read.per_second:.0f} of {bare.per_second:.0f}; "
                f"CPU {read.cpu_us:.0f} of {bare.cpu_us:.0f} µs",
            )

    def lines(self) -> Iterator[str]:
        """The tables."""
        if self.rates:
            yield HEADER
            for name, rate in self.rates.items():
                yield (
                    f"{name:<42}{rate.events:>8}{rate.per_second:>10.0f}{rate.cpu_us:>9.1f}"
                    f"{rate.fold_us:>9.1f}{rate.overhead_us:>9.1f}"
                )
        if self.latencies:
            yield ""
            yield LATENCY_HEADER
        for name, found in self.latencies.items():
            for one in found:
                yield (
                    f"{name:<42}{one.rate:>8}{one.p50_ms:>10.1f}{one.p90_ms:>9.1f}"
                    f"{one.p99_ms:>9.1f}   ({one.frames_per_record:.1f} frames a record)"
                )
        yield ""
        yield from (ratio.line() for ratio in self.ratios())
        yield from (f"{name}: not measured: {why}" for name, why in self.failures.items())

    def document(self) -> dict[str, Any]:
        """For the result file."""
        return {
            **self.about,
            "rates": {name: rate.document() for name, rate in self.rates.items()},
            "latency": {
                name: [one.document() for one in found] for name, found in self.latencies.items()
            },
            "ratios": [ratio.document() for ratio in self.ratios()],
            "not_measured": self.failures,
        }


TRANSLATE = "translate"
FAUST = "stock Faust, Table, 1 a record"
QUIX = "quixstreams, 1 a record"
CATCH_UP = "catch-up from the log, 10 a record"
CATCH_UP_BARE = "the same records, from memory"


def folded(fold: str, events_per_record: int) -> str:
    """The name of a rate without a broker."""
    return f"translate + fold ({fold}), {events_per_record} a record"


def pipeline(fold: str, events_per_record: int) -> str:
    """The name of a rate of Faust and ledgers."""
    return f"Faust + ledger ({fold}), {events_per_record} a record"


def _ratio(name: str, mine: Rate, theirs: Rate, asked: float | None = None) -> Ratio:
    of = f"{mine.overhead_us:.1f} of {theirs.overhead_us:.1f} µs"
    return Ratio(name, mine.overhead_us / theirs.overhead_us, asked, is_limit=True, of=of)
