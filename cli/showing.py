"""Reads the topics into tables or lines, once or live."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.printable import printable
from cli.setting import checked_settings, registered, venues_of
from cli.tables import VIEWS, Rows, line_of
from runtime.clock import wall_ns
from runtime.settings import Settings
from runtime.trouble import PassingTrouble, SettingsError
from sinks.follower import Follower

SILENT_SECONDS_MAX: Final = 30.0
POLL_SECONDS: Final = 0.25
AGE_SECONDS: Final = 1.0
TABLE_EDGE_LINES: Final = 6
WIDE_COLUMNS: Final = 220


@dataclass(frozen=True, slots=True)
class Wish:
    """What one call asked for; `last` None shows every row."""

    follow: bool = False
    json: bool = False
    account: str | None = None
    venues: list[str] | None = None
    last: int | None = None


def show(kind: str, wish: Wish) -> None:
    """Show the view of topics of this kind. Raises SetupError."""
    settings, view = checked_settings(), VIEWS[kind]
    venues = venues_of(settings, wish.venues)
    topics = {view.topic.name(venue, settings.namespace): view.topic for venue in venues}
    rows = Rows(view, wish.account)
    with Follower(settings.kafka, topics) as follower:
        read_to_end(follower, rows)
        if not len(rows) and wish.account is not None:
            sys.stderr.write(f"orderloom: {nothing_of(wish.account, kind, settings)}\n")
        if wish.json:
            _print_lines(follower, rows, wish)
        else:
            _print_table(follower, rows, wish)


def nothing_of(account: str, kind: str, settings: Settings) -> str:
    """Why nothing is shown of an account: a name that nobody knows is not a quiet account."""
    try:
        names = sorted(one.id for one in registered(settings))
    except SettingsError:  # a reader of topics may have no registry
        return f"{account} has no {kind} in these topics: is its name right?"
    if account in names:
        return f"{account} has no {kind} yet"
    known = ", ".join(names) or "none"
    return f"no account {account} is registered, nor has it {kind}; registered are: {known}"


def read_to_end(follower: Follower, rows: Rows) -> None:
    """Take every record up to the ends. Raises PassingTrouble, and what the follower raises."""
    heard = time.monotonic()
    while not follower.is_at_end:
        batch = follower.poll(POLL_SECONDS)
        for record in batch.records:
            rows.take(record)
        if batch.offsets:
            heard = time.monotonic()
        elif time.monotonic() - heard > SILENT_SECONDS_MAX and not follower.is_at_end:
            raise PassingTrouble(
                f"the topics were not delivered for {SILENT_SECONDS_MAX:.0f} s",
                "see `orderloom doctor`, then try again",
            )


def _print_lines(follower: Follower, rows: Rows, wish: Wish) -> None:
    out = sys.stdout.buffer
    lines = list(rows.lines())
    out.writelines(lines[-wish.last if wish.last else 0 :])
    out.flush()
    while wish.follow:
        follower.check_if_due()
        for record in follower.poll(POLL_SECONDS).records:
            if rows.take(record):
                out.write(line_of(record))
        out.flush()


def _print_table(follower: Follower, rows: Rows, wish: Wish) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE_COLUMNS)
    if not wish.follow:
        console.print(table_of(rows, wish.last))
        return
    most = min(wish.last or sys.maxsize, max(1, console.height - TABLE_EDGE_LINES))
    with Live(table_of(rows, most), console=console, auto_refresh=False) as live:
        _follow(follower, rows, lambda: live.update(table_of(rows, most), refresh=True))


def _follow(follower: Follower, rows: Rows, show: Callable[[], None]) -> None:
    shown = time.monotonic()
    while True:
        follower.check_if_due()  # else what is frozen would look as if nothing happened
        taken = [rows.take(record) for record in follower.poll(POLL_SECONDS).records]
        if any(taken) or time.monotonic() - shown > AGE_SECONDS:  # how old it is, grows by itself
            show()
            shown = time.monotonic()


def table_of(rows: Rows, most: int | None) -> Table:
    """The table of the rows, or of the last `most` of them."""
    cells = rows.cells(wall_ns(), most)
    title = rows.view.topic.kind
    count = f"{len(rows)}" if len(cells) == len(rows) else f"last {len(cells)} of {len(rows)}"
    table = Table(title=f"{title}: {count}", header_style="bold")
    for heading, _ in rows.view.columns:
        table.add_column(heading, overflow="fold")
    for row in cells:
        # As a text, or rich would read markup in it, and in `[/x]` an error.
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table
