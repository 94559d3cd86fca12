"""The `orderloom` command: one file per family of commands; heavy rooms are imported when used."""

import errno
import os
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from cli import doctor, repair, replay, services, tools, topics, trading, views
from cli.options import CONFIG_VARIABLE, SPACED, Command
from runtime.files import UMASK
from runtime.trouble import SettingsError, SetupError

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What a full or broken disk says to one who writes."""

app = typer.Typer(
    name="orderloom",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=SPACED,
    epilog="""\b
Examples:
  orderloom demo                         everything on this machine, with a verdict
  orderloom broker                       a Kafka of one's own, data kept under var/
  orderloom topics                       make and check the topics, write the registry
  orderloom process binance              one worker; start as many as you like
  orderloom orders --follow              what it says of orders, live
  orderloom cancel --all binance:main    what is open there, until it is shown closed
""",
)
for family in (services, topics, views, trading, doctor, repair, replay, tools):
    family.add_to(app)
for one in app.registered_commands:
    one.cls = Command


@app.callback()
def orderloom(
    config: Annotated[
        Path | None,
        typer.Option(help="Settings file; else ORDERLOOM_CONFIG, else ./orderloom.toml."),
    ] = None,
) -> None:
    """The order-state backbone of a trading firm, on Kafka."""
    if config is not None:
        os.environ[CONFIG_VARIABLE] = str(config)


def main() -> None:
    """Run the command; trouble is one clear line on stderr and its own exit status.

    Typer itself ends with 130 at Ctrl-C, and with 1 where nobody reads our output any more.
    """
    os.umask(UMASK)  # keys, logs and state are nobody else's, those of Kafka and SQLite too
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # here it can be reported still, at the interpreter's end not
    except SetupError as error:
        sys.stderr.write(f"orderloom: {_text_of(error)}\n")
        sys.exit(error.exit_status)
    except OSError as error:
        if error.errno not in FULL | {errno.EPIPE}:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is buffered yet
        if error.errno in FULL:
            line = f"what should be written cannot be ({error.strerror}): make room, then try again"
            sys.stderr.write(f"orderloom: {line}\n")
        sys.exit(1)


def _text_of(error: SetupError) -> str:
    """The trouble in a line; several wrong settings are easier to read one below the other."""
    if isinstance(error, SettingsError) and len(error.lines) > 1:
        return "\n  ".join([f"{error.cause}:", *error.lines])
    return str(error)


if __name__ == "__main__":
    main()
