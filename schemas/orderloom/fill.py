"""One record of `fills.<venue>`: one execution, once; or its correction, or its bust."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from orderloom.event import Cause
from orderloom.quantities import Unit
from orderloom.words import FillKind, Liquidity, PositionSide, Product, Side, Source


class Fill(BaseModel):
    """An execution. `execution_key` is its identity within the account.

    `kind` REAL comes once per execution; CORRECTION repeats it with better content (a fee that came
    later); BUST takes it back. `fee` above 0 was charged; `more_fees` are those beside it, by
    currency, where a venue charges several. `source` says whether the first evidence
    of it was pushed (`stream`) or had to be asked for (`query`): what reconciliation healed.
    `quantity_base` is the quantity by `contract_size`: see `OrderState`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = 1
    # Known by `execution_key` and not by number: a new epoch
    # publishes them all again (docs/contract.md, rule 5).
    kind: FillKind
    account: str
    product: Product
    symbol: str
    order_key: str
    execution_key: str
    exec_id: str
    # None: its message names no venue order id; a block trade has none (decision 0403).
    venue_order_id: str | None = None
    client_order_id: str | None = None
    side: Side | None = None
    price: Decimal | None = None
    quantity: Decimal | None = None
    quantity_unit: Unit = Unit.BASE
    # None until the instrument is known, then in a
    # CORRECTION: a fill waits for nothing (decision 0008).
    contract_size: Decimal | None = None
    quantity_base: Decimal | None = None
    # None is "not said yet": the early messages of a fill bear no fee (docs/state-model.md 4.11).
    fee: Decimal | None = None
    fee_currency: str | None = None
    more_fees: dict[str, Decimal] = Field(default_factory=dict)
    liquidity: Liquidity | None = None
    position_side: PositionSide | None = None
    strategy: str | None = None
    intent_id: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)
    source: Source
    venue_ns: int | None = None
    received_ns: int | None = None
    sequence: int
    epoch: int
    cause: Cause
