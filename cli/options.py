"""What the signatures of several commands share: arguments, checked before anything is done."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperCommand

from cli.later import Later

if TYPE_CHECKING:
    import sinks
    import venues
else:
    sinks, venues = Later("sinks"), Later("venues")

CONFIG_VARIABLE: Final = "ORDERLOOM_CONFIG"
SPACED: Final[dict[str, Any]] = {"max_content_width": 100, "help_option_names": ["-h", "--help"]}


class Command(TyperCommand):
    """A command that says where `--config` stands, unless it has one of its own."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As any command, but for that one mistake."""
        has_own = any("--config" in param.opts for param in self.params)
        if not has_own and any(one.partition("=")[0] == "--config" for one in args):
            ctx.fail(
                f"--config stands before the command: orderloom --config FILE {ctx.info_name} ..."
            )
        return super().parse_args(ctx, args)


def known_venue(name: str) -> str:
    """The argument VENUE, if there is such a venue; else the usage error that lists them."""
    return _one_of(name, sorted(venues.VENUES), "venue")


def known_venues(names: list[str] | None) -> list[str] | None:
    """The option --venue, each checked."""
    return [known_venue(name) for name in names or ()] or None


def known_sink(name: str) -> str:
    """The argument NAME of a sink, if there is such a sink."""
    return _one_of(name, sorted(sinks.SINKS), "sink")


def _one_of(name: str, names: list[str], kind: str) -> str:
    if name not in names:
        raise typer.BadParameter(f"no {kind} {name!r}: choose from {', '.join(names)}")
    return name


Venue = Annotated[str, typer.Argument(callback=known_venue, help="An exchange, such as binance.")]
Venues = Annotated[
    list[str] | None, typer.Option("--venue", callback=known_venues, help="Else all configured.")
]
