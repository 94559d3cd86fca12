"""`orderloom repair`: rebuild a partition whose ledger stops, from what the inputs hold."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.later import Later
from cli.options import Venue

if TYPE_CHECKING:
    from cli import repairing
else:
    repairing = Later("cli.repairing")

_EPILOG = """\b
Examples:
  orderloom repair binance                     every partition that stops, after a question
  orderloom repair binance --partition 3 --author ada --reason "ledger topic lost, ticket 4711"
  orderloom repair binance --yes               without the question: for scripts
Stop every `orderloom process` of the venue first; ingest may go on. Interrupted, it goes on where
it was when it is run again. Consumers see a new epoch: they rebuild views, and know executions by
their key.
"""


def add_to(app: typer.Typer) -> None:
    """Register this family."""
    app.command(epilog=_EPILOG)(repair)


def repair(
    venue: Venue,
    partition: Annotated[
        list[int] | None,
        typer.Option(min=0, help="Only this one; may be repeated. Else all that stop."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it begins.")] = False,
    reason: Annotated[str, typer.Option(help="Why; stands in the commit records.")] = "",
    author: Annotated[
        str | None, typer.Option(help="Who; stands in the commit records. Else your login.")
    ] = None,
) -> None:
    """Rebuild partitions whose ledger stops: fold their inputs anew, in a new epoch."""
    wish = repairing.Wish(venue, tuple(partition or ()), reason, author, has_consent=yes)
    raise typer.Exit(repairing.run(wish))
