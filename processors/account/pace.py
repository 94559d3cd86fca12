"""How often and how patiently an account is asked about. Pure."""

from dataclasses import dataclass
from typing import Final

SECOND_NS: Final = 1_000_000_000
LATE_PERIODS: Final = 5
"""A cycle that is under way for longer than so many periods (or time-outs, if those are longer) is
late: what streams lost meanwhile is unknown, so the account is not in sync until it is complete."""
PATIENCE_DOUBLINGS_MAX: Final = 4
"""Then an answer is waited for for sixteen times the time-out: what is not lost has come by then,
or why it does not (the edge gives up what was decided ten minutes ago, and says so)."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How reconciliation is paced; all in ns. Part of the fold's configuration digest."""

    period_ns: int = 30 * SECOND_NS
    timeout_ns: int = 30 * SECOND_NS
    retry_ns: int = 2 * SECOND_NS
    lookback_ns: int = 24 * 3600 * SECOND_NS
    silence_ns: int = 6 * SECOND_NS

    @property
    def late_ns(self) -> int:
        """How long a cycle may be under way before it is late."""
        return LATE_PERIODS * max(self.period_ns, self.timeout_ns)

    def patience_ns(self, tries: int) -> int:
        """How long an answer is waited for, after so many askings that came to nothing.

        At a venue's limits the line may be longer than any time-out: each asking that it outlasts
        doubles the next one's, so that a question is asked a few times and not for ever.
        """
        return self.timeout_ns << min(tries, PATIENCE_DOUBLINGS_MAX)


STANDARD: Final = Pace()
