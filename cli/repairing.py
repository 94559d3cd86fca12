"""The work of `orderloom repair`: say what was found, ask, rebuild, and say what came of it."""

import getpass
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import typer

from cli.printable import printable
from cli.processing import ledger_settings, pace_of, venue_as_set
from cli.registry import specs_of
from cli.setting import checked_settings
from processors.fold_version import fold_version
from processors.ledger.log import LedgerLog
from processors.ledger.trouble import LedgerLost, PartitionStopped
from processors.partition import PartitionFold
from processors.repair.rebuild import MakePartitionFold
from processors.repair.repair import (
    Outcome,
    RepairOrder,
    RepairProgress,
    check_unowned,
    repair,
)
from processors.repair.survey import Survey, check_repairable, line_of, survey, warnings_of
from runtime.clock import wall_ns
from runtime.kafka import connected_admin, readable_kafka_errors
from runtime.settings import Settings
from runtime.topics import require_topics
from runtime.trouble import PassingTrouble, SetupError
from venues import VENUES

DECLINED: Final = 1
SAY_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What one call asked for; no `partitions`: all that stop."""

    venue: str
    partitions: Sequence[int]
    reason: str
    author: str | None
    has_consent: bool = False


def run(wish: Wish) -> int:
    """Repair what is wished; the exit status. Raises SetupError."""
    settings = checked_settings()
    with readable_kafka_errors(), _readable_errors():
        ledger_log, make_state = _tools(settings, wish.venue)
        # All before any is changed: a person consents to the whole, and sees it first.
        found = list(_surveys(ledger_log, make_state, wish, settings.partitions))
        if not found:
            typer.echo(f"{wish.venue}: every partition opens as it is; nothing to repair")
            return 0
        for one in found:
            check_repairable(one)
            check_unowned(ledger_log, one.partition)
        if not wish.has_consent and not _is_agreed(len(found)):
            typer.echo("nothing was changed")
            return DECLINED
        for one in found:
            _repair(ledger_log, make_state, one, _order(wish, ledger_log))
    return 0


def _tools(settings: Settings, name: str) -> tuple[LedgerLog, MakePartitionFold]:
    venue = venue_as_set(VENUES[name], settings.venue(name))
    pace = pace_of(settings.venue(name))
    admin = connected_admin(settings.kafka.bootstrap, settings.kafka.client_security())
    require_topics(admin, specs_of(settings, name))

    def make_state(partition: int) -> PartitionFold:
        return PartitionFold(venue, partition, pace, settings.namespace, fold_version())

    return LedgerLog(ledger_settings(settings, venue, pace)), make_state


def _surveys(
    ledger_log: LedgerLog, make_state: MakePartitionFold, wish: Wish, partitions: int
) -> Iterator[Survey]:
    """The partitions to repair, each shown as it is found. Raises SetupError for a wrong number."""
    wrong = [number for number in wish.partitions if number >= partitions]
    if wrong:
        raise SetupError(
            f"there is no partition {wrong[0]}", f"{wish.venue} has 0 to {partitions - 1}"
        )
    for number in sorted(set(wish.partitions)) or range(partitions):
        found = survey(ledger_log, number, make_state)
        if found.cause:
            for line in lines_of(wish.venue, found):
                typer.echo(printable(line))
            yield found
        elif wish.partitions:
            typer.echo(f"{wish.venue} partition {number}: opens as it is; nothing to repair")


def lines_of(venue: str, found: Survey) -> Iterator[str]:
    """What was found of one partition, and what will be done."""
    yield f"{venue} partition {found.partition}: {line_of(found)}"
    if found.begun is not None:
        yield f"  a repair by {found.begun.author} (epoch {found.begun.epoch}) was begun"
    counts = ", ".join(f"{kind} {found.ends[kind] - begin}" for kind, begin in found.begins.items())
    yield f"  will fold {found.inputs} records again ({counts}); drops {found.records} of state"
    last = "nothing was published before" if found.epoch is None else f"the last is {found.epoch}"
    yield f"  will publish orders, fills, positions and accounts anew, in a higher epoch ({last})"
    yield from (f"  {line}" for line in warnings_of(found))


def _is_agreed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise SetupError(
            f"{count} partitions would be repaired, and there is no terminal to ask at",
            "look at the lines above, then give --yes",
        )
    return typer.confirm("Go on?")


def _order(wish: Wish, ledger_log: LedgerLog) -> RepairOrder:
    author = wish.author or getpass.getuser()
    return RepairOrder(author, wish.reason, ledger_log.settings.config_digest, wall_ns())


def _repair(
    ledger_log: LedgerLog, make_state: MakePartitionFold, found: Survey, order: RepairOrder
) -> None:
    say = Progress(f"partition {found.partition}", typer.echo)
    progress = RepairProgress(say.folded, say.compared)
    outcome = repair(ledger_log, found.partition, make_state, order, progress)
    typer.echo(result_of(found.partition, outcome))


def result_of(partition: int, outcome: Outcome) -> str:
    """What came of it."""
    found = outcome.former
    line = (
        f"partition {partition}: repaired, in epoch {outcome.epoch}; "
        f"{found.retired} keys of views are shown no more"
    )
    if outcome.raw_gap:
        return (
            f"{line}; {found.lost} published executions have no evidence left ({outcome.raw_gap})"
        )
    if found.lost:
        line += (
            f"; {found.lost} published executions were not found again, though no gap in raw is "
            "known: each stays open in `orderloom differences`"
        )
    return line


@dataclass(slots=True)
class Progress:
    """Says how far it is, every few seconds."""

    name: str
    say: Callable[[str], object]
    said_at: float = field(default_factory=time.monotonic)

    def folded(self, done: int, total: int) -> None:
        """So many records of the inputs are folded."""
        if self._is_time() or done == total:
            self.say(f"{self.name}: {done} of {total} records folded")

    def compared(self, count: int) -> None:
        """So many published fills were read."""
        if self._is_time():
            self.say(f"{self.name}: {count} published fills compared")

    def _is_time(self) -> bool:
        now = time.monotonic()
        if now - self.said_at < SAY_SECONDS:
            return False
        self.said_at = now
        return True


@contextmanager
def _readable_errors() -> Iterator[None]:
    """A repair that did not end becomes one line with the next step."""
    try:
        yield
    except PartitionStopped as stopped:
        raise SetupError(str(stopped), "the partition still stops for a repair") from stopped
    except LedgerLost as lost:
        raise PassingTrouble(
            f"the repair did not end ({lost})", "run it again: it goes on where it was"
        ) from lost
