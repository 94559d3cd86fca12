"""`orderloom replay`: fold recorded steps again, and compare each with what was recorded."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.later import Later
from cli.options import Venue

if TYPE_CHECKING:
    from cli import replaying
else:
    replaying = Later("cli.replaying")

_EPILOG = """\b
Examples:
  orderloom replay binance                     every partition, from the first step that is left
  orderloom replay binance --account binance:main --from 120000
  orderloom replay binance --from now --follow         go on beside the workers, until Ctrl-C
  orderloom replay binance --with ../orderloom-next    what another checkout would decide
It reads alone, and may run beside anything. Exit status: 0 all steps are equal, 1 one differs (or,
with --with, a record would), 2 it could not look everywhere, and found none. docs/replay.md
"""


def add_to(app: typer.Typer) -> None:
    """Register this family."""
    app.command(epilog=_EPILOG)(replay)


def _checked(given: str) -> str:
    if given not in ("start", "now") and not given.isdecimal():
        raise typer.BadParameter(f"{given!r} is no step: give a number, `start` or `now`")
    return given


def replay(
    venue: Venue,
    begin: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="start|STEP|now",
            callback=_checked,
            help="Where to begin to compare; `now`: with the state as the ledger holds it.",
        ),
    ] = "start",
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with new steps, until Ctrl-C or a difference.")
    ] = False,
    partition: Annotated[
        list[int] | None, typer.Option(min=0, help="Only this one; may be repeated.")
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="Only this account's partition; with --with its records.")
    ] = None,
    other: Annotated[
        Path | None,
        typer.Option("--with", metavar="PATH", help="Also fold with the code of this checkout."),
    ] = None,
) -> None:
    """Fold recorded steps again: do the same inputs still come to what was published?"""
    wish = replaying.Wish(
        venue,
        begin=begin,
        follows=follow,
        partitions=tuple(partition or ()),
        account=account,
        other=other,
    )
    raise typer.Exit(replaying.run(wish))
