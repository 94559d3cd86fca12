"""One record of `instruments.<venue>`: tick, lot, contract size and units of one instrument."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from orderloom.event import Cause
from orderloom.quantities import Unit
from orderloom.words import Product


class Instrument(BaseModel):
    """What is traded at a venue. `contract_size` is base (quote, if inverse) per contract.

    `symbol` is its name in every record; `aliases` are others that the venue has for it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = 1
    venue: str
    product: Product
    symbol: str
    aliases: tuple[str, ...] = ()
    base: str | None = None
    quote: str | None = None
    settle: str | None = None
    tick: Decimal | None = None
    lot: Decimal | None = None
    quantity_min: Decimal | None = None
    notional_min: Decimal | None = None
    # A venue may change it: an order keeps the one that it began with (docs/state-model.md 4.10).
    contract_size: Decimal | None = None
    is_inverse: bool = False
    quantity_unit: Unit = Unit.BASE
    status: str | None = None
    cause: Cause
