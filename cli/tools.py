"""The commands beside the pipeline: normalize and fold (no Kafka), and the demo."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.later import Later
from cli.options import Venue, Venues

if TYPE_CHECKING:
    import cli.demo as play
    import cli.fold as folding
    import cli.normalize as normalizing
    import simulator.server as boxes
    import venues
else:
    play, folding, normalizing = Later("cli.demo"), Later("cli.fold"), Later("cli.normalize")
    venues, boxes = Later("venues"), Later("simulator.server")


def add_to(app: typer.Typer) -> None:
    """Register this family."""
    app.command(epilog=_NORMALIZE)(normalize)
    app.command(epilog=_FOLD)(fold)
    app.command(epilog=_DEMO)(demo)


_NORMALIZE = """\b
Examples:
  orderloom normalize binance < messages.jsonl
  echo '{"raw": {"e":"executionReport","s":"SOLUSDT","i":7,"x":"NEW","X":"NEW","z":"0"}}' \\
    | orderloom normalize binance
The fields of a line: docs/formats.md
"""


def normalize(venue: Venue) -> None:
    """Say what raw messages mean: JSON lines on stdin, one line of events for each on stdout."""
    raise typer.Exit(normalizing.run(venues.VENUES[venue], sys.stdin.buffer, sys.stdout.buffer))


_FOLD = """\b
Examples:
  orderloom fold binance < messages.jsonl
  orderloom fold binance --state-out monday.state < monday.jsonl > /dev/null
  orderloom fold binance --state-in monday.state < tuesday.jsonl
"""


def fold(
    venue: Venue,
    state_in: Annotated[Path | None, typer.Option(help="Go on from this state.")] = None,
    state_out: Annotated[Path | None, typer.Option(help="Save the state there.")] = None,
) -> None:
    """Fold raw messages on stdin into final order states and their digest on stdout."""
    status = folding.run(
        venues.VENUES[venue],
        sys.stdin.buffer,
        sys.stdout.buffer,
        sys.stderr.buffer,
        state_in=state_in,
        state_out=state_out,
    )
    raise typer.Exit(status)


_DEMO = """\b
Examples:
  orderloom demo                                  about two minutes
  orderloom demo --minutes 5 --rate 500 --seed 7
  orderloom demo --venue binance                  one venue alone
It ends with status 0 only if nothing was lost, doubled or wrong.
"""


def demo(
    minutes: Annotated[float, typer.Option(min=0.1, help="How long to trade.")] = 1.0,
    rate: Annotated[int, typer.Option(min=1, help="Private messages a second and venue.")] = 100,
    seed: Annotated[int, typer.Option(help="Of trading and faults.")] = 1,
    kills: Annotated[int, typer.Option(min=0, help="Workers of each kind to kill.")] = 1,
    directory: Annotated[Path, typer.Option(help="For its data, logs and verdict.")] = Path(
        "var/demo"
    ),
    venue: Venues = None,
) -> None:
    """Show the whole product on this machine, through faults and kills, and judge it."""
    options = play.DemoOptions(
        minutes=minutes, rate=rate, seed=seed, kills=kills, directory=directory
    )
    if venue:
        lacking = [name for name in venue if name not in boxes.BOXES]
        if lacking:
            choice = ", ".join(sorted(boxes.BOXES))
            raise typer.BadParameter(f"{lacking[0]} is not simulated: choose from {choice}")
        options = replace(options, venues=tuple(venue))
    raise typer.Exit(play.run(options))
