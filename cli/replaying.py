"""The work of `orderloom replay`: fold each partition's steps, say how far it is, what differs."""

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Final

import typer

from cli.processing import ledger_settings, pace_of, venue_as_set
from cli.setting import checked_settings, registered
from processors.configuration import configuration_of, configured_fold
from processors.fold_version import fold_version
from processors.ledger.log import LedgerLog
from processors.ledger.step import PartitionState
from processors.replay.comparison import Changed
from processors.replay.other import OtherFold
from processors.replay.partition_replay import TRY_AGAIN, PartitionReplay, ReplayPlan
from processors.replay.refold import CannotReplay, Configuration
from runtime.kafka import readable_kafka_errors
from runtime.settings import Settings
from runtime.trouble import SetupError
from venues import VENUES

SAY_SECONDS: Final = 2.0
FOLLOW_SECONDS: Final = 1.0
COLLECTIONS: Final = (10_000, 50, 1_000)  # as the workers have it
LISTED_MAX: Final = 1_000


class Status(IntEnum):
    """How a replay ends, as its exit status."""

    EQUAL = 0
    DIFFERS = 1
    CANNOT = 2


@dataclass(frozen=True, slots=True)
class Wish:
    """What one call asked for; no `partitions`: all, or that of the `account`."""

    venue: str
    begin: str = "start"
    follows: bool = False
    partitions: Sequence[int] = ()
    account: str | None = None
    other: Path | None = None


@dataclass(slots=True)
class Part:
    """One partition, and what is said of it."""

    replay: PartitionReplay
    other: OtherFold | None = None
    began_at: float = field(default_factory=time.monotonic)
    said_at: float = field(default_factory=time.monotonic)
    cannot: str = ""
    last_step: int = 0

    @property
    def status(self) -> Status:
        """What is known of it so far."""
        if self.cannot:
            return Status.CANNOT
        has_changed = self.other is not None and self.other.comparison.changed
        return Status.DIFFERS if self.replay.difference or has_changed else Status.EQUAL

    @property
    def is_over(self) -> bool:
        """Whether nothing more is folded."""
        return bool(self.cannot or self.replay.difference)

    def say(self, line: str, *, is_progress: bool = False) -> None:
        """One line about this partition; progress is no result."""
        typer.echo(f"partition {self.replay.partition}: {line}", err=is_progress)

    def note(self) -> None:
        """Say how far it is, every few seconds."""
        if time.monotonic() - self.said_at >= SAY_SECONDS:
            self.said_at = time.monotonic()
            self.say(
                f"step {self.replay.counts.step} of {self.last_step}, {self.rate}", is_progress=True
            )

    @property
    def rate(self) -> str:
        """How much was folded, and how fast."""
        counts = self.replay.counts
        seconds = max(time.monotonic() - self.began_at, 0.001)
        return (
            f"{counts.steps} steps of {counts.records} records folded, "
            f"{counts.records / seconds:,.0f} records a second"
        )


def run(wish: Wish) -> int:
    """Replay what is wished; the exit status."""
    try:
        settings = checked_settings()
        with readable_kafka_errors(), ExitStack() as clients:
            parts = [_part(wish, *one, clients) for one in _wished(settings, wish)]
            return _replay(parts, wish)
    except (SetupError, CannotReplay) as error:
        typer.echo(f"orderloom: {error}", err=True)
        return Status.CANNOT


def _wished(settings: Settings, wish: Wish) -> Iterator[tuple[Settings, int]]:
    """The partitions to look at. Raises SetupError for what is not there."""
    chosen = set(wish.partitions)
    if wish.account is not None:
        homes = {one.id: one.partition_of(settings.partitions) for one in registered(settings)}
        if wish.account not in homes:
            raise SetupError(
                f"{wish.account} stands not in {settings.accounts_file}",
                "give its partition by --partition instead",
            )
        chosen.add(homes[wish.account])
    wrong = [number for number in chosen if number >= settings.partitions]
    if wrong:
        raise SetupError(
            f"there is no partition {wrong[0]}", f"{wish.venue} has 0 to {settings.partitions - 1}"
        )
    if wish.other is not None and wish.begin == "now":
        raise SetupError(
            "another checkout cannot begin with a state that it did not make",
            "give --from start, or a step",
        )
    for number in sorted(chosen) or range(settings.partitions):
        yield settings, number


def _part(wish: Wish, settings: Settings, partition: int, clients: ExitStack) -> Part:
    venue = venue_as_set(VENUES[wish.venue], settings.venue(wish.venue))
    pace = pace_of(settings.venue(wish.venue))
    kept = configuration_of(venue, pace, settings.namespace)
    ledger_log = LedgerLog(ledger_settings(settings, venue, pace))

    def make(said: Configuration | None, digest: str) -> PartitionState:
        if said is None and digest != ledger_log.settings.config_digest:
            raise CannotReplay(
                "its steps do not say the configuration that they were folded with, and it is not "
                f"that of the settings now (its digest is {digest}): give those settings"
            )
        return configured_fold(VENUES[wish.venue], partition, said or kept, fold_version())

    plan = ReplayPlan(
        make,
        lambda number: configured_fold(VENUES[wish.venue], number, kept, fold_version()),
        fold_version(),
        from_step=int(wish.begin) if wish.begin.isdecimal() else None,
        from_now=wish.begin == "now",
    )
    other = None
    if wish.other is not None:
        other = OtherFold(wish.other, wish.venue, partition, kept)
        clients.callback(other.close)
    replay = PartitionReplay(ledger_log, partition, plan, other)
    clients.callback(replay.close)
    return Part(replay, other)


def _replay(parts: list[Part], wish: Wish) -> Status:
    """Fold each to its end, or until it is stopped; say what came of it."""
    gc.set_threshold(*COLLECTIONS)
    for part in parts:
        _begin(part)
    try:
        _advance_all(parts, wish)
    except KeyboardInterrupt:
        if not wish.follows:
            raise
    for part in parts:
        for line in _results(part, wish.account):
            part.say(line)
    return max((part.status for part in parts), default=Status.EQUAL)


def _begin(part: Part) -> None:
    try:
        if line := part.replay.begin():
            part.say(line)
        part.last_step = part.replay.last_step()
    except (CannotReplay, *TRY_AGAIN) as error:
        part.cannot = str(error)


def _advance_all(parts: list[Part], wish: Wish) -> None:
    while True:
        for part in parts:
            if not part.is_over:
                _advance(part, wish)
        if not wish.follows or any(part.is_over for part in parts):
            return
        time.sleep(FOLLOW_SECONDS)


def _advance(part: Part, wish: Wish) -> None:
    try:
        part.replay.advance(part.note)
    except CannotReplay as cannot:
        part.cannot = str(cannot)
    except TRY_AGAIN as error:
        if not wish.follows:
            part.cannot = str(error)
        part.say(f"tries again: {error}", is_progress=True)


def _results(part: Part, account: str | None) -> Iterator[str]:
    counts = part.replay.counts
    if part.other is not None:
        yield from _changes(part.other, account)
    if part.replay.difference is not None:
        yield str(part.replay.difference)
    if part.cannot:
        yield f"cannot go on: {part.cannot}"
    elif part.replay.difference is None:
        last = f"up to step {counts.step} " if counts.step else ""
        yield f"{part.replay.compared} steps {last}are equal; {part.rate}"


def _changes(other: OtherFold, account: str | None) -> Iterator[str]:
    found = {
        name: changed
        for name, changed in sorted(other.comparison.changed.items())
        if account in (None, changed.account)
    }
    version = f"{other.path} (version {other.version})"
    yield f"{version} would publish {len(found)} orders or other keys otherwise"
    yield from (
        f"  {_line_of(name, changed)}" for name, changed in list(found.items())[:LISTED_MAX]
    )
    if len(found) > LISTED_MAX:
        yield f"  and {len(found) - LISTED_MAX} more"


def _line_of(name: str, changed: Changed) -> str:
    topics = ", ".join(sorted(changed.topics))
    return f"{name}: {changed.records} records of {topics}, since step {changed.step}"
