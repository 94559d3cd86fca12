"""The commands that show the topics as tables: orders, fills, positions, and so on."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

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


MEANINGS: Final = {
    "orders": "Show the state of each order, how sure it is, and why it closed.",
    "fills": "Show each execution once, corrected, and if it was pushed or had to be asked for.",
    "positions": "Show each position with the band in which it lies whatever open orders do.",
    "accounts": "Show what can be seen of each account: streams, sync, blind intervals.",
    "differences": "Show what reconciliation found: both sides, and the rule, or that it is open.",
}
_EPILOG: Final = """\b
Examples:
  orderloom {0}
  orderloom {0} --follow --account binance:main
  orderloom {0} --json --venue binance | jq .
"""


def add_to(app: typer.Typer) -> None:
    """Register this family."""
    for kind, meaning in MEANINGS.items():
        app.command(kind, help=meaning, epilog=_EPILOG.format(kind))(_showing(kind))


def _showing(kind: str) -> Callable[..., None]:
    def command(
        follow: Follow = False,
        json: Json = False,
        account: Account = None,
        venue: Venues = None,
        last: Last = None,
    ) -> None:
        showing.show(kind, showing.Wish(follow, json, account, venue, last))

    return command
