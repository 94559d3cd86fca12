"""The commands that change something at a venue."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.later import Later

if TYPE_CHECKING:
    from cli import canceling
else:
    canceling = Later("cli.canceling")

Orders = Annotated[
    list[str] | None,
    typer.Argument(metavar="ORDER", help="An order's key, as `orderloom orders` shows it."),
]
_EPILOG = """\b
Examples:
  orderloom cancel binance:main/spot/BTCUSDT/1234
  orderloom cancel --all binance:main
  orderloom cancel --all binance:main --only linear/BTCUSDT
"""


def add_to(app: typer.Typer) -> None:
    """Register this family."""
    app.command(epilog=_EPILOG)(cancel)


def cancel(
    orders: Orders = None,
    account: Annotated[
        str | None, typer.Option("--all", metavar="ACCOUNT", help="All that are open there.")
    ] = None,
    only: Annotated[
        str | None, typer.Option(metavar="PRODUCT[/SYMBOL]", help="With --all: only of this one.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="Known by it, it is done once.")] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds until it is left to go on.")] = 30.0,
    json: Annotated[bool, typer.Option("--json", help="One answer a line, as published.")] = False,
) -> None:
    """Cancel orders, and say what became of each; an order is done when it is shown closed.

    Exit status 0: all closed. 1: some will not be. 75: not known yet; it goes on.
    """
    wish = canceling.Wish(tuple(orders or ()), account, only, key, wait, json)
    raise typer.Exit(canceling.run(wish))
