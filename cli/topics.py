"""The command that makes and checks the topics and writes the account registry."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.later import Later
from cli.options import Venues

if TYPE_CHECKING:
    from cli import acl as acls
    from cli import registry
else:
    registry, acls = Later("cli.registry"), Later("cli.acl")

_EPILOG = """\b
Examples:
  orderloom topics                    all configured venues
  orderloom topics --venue binance
  orderloom topics --acl              who may write what, and the commands that enforce it
It may be run again at any time: what is there and right is left as it is.
"""


def add_to(app: typer.Typer) -> None:
    """Register this family."""
    app.command(epilog=_EPILOG)(topics)


def topics(
    venue: Venues = None,
    acl: Annotated[bool, typer.Option("--acl", help="Print who may write what; no more.")] = False,
) -> None:
    """Make and check the topics; write changed registry entries into control."""
    if acl:
        typer.echo("\n".join(acls.show()))
    else:
        registry.make_topics(venue)
