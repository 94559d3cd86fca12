"""`python -m bench`: every layer and its peers, in one run on a warm broker of its own."""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench import against, by_venue, growth, large, memory, pauses
from bench import results as names
from bench.environments import QUIXSTREAMS, quix_version
from bench.large_figures import lines_of
from bench.latency import PRODUCT_PATH, RELAY_PATH, latencies
from bench.rates import Run, alone, catch_up, streamed
from bench.results import Results
from bench.sizes import FULL, QUICK, RATES, Sizes
from bench.stage import ROOT, PeerFailed, Stage
from bench.task import PRODUCT, SAME
from runtime.broker import EmbeddedBroker
from runtime.trouble import SetupError
from trial.stage import StageError
from venues import VENUES

HOME: Final = ROOT / "var" / "bench"
RECORD_SIZES: Final = (1, 10, 100)


@dataclass(slots=True)
class Bench:
    """One run: the stage, how much, and what was found so far."""

    stage: Stage
    sizes: Sizes
    results: Results
    began: float = field(default_factory=time.monotonic)

    def say(self, line: str) -> None:
        """Progress."""
        _say(f"[{time.monotonic() - self.began:4.0f} s] {line}")

    def warm_broker(self) -> None:
        """A cold JVM takes a core for itself, and its latencies are several times as long."""
        self.say("warming the broker up")
        count = self.sizes.broker_warm
        for events_per_record in (1, 10):
            streamed(self.stage, Run("ledger", SAME, events_per_record, 1_000, count // 2))

    def translate(self) -> None:
        """Parse and translate, nothing else."""
        sizes = self.sizes
        (rate,) = alone(self.stage, "translate", sizes.warm, sizes.translate, 1)
        self.results.rates[names.TRANSLATE] = rate

    def fold(self) -> None:
        """Translate and fold from memory, the state and outputs of a step every 20 records."""
        sizes = self.sizes
        for fold in (SAME, PRODUCT):
            found = alone(self.stage, fold, sizes.warm, sizes.fold, len(RECORD_SIZES))
            for events_per_record, rate in zip(RECORD_SIZES, found, strict=True):
                self.results.rates[names.folded(fold, events_per_record)] = rate

    def pipeline(self) -> None:
        """The product's worker, with the work of every peer and with its own fold."""
        for fold in (SAME, PRODUCT):
            for events_per_record in RECORD_SIZES:
                measured = self.sizes.pipeline[events_per_record]
                run = Run("ledger", fold, events_per_record, self.sizes.warm, measured)
                name = names.pipeline(fold, events_per_record)
                self.results.rates[name] = streamed(self.stage, run)

    def catch_up(self) -> None:
        """A ledger by itself."""
        read, bare = catch_up(self.stage, self.sizes.warm, self.sizes.catch_up)
        self.results.rates |= {names.CATCH_UP: read, names.CATCH_UP_BARE: bare}

    def faust(self) -> None:
        """Faust as its manual has it."""
        run = Run("stock_faust", SAME, 1, self.sizes.warm, self.sizes.faust)
        self.results.rates[names.FAUST] = streamed(self.stage, run)

    def quixstreams(self) -> None:
        """quixstreams in its own environment."""
        python = QUIXSTREAMS.python(self.say)
        self.results.about["quixstreams"] = quix_version(python)
        run = Run("quix", SAME, 1, self.sizes.warm, self.sizes.quix, python)
        self.results.rates[names.QUIX] = streamed(self.stage, run)

    def latency(self) -> None:
        """Receipt to readable."""
        seconds = self.sizes.latency_seconds
        for name, path in (("bare relay", RELAY_PATH), ("Faust + ledger", PRODUCT_PATH)):
            self.results.latencies[name] = latencies(self.stage, path, RATES, seconds)

    def run(self, only: str | None) -> None:
        """Every measurement, or one; one that fails is named, and the others go on."""
        if only not in WITHOUT_BROKER:
            self.warm_broker()
        for name, measure in self.measurements().items():
            if only in (None, name):
                self.say(name)
                try:
                    measure()
                except PeerFailed as failed:
                    self.results.failures[name] = str(failed)

    def measurements(self) -> dict[str, Callable[[], None]]:
        """All of them, in the order in which they run: latency last, when the broker is warm."""
        return {
            "translate": self.translate,
            "fold": self.fold,
            "pipeline": self.pipeline,
            "catch-up": self.catch_up,
            "faust": self.faust,
            "quixstreams": self.quixstreams,
            "latency": self.latency,
        }


MEASUREMENTS: Final = (
    "translate", "fold", "pipeline", "catch-up", "faust", "quixstreams", "latency",
)  # fmt: skip
WITHOUT_BROKER: Final = ("translate", "fold")
LARGE: Final = "large"
GROWTH: Final = "growth"
BY_VENUE: Final = "venues"
AGAINST: Final = "against"
AGAINST_HELP: Final = (
    "what a frame costs the fold here, at an older commit, and peers; nothing else"
)
HELP: Final = (
    "one measurement; `large` (accounts with many open and ended orders: Binance and OKX about "
    "twenty minutes, Bybit ten, Kraken an hour), `growth` (a message beside more and more, four "
    "minutes) and `venues` (a frame of each venue, a minute) run only when named"
)


def about(*, is_quick: bool) -> dict[str, Any]:
    """The machine, the date, the commit."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": f"{os.cpu_count()} x {_processor()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "quick": is_quick,
    }


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())


def main() -> int:
    """Measure, print, and keep the result in var/bench/result.json."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer events: a first look")
    parser.add_argument("--only", choices=(*MEASUREMENTS, LARGE, GROWTH, BY_VENUE), help=HELP)
    parser.add_argument("--against", metavar="REVISION", help=AGAINST_HELP)
    parser.add_argument("--venue", choices=VENUES, help="of `large`: this venue's accounts alone")
    options = parser.parse_args()
    shutil.rmtree(HOME, ignore_errors=True)
    logs = HOME / "logs"
    logs.mkdir(parents=True)
    results = Results(about=about(is_quick=options.quick))
    if options.against is not None:
        return _measure_against(results, options.against, is_quick=options.quick)
    if options.only == LARGE:
        return _measure_large(results, options.venue, is_quick=options.quick)
    if options.only == GROWTH:
        return _measure_growth(results, is_quick=options.quick)
    if options.only == BY_VENUE:
        return _measure_venues(results, is_quick=options.quick)
    began = time.monotonic()
    try:
        with EmbeddedBroker(HOME / "broker", report=_say) as kafka:
            sizes = QUICK if options.quick else FULL
            Bench(Stage(kafka.bootstrap, logs), sizes, results).run(options.only)
    except (SetupError, PeerFailed) as failed:
        _say(str(failed))
        return 1
    finally:
        shutil.rmtree(HOME / "broker", ignore_errors=True)
    results.about["seconds"] = round(time.monotonic() - began)
    return _show(results)


def _measure_large(results: Results, venue: str | None, *, is_quick: bool) -> int:
    """The large accounts, which bring a broker and workers of their own."""
    try:
        found = large.run(HOME / LARGE, _say, venue, is_quick=is_quick)
    except (SetupError, StageError) as failed:
        _say(str(failed))
        return 1
    print(*(f"{name}: {value}" for name, value in results.about.items()), sep=" · ")
    for _, figures in found:
        print("", *lines_of(figures), sep="\n")
    rows = {f"{one.venue} {one.product}": figures.document() for one, figures in found}
    path = HOME / f"{LARGE}.json"
    path.write_text(json.dumps(results.about | {LARGE: rows}, indent=2, ensure_ascii=False) + "\n")
    print(f"\nwritten to {path.relative_to(ROOT)}")
    return 0


def _measure_growth(results: Results, *, is_quick: bool) -> int:
    """What a message costs beside more and more; without a broker."""
    print(*(f"{name}: {value}" for name, value in results.about.items()), sep=" · ")
    print(growth.HEADER)
    rows, cycles = growth.measure(partial(print, flush=True), is_quick=is_quick)
    print(pauses.line(2_000 if is_quick else 20_000))
    print(memory.line(2_000 if is_quick else 20_000))
    found = {"rows": [one.document() for one in rows]}
    found["cycles"] = [one.document() for one in cycles]
    path = HOME / f"{GROWTH}.json"
    path.write_text(json.dumps(results.about | found, indent=2, ensure_ascii=False) + "\n")
    print(f"\nwritten to {path.relative_to(ROOT)}")
    return 0


def _measure_venues(results: Results, *, is_quick: bool) -> int:
    """What a frame of each venue costs; without a broker."""
    print(*(f"{name}: {value}" for name, value in results.about.items()), sep=" · ")
    ratios = by_venue.measure(partial(print, flush=True), is_quick=is_quick)
    found = {"ratios": [one.document() for one in ratios]}
    path = HOME / f"{BY_VENUE}.json"
    path.write_text(json.dumps(results.about | found, indent=2, ensure_ascii=False) + "\n")
    print(f"\nwritten to {path.relative_to(ROOT)}")
    return 0


def _measure_against(results: Results, revision: str, *, is_quick: bool) -> int:
    """What a frame costs here and at an older commit; without a broker."""
    try:
        found = against.compare(revision, HOME, _say, is_quick=is_quick)
        beside = against.peers(found, HOME, _say, is_quick=is_quick)
    except PeerFailed as failed:
        _say(str(failed))
        return 1
    print(*(f"{name}: {value}" for name, value in results.about.items()), sep=" · ")
    print(*against.lines_of(found), *against.lines_of_peers(beside), sep="\n")
    path = HOME / f"{AGAINST}.json"
    about = results.about | {AGAINST: revision}
    path.write_text(
        json.dumps(about | {"rows": found, "peers": beside}, indent=2, ensure_ascii=False) + "\n"
    )
    print(f"\nwritten to {path.relative_to(ROOT)}")
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _show(results: Results) -> int:
    print(*(f"{name}: {value}" for name, value in results.about.items()), sep=" · ")
    print(*results.lines(), sep="\n")
    path = HOME / "result.json"
    path.write_text(json.dumps(results.document(), indent=2, ensure_ascii=False) + "\n")
    print(f"\nwritten to {path.relative_to(ROOT)}")
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
