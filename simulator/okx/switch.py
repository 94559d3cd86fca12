"""The dead man's switch, for everything or by tag (docs/venues/okx.md 11).

Conditional orders stay: nobody has confirmed that it ends them.
"""

from collections import deque
from dataclasses import dataclass, field

from simulator.accounts import Account
from simulator.matching import Order
from simulator.message import Document
from simulator.okx.fields import Fields
from simulator.okx.market import OkxMarket
from simulator.okx.refusals import refused
from simulator.okx.venue import OkxVenue

CHECK_S = 0.01
"""How often the venue looks whether one is due, and ends the next order of one that was."""
SECONDS_MIN, SECONDS_MAX = 10, 120
TAGS_MAX = 20


def cancel_all_after(venue: OkxVenue, account: Account, fields: Fields) -> Document:
    """POST cancel-all-after: so many seconds from now on; zero stops it."""
    fields.needed("timeOut")
    seconds, tag = fields.whole("timeOut") or 0, fields.text("tag")
    if seconds and not SECONDS_MIN <= seconds <= SECONDS_MAX:
        raise refused("bad", name="timeOut")
    scopes = venue.switches.scopes(account)
    tags = [scope for scope in scopes if scope]
    if seconds and tag and tag not in tags and len(tags) >= TAGS_MAX:
        raise refused("too_many_tags")
    due_ms = venue.switches.set(account, tag, seconds * 1000)
    unit = 1 if venue.config.face.timer_in_ms else 1000  # type: ignore[attr-defined]  # OKX's own
    return {"triggerTime": str(due_ms // unit), "tag": tag, "ts": str(venue.now_ms // unit)}


@dataclass(slots=True)
class Ending:
    """Ends the orders of switches that were due, one by one."""

    venue: OkxVenue
    _waiting: deque[tuple[OkxMarket, Account, Order]] = field(default_factory=deque)

    def step(self) -> None:
        """Look which are due; end the next order."""
        with self.venue.view.of_the_book():
            for account, tag in self.venue.switches.fired():
                self._waiting += [
                    (market, account, order)
                    for market in self.venue.markets
                    for order in market.seen(market.open_orders(account))
                    if tag in ("", order.tag)
                ]
        while self._waiting:
            market, account, order = self._waiting.popleft()
            if order.is_open:
                market.cancel(account, order, reason="TIMER")
                return
