"""The commands that are processes: broker, ingest, process, sink, simulate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.later import Later
from cli.options import Venue, Venues, known_sink

if TYPE_CHECKING:
    from cli import running
    from simulator import __main__ as simulator
else:
    running, simulator = Later("cli.running"), Later("simulator.__main__")


def add_to(app: typer.Typer) -> None:
    """Register this family."""
    app.command(epilog=_BROKER)(broker)
    app.command(epilog=_INGEST)(ingest)
    app.command(epilog=_PROCESS)(process)
    app.command(epilog=_SINK)(sink)
    app.command(epilog=_SIMULATE)(simulate)


_BROKER = """\b
Examples:
  orderloom broker                      on port 9092, until Ctrl-C
  orderloom broker --port 0             on a free port, which it prints
  orderloom broker --data /tmp/kafka
"""


def broker(
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Where it keeps its data; else broker in data_dir.")
    ] = None,
) -> None:
    """Run a real Apache Kafka on this machine, without Docker; its data are kept."""
    running.broker(port, data)


_INGEST = """\b
Examples:
  orderloom ingest binance                   one worker; started again when it crashes
  orderloom ingest binance --member edge-a   with a lasting name in its group
"""


def ingest(
    venue: Venue,
    member: Annotated[
        str | None,
        typer.Option(help="Lasting name in the group; else this host's first free one."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Do not start it again.")] = False,
) -> None:
    """Carry everything a venue's private streams and answers say into its raw topic."""
    raise typer.Exit(running.ingest(venue, member, once=once))


_PROCESS = """\b
Examples:
  orderloom process binance          one worker; it is started again when it crashes
  orderloom process binance --once   without that: the exit status says what happened
"""


def process(
    venue: Venue,
    once: Annotated[bool, typer.Option("--once", help="Do not start it again.")] = False,
) -> None:
    """Turn a venue's raw topic into orders, fills and positions, exactly once."""
    raise typer.Exit(running.process(venue, once=once))


_SINK = """\b
Examples:
  orderloom sink sqlite                          into var/orderloom.sqlite
  orderloom sink sqlite --to /data/orders.db --venue binance
  orderloom sink sqlite --rebuild                begin again from empty
"""


def sink(
    name: Annotated[str, typer.Argument(callback=known_sink, help="A destination: sqlite.")],
    to: Annotated[
        Path | None, typer.Option(help="Where to; else a file in data_dir named after it.")
    ] = None,
    venue: Venues = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Empty it and read everything again.")
    ] = False,
) -> None:
    """Carry orders, fills and positions to a destination, each once."""
    running.sink(name, to, venue, rebuild=rebuild)


_SIMULATE = """\b
Examples:
  orderloom simulate binance --port 9001 --seed 7 --rate 200
  orderloom simulate binance --config venue.toml  accounts, faults, limits
  orderloom simulate okx --faults bad-day.toml
It prints one line of JSON with its port. It only ever listens on this machine.
"""


def simulate(
    venue: Venue,
    config: Annotated[Path | None, typer.Option(help="TOML or JSON file.")] = None,
    faults: Annotated[Path | None, typer.Option(help="TOML or JSON file: faults alone.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="0: a free one.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of its trading and faults.")] = None,
    rate: Annotated[float | None, typer.Option(min=0, help="Private messages a second.")] = None,
) -> None:
    """Run a simulated venue: its real wire, a small market, seeded faults."""
    arguments = [venue, str(config)] if config else [venue]
    options = {"--faults": faults, "--port": port, "--seed": seed, "--rate": rate}
    for name, value in options.items():
        arguments += [name, str(value)] if value is not None else []
    raise typer.Exit(simulator.run(arguments))
