"""One record of `positions.<venue>`: the sum of the executions, and the band around it."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from orderloom.event import Cause
from orderloom.quantities import Unit
from orderloom.words import PositionSide


class Position(BaseModel):
    """Net of all executions in native units; it lies in [low, high] whatever open orders do.

    While a blind interval covers the account, `unbounded` says that the band proves nothing.
    `realized` is in the instrument's quote (or settlement) currency, before fees; `fees` are kept
    by currency and not netted.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = 1
    account: str
    product: str
    symbol: str
    position_side: PositionSide
    margin_mode: str | None = None
    net: Decimal
    quantity_unit: Unit = Unit.BASE
    average_entry: Decimal | None = None
    realized: Decimal = Decimal(0)
    fees: dict[str, Decimal] = Field(default_factory=dict)
    low: Decimal
    high: Decimal
    unbounded: bool
    version: int
    sequence: int
    epoch: int
    cause: Cause
