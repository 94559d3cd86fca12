"""Runs the processes: what stands between a command and the room that does its work."""

import sys
import threading
from pathlib import Path

import typer

from cli.members import held_member
from cli.setting import checked_settings, venues_of
from runtime.broker import EmbeddedBroker
from runtime.leash import module_command
from runtime.logs import set_up_logs
from runtime.settings import load_settings
from runtime.supervise_process import (
    hurry_on_hangup,
    leave,
    stop_on_signals,
    supervise_process,
)
from venues import VENUES


def broker(port: int | None, data: Path | None) -> None:
    """Run the embedded broker until SIGTERM or SIGINT."""
    settings = load_settings()
    chosen = settings.broker.port if port is None else port
    directory = data or settings.data_dir / "broker"
    stop = stop_on_signals()
    heap = settings.broker.heap_mib
    with EmbeddedBroker(directory, chosen, heap_mib=heap, report=typer.echo) as started:
        typer.echo(f"Kafka answers at {started.bootstrap}; data in {directory}; Ctrl-C stops it")
        started.wait(stop)


def ingest(venue: str, member: str | None, *, once: bool) -> int:
    """Run one ingest worker, again after each crash unless `once`; its exit status."""
    settings = checked_settings()
    set_up_logs(f"ingest {venue}", settings.log_level)
    if once:
        from ingest import worker  # noqa: PLC0415  heavy: for this child alone

        worker.run(settings, VENUES[venue], member or "", stop_on_signals())
        leave(0)
    # Where a person sits at a terminal, its end shall go on to end the worker.
    hurry = None if sys.stdin.isatty() else hurry_on_hangup()
    with held_member(settings.data_dir, f"ingest-{venue}", member) as name:
        command = module_command("cli.main", "ingest", venue, "--member", name, "--once")
        return _supervised(f"ingest {venue}", command, hurry)


def process(venue: str, *, once: bool) -> int:
    """Run one process worker, again after each crash unless `once`; its exit status."""
    settings = checked_settings()
    set_up_logs(f"process {venue}", settings.log_level)
    if once:
        from cli import processing  # noqa: PLC0415  the parent shall not carry Faust

        leave(processing.run_once(settings, venue))
    command = module_command("cli.main", "process", venue, "--once")
    return _supervised(f"process {venue}", command)


def _supervised(name: str, command: list[str], hurry: threading.Event | None = None) -> int:
    stop = stop_on_signals()
    status = supervise_process(name, command, stop, hurry=hurry)
    # It stopped as it was asked to: how its child took that is no failure.
    return 0 if stop.is_set() else status


def sink(name: str, target: Path | None, venues: list[str] | None, *, rebuild: bool) -> None:
    """Run one sink until SIGTERM or SIGINT."""
    from sinks import worker  # noqa: PLC0415  the other processes shall not carry its libraries

    settings = checked_settings()
    set_up_logs(f"sink {name}", settings.log_level)
    options = worker.SinkOptions(venues_of(settings, venues), target, rebuild)
    worker.run(name, settings, options, stop_on_signals())
