"""Where Bybit's requests say what they would change (docs/venues/bybit.md 7). Pure."""

from simulator.bybit import words
from simulator.bybit.fields import Fields
from simulator.bybit.signing import WINDOW_MS
from simulator.journal import Wish
from simulator.refusal import Refused
from simulator.wire.wishes import Said

CLIENT, VENUE = ("orderLinkId",), ("orderId",)
SAID = {
    "create": Said("place", client=CLIENT, quantity=("qty",)),
    "amend": Said("amend", client=CLIENT, venue=VENUE, side=(), quantity=("qty",)),
    "cancel": Said("cancel", client=CLIENT, venue=VENUE, side=(), price=(), quantity=()),
    "cancel-all": Said("cancel-all", side=(), price=(), quantity=()),
}
"""By an operation's name, without what says that it is a batch."""


def wishes_of(name: str, fields: Fields, account: str, sent: str, window: str) -> list[Wish]:
    """What an operation of this name would change; one of nothing where it cannot be read."""
    said = SAID[name.removesuffix("-batch")]
    is_read = sent.isdecimal() and (window or "0").isdecimal()
    expires_ms = int(sent) + int(window or WINDOW_MS) if is_read else None
    product = words.CATEGORIES.get(fields.text("category"), "")
    about = Wish(said.verb, account, product, sent=sent, window=window, expires_ms=expires_ms)
    try:
        rows = fields.items() if name.endswith("-batch") else [fields]
    except Refused:
        rows = []
    return [said.wish(row, about) for row in rows] or [about]
