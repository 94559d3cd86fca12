"""Questions to a venue, as dispatches carry them. Pure.

A question is decided by a fold (so its id is deterministic), asked by ingest, and answered in `raw`
page by page. It may be asked twice; a lost one is asked again by the fold's timer.
"""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict


class About(StrEnum):
    """What a question is about."""

    SERVER_TIME = "SERVER_TIME"
    INSTRUMENTS = "INSTRUMENTS"
    OPEN_ORDERS = "OPEN_ORDERS"
    ORDER = "ORDER"
    ORDER_HISTORY = "ORDER_HISTORY"
    TRADES = "TRADES"
    POSITIONS = "POSITIONS"
    BALANCES = "BALANCES"


class Question(BaseModel):
    """One question. `symbol` None asks for all symbols of the product where the venue can.

    `since_ns`/`until_ns` bound TRADES and ORDER_HISTORY in venue time. `urgent` questions (a ghost,
    a reconnect) go before periodic ones. `is_conditional`: the ids are those of a conditional
    order, which a venue may keep under end points of its own.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    account: str
    about: About
    product: str
    symbol: str | None = None
    venue_order_id: str | None = None
    client_order_id: str | None = None
    # The venue's usual end point does not know such an id (decisions 0308 and 0807).
    is_conditional: bool = False
    # The venue's time by measured bounds: asked in ours, a clock
    # that is ahead would leave out what was missed (decision 0014).
    since_ns: int | None = None
    until_ns: int | None = None
    urgent: bool = False
    reason: str = ""

    def document(self) -> dict[str, Any]:
        """The question as it stands in `dispatches` and in each answer; absent fields left out."""
        return self.model_dump(mode="json", exclude_none=True)
