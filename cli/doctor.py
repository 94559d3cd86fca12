"""`orderloom doctor`: is everything as it must be; each finding is one line with the next step."""

from typing import TYPE_CHECKING

import typer

from cli.later import Later
from cli.printable import printable

if TYPE_CHECKING:
    from cli import checks, findings
else:
    checks, findings = Later("cli.checks"), Later("cli.findings")

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
    """Check settings, keys, broker, topics, lag, clock, and what can be seen of each account."""
    wrong = 0
    for finding in checks.examine():
        typer.echo(f"{finding.mark:5} {finding.part:9} {printable(finding.line)}")
        wrong += finding.mark is findings.Mark.WRONG
    raise typer.Exit(1 if wrong else 0)
