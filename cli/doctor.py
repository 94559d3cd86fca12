"""`orderloom doctor`: is everything as it must be; each finding is one line with the next step."""

from typing import TYPE_CHECKING

import typer

from cli.later import Later

if TYPE_CHECKING:
    from cli import checks
else:
    checks = Later("cli.checks")

_EPILOG = """\b
Examples:
  orderloom doctor
  orderloom --config /etc/orderloom/orderloom.toml doctor
It only looks: nothing is written. Status 0 if nothing is wrong, else 1.
"""


def add_to(app: typer.Typer) -> None:
    """Register this family."""
    app.command(epilog=_EPILOG)(doctor)


def doctor() -> None:
    """Check settings, accounts, broker, topics, lag and clock."""
    wrong = 0
    for finding in checks.examine():
        typer.echo(f"{finding.mark:5} {finding.part:9} {finding.line}")
        wrong += finding.mark is checks.Mark.WRONG
    raise typer.Exit(1 if wrong else 0)
