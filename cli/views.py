"""The commands that show the topics as tables: orders, fills, positions, accounts."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.later import Later
from cli.options import Venues

if TYPE_CHECKING:
    from cli import showing
else:
    showing = Later("cli.showing")

Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on as it changes, until Ctrl-C.")]
Json = Annotated[bool, typer.Option("--json", help="One message a line, as published.")]
Account = Annotated[str | None, typer.Option(help="Only this account.")]
Last = Annotated[int | None, typer.Option(min=1, help="Only the last changed rows.")]


def add_to(app: typer.Typer) -> None:
    """Register this family."""
    for command in (orders, fills, positions, accounts):
        app.command(epilog=_EPILOG.format(command.__name__))(command)


_EPILOG = """\b
Examples:
  orderloom {0}
  orderloom {0} --follow --account binance:main
  orderloom {0} --json --venue binance | jq .
"""


def orders(
    follow: Follow = False,
    json: Json = False,
    account: Account = None,
    venue: Venues = None,
    last: Last = None,
) -> None:
    """Show the state of each order, how sure it is, and why it closed."""
    showing.show("orders", showing.Wish(follow, json, account, venue, last))


def fills(
    follow: Follow = False,
    json: Json = False,
    account: Account = None,
    venue: Venues = None,
    last: Last = None,
) -> None:
    """Show each execution once, corrected, and whether it was pushed or had to be asked for."""
    showing.show("fills", showing.Wish(follow, json, account, venue, last))


def positions(
    follow: Follow = False,
    json: Json = False,
    account: Account = None,
    venue: Venues = None,
    last: Last = None,
) -> None:
    """Show each position with the band in which it lies whatever open orders do."""
    showing.show("positions", showing.Wish(follow, json, account, venue, last))


def accounts(
    follow: Follow = False,
    json: Json = False,
    account: Account = None,
    venue: Venues = None,
    last: Last = None,
) -> None:
    """Show what can be seen of each account: streams, sync, blind intervals, quarantine."""
    showing.show("accounts", showing.Wish(follow, json, account, venue, last))
