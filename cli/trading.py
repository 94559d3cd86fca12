"""The commands that change something at a venue."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.later import Later

if TYPE_CHECKING:
    from cli import canceling, killing
else:
    canceling, killing = Later("cli.canceling"), Later("cli.killing")

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


_KILL_EPILOG = """\b
Examples:
  orderloom kill binance --reason "the model is wrong"
  orderloom kill binance:main --only linear/BTCUSDT
"""
_RESUME_EPILOG = """\b
Examples:
  orderloom resume binance
  orderloom resume binance:main --only linear/BTCUSDT
"""
Scope = Annotated[str, typer.Argument(metavar="SCOPE", help="A venue, or an account of one.")]
Only = Annotated[
    str | None, typer.Option(metavar="PRODUCT[/SYMBOL]", help="Only of this product, or symbol.")
]
Reason = Annotated[str, typer.Option(help="Stands in the log, and is shown.")]


def add_to(app: typer.Typer) -> None:
    """Register this family."""
    app.command(epilog=_EPILOG)(cancel)
    app.command(epilog=_KILL_EPILOG)(kill)
    app.command(epilog=_RESUME_EPILOG)(resume)


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


def kill(
    scope: Scope,
    only: Only = None,
    reason: Reason = "",
    wait: Annotated[float, typer.Option(min=0, help="Seconds to watch what is canceled.")] = 30.0,
    json: Annotated[bool, typer.Option("--json", help="Answers as published.")] = False,
) -> None:
    """Stop trading in a scope: a record of the log that nothing decided before it passes.

    What is open there is canceled until it is shown closed. It stands until `orderloom resume`. Run
    again it does no harm. Exit status 0: fenced, and all is gone. 1: some will not be canceled.
    75: not all is known yet.
    """
    raise typer.Exit(killing.kill(killing.Wish(scope, only, reason, wait, json)))


def resume(scope: Scope, only: Only = None, reason: Reason = "") -> None:
    """Lift the kills of exactly this scope; orders may be placed there again."""
    raise typer.Exit(killing.resume(killing.Wish(scope, only, reason)))
