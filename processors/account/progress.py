"""Shows people how far an account is that catches up: lines in the log, and metrics.

The first look at a large account takes minutes at the venue's rate limits; the state itself is
pure, so its rim looks at it after each step and says it here.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from processors.account.account import AccountFold
from processors.account.showing import progress_of
from runtime import metrics

EVERY_SECONDS = 5.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class ProgressLog:
    """One line for each account that catches up, every few seconds; one when it is in sync.

    `clock` is in seconds and never leaps.
    """

    clock: Callable[[], float] = time.monotonic
    _logged: dict[str, float] = field(default_factory=dict)

    def look(self, state: AccountFold) -> None:
        """The account's state may have changed."""
        for product, cycles in state.look_ups.reconciliation.cycles.items():
            progress = cycles.progress()
            metrics.CYCLE_ASKED.labels(state.account, product).set(progress["asked"])
            metrics.CYCLE_ANSWERED.labels(state.account, product).set(progress["answered"])
        metrics.ORDERS_KNOWN.labels(state.account).set(state.orders.count)
        now = self.clock()
        if state.is_synced:
            if self._logged.pop(state.account, None) is not None:
                self._say(state, f"in sync, {state.orders.count} orders")
        elif now - self._logged.setdefault(state.account, now) >= EVERY_SECONDS:
            self._logged[state.account] = now
            for line in lines_of(state):
                self._say(state, line)

    @staticmethod
    def _say(state: AccountFold, line: str) -> None:
        extra = {"account": state.account, "venue": state.setting.venue}
        log.info("%s %s", state.account, line, extra=extra)


def lines_of(state: AccountFold) -> list[str]:
    """How far each product's cycle is, as a person reads it."""
    return [
        f"{product}: {one['answered']} of {one['asked']} questions answered, {one['pages']} pages; "
        f"{state.orders.count} orders"
        for product, one in progress_of(state).items()
    ]
