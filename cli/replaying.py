"""The work of `orderloom replay`: fold each partition's steps, say how far it is, what differs."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Final

import typer

from cli.printable import printable
from cli.processing import ledger_settings, pace_of, venue_as_set
from cli.setting import checked_settings
from orderloom.identity import venue_of
from orderloom.topology import CONTROL
from processors.collector import keep_collections_short
from processors.configuration import configuration_of, configured_fold
from processors.fold_version import fold_version
from processors.ledger.log import LedgerLog
from processors.ledger.step import PartitionState
from processors.replay.comparison import Changed
from processors.replay.other import OtherFold
from processors.replay.partition_replay import TRY_AGAIN, PartitionReplay, ReplayPlan
from processors.replay.refold import CannotReplay, Configuration
from runtime.control import held_registry
from runtime.kafka import readable_kafka_errors
from runtime.settings import Settings
from runtime.trouble import SetupError
from venues import VENUES

SAY_SECONDS: Final = 5.0
FOLLOW_SECONDS: Final = 1.0
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
    account: str | None = None
    began_at: float = field(default_factory=time.monotonic)
    said_at: float = field(default_factory=time.monotonic)
    said_step: int = 0
    cannot: str = ""
    last_step: int = 0

    @property
    def status(self) -> Status:
        """What is known of it so far."""
        if self.replay.difference or self.changed:
            return Status.DIFFERS
        return Status.CANNOT if self.cannot else Status.EQUAL

    @property
    def changed(self) -> dict[str, Changed]:
        """What the other fold would publish otherwise, of the account if one was asked for."""
        found = {} if self.other is None else self.other.comparison.changed
        return {
            name: changed
            for name, changed in sorted(found.items())
            if self.account in (None, changed.account)
        }

    @property
    def is_over(self) -> bool:
        """Whether nothing more is folded."""
        return bool(self.cannot or self.replay.difference)

    def say(self, line: str, *, is_progress: bool = False) -> None:
        """One line about this partition; progress is no result."""
        typer.echo(printable(f"partition {self.replay.partition}: {line}"), err=is_progress)

    def note(self) -> None:
        """Say how far it is, every few seconds."""
        step, now = self.replay.counts.step, time.monotonic()
        if step != self.said_step and now - self.said_at >= SAY_SECONDS:
            self.said_step, self.said_at = step, now
            last = max(step, self.last_step)
            self.say(f"step {step} of {last}, {self.rate}", is_progress=True)

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
            numbers = list(_wished(settings, wish))
            folding = _folding(settings, wish)
            return _replay([_part(folding, number, clients) for number in numbers], wish)
    except (SetupError, CannotReplay) as error:
        typer.echo(f"orderloom: {error}", err=True)
        return Status.CANNOT


def _wished(settings: Settings, wish: Wish) -> Iterator[int]:
    """The partitions to look at. Raises SetupError for what is not there."""
    chosen = set(wish.partitions)
    if wish.account is not None:
        chosen.add(_home_of(settings, wish.venue, wish.account))
    wrong = [number for number in chosen if number >= settings.partitions]
    if wrong:
        raise SetupError(
            f"there is no partition {wrong[0]}", f"{wish.venue} has 0 to {settings.partitions - 1}"
        )
    yield from sorted(chosen) or range(settings.partitions)


def _home_of(settings: Settings, venue: str, account: str) -> int:
    """The partition in which an account lies. Raises SetupError, KafkaException."""
    if venue_of(account) != venue:
        raise SetupError(
            f"{account} is no account of {venue}", f"its partitions hold {venue}:NAME alone"
        )
    # What the accounts file says of it may have been changed since, which is refused (decision
    # 0605): its records lie where `control` says.
    held = held_registry(settings, CONTROL.name(venue, settings.namespace), venue).accounts
    if account not in held:
        raise SetupError(
            f"{account} stands not in {CONTROL.name(venue, settings.namespace)}",
            "run `orderloom topics` if it is new, or give a --partition",
        )
    return held[account].partition


@dataclass(frozen=True, slots=True)
class Folding:
    """What all partitions are folded with: the log, the venue, and the settings of now."""

    wish: Wish
    ledger_log: LedgerLog
    now: Configuration

    def under(self, said: Configuration, partition: int) -> PartitionState:
        """An empty state under what a step said."""
        return configured_fold(VENUES[self.wish.venue], partition, said, fold_version())

    def make(self, said: Configuration | None, digest: str, partition: int) -> PartitionState:
        """The same; where no step said any, under the settings of now, if they are those."""
        if said is None and digest != self.ledger_log.settings.config_digest:
            raise CannotReplay(
                "its steps do not say the configuration that they were folded with, and it is not "
                f"that of the settings now (its digest is {digest}): give those settings"
            )
        return self.under(said or self.now, partition)


def _folding(settings: Settings, wish: Wish) -> Folding:
    if wish.other is not None and wish.begin == "now":
        raise SetupError(
            "another checkout cannot begin with a state that it did not make",
            "give --from start, or a step",
        )
    venue = venue_as_set(VENUES[wish.venue], settings.venue(wish.venue))
    pace = pace_of(settings.venue(wish.venue))
    ledger_log = LedgerLog(ledger_settings(settings, venue, pace))
    return Folding(wish, ledger_log, configuration_of(venue, pace, settings.namespace))


def _part(folding: Folding, partition: int, clients: ExitStack) -> Part:
    wish = folding.wish
    plan = ReplayPlan(
        lambda said, digest: folding.make(said, digest, partition),
        lambda number: folding.under(folding.now, number),
        fold_version(),
        from_step=int(wish.begin) if wish.begin.isdecimal() else None,
        from_now=wish.begin == "now",
    )
    other = None
    if wish.other is not None:
        other = OtherFold(wish.other, wish.venue, partition, folding.now)
        clients.callback(other.close)
    replay = PartitionReplay(folding.ledger_log, partition, plan, other)
    clients.callback(replay.close)
    return Part(replay, other, wish.account)


def _replay(parts: list[Part], wish: Wish) -> Status:
    """Fold each to its end, or until it is stopped; say what came of it."""
    keep_collections_short()
    for part in parts:
        _begin(part, wish)
    try:
        _advance_all(parts, wish)
    except KeyboardInterrupt:
        if not wish.follows:
            raise
    for part in parts:
        for line in _results(part):
            part.say(line)
    return overall(part.status for part in parts)


def overall(statuses: Iterable[Status]) -> Status:
    """That of the whole: a difference that was found stands, wherever nobody could look."""
    return max(statuses, key=(Status.EQUAL, Status.CANNOT, Status.DIFFERS).index)


def _begin(part: Part, wish: Wish) -> None:
    try:
        if line := part.replay.begin():
            part.say(line)
        part.last_step = part.replay.last_step()
    except (CannotReplay, *TRY_AGAIN) as error:
        _lose(part, error, wish)


def _lose(part: Part, error: Exception, wish: Wish) -> None:
    """Nothing more of this partition can be looked at."""
    part.cannot = str(error)
    # The results come when the others end, which may be never.
    if wish.follows:
        part.say(f"is watched no more: {part.cannot}", is_progress=True)


def _advance_all(parts: list[Part], wish: Wish) -> None:
    while True:
        for part in parts:
            if not part.is_over:
                _advance(part, wish)
        # One that is lost ends no watch of the others.
        differs = any(part.replay.difference for part in parts)
        if not wish.follows or differs or all(part.is_over for part in parts):
            return
        time.sleep(FOLLOW_SECONDS)


def _advance(part: Part, wish: Wish) -> None:
    if part.replay.counts.steps == 0:
        part.began_at = time.monotonic()
    try:
        part.replay.advance(part.note)
        if wish.follows:
            part.note()
    except CannotReplay as cannot:
        _lose(part, cannot, wish)
    except TRY_AGAIN as error:
        if wish.follows:
            part.say(f"tries again: {error}", is_progress=True)
        else:
            _lose(part, error, wish)


def _results(part: Part) -> Iterator[str]:
    counts = part.replay.counts
    if part.other is not None:
        yield from _changes(part.other, part.changed)
    if part.replay.difference is not None:
        yield str(part.replay.difference)
    if part.cannot:
        yield f"cannot go on: {part.cannot}"
    elif part.replay.difference is None:
        last = f"up to step {counts.step} " if counts.step else ""
        yield f"{part.replay.compared} steps {last}are equal; {part.rate}"


def _changes(other: OtherFold, found: dict[str, Changed]) -> Iterator[str]:
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
