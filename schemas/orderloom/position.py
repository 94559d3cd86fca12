"""One record of `positions.<venue>`: the sum of the executions, and the band around it."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from orderloom.event import Cause
from orderloom.quantities import Unit
from orderloom.words import PositionSide, Product


class Opening(BaseModel):
    """What was held at a venue time (ns UTC), by the venue's own figure, before we first looked."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    venue_ns: int
    net: Decimal
    average_entry: Decimal | None = None


class Position(BaseModel):
    """The opening and all executions after it, net, in native units.

    It lies in [low, high] whatever open orders do.
    While a blind interval covers the account, `unbounded` says that the band proves nothing.
    `contract_size` is base (quote, if inverse) for one of the native unit, None until the
    instrument is known; `net_base` follows from it (None for inverse contracts). `realized` is in
    the quote (or settlement) currency, since the opening, before fees, None while the size is
    unknown; `fees` are kept by currency and not netted.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = 1
    account: str
    product: Product
    symbol: str
    position_side: PositionSide
    # None: of executions whose message names none, until their order does (docs/contract.md).
    margin_mode: str | None = None
    net: Decimal
    quantity_unit: Unit = Unit.BASE
    # In the order of venue time: any order of arrival gives the same (decision 0003).
    average_entry: Decimal | None = None
    # None until two cycles agree on what was held before (docs/state-model.md 4.12).
    opening: Opening | None = None
    contract_size: Decimal | None = None
    net_base: Decimal | None = None
    realized: Decimal | None = None
    fees: dict[str, Decimal] = Field(default_factory=dict)
    low: Decimal
    high: Decimal
    # Then low and high prove nothing (docs/state-model.md 4.5).
    unbounded: bool
    version: int
    sequence: int
    epoch: int
    cause: Cause
