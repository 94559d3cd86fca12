"""Records of `intents`: what a strategy or an operator wants done, under a key of its own. Pure.

An intent is known by its account, strategy and key for ever: written twice it is done once. Who may
write the topic may speak as any strategy of the venue (`orderloom topics --acl`).
"""

from decimal import Decimal
from hashlib import sha256
from typing import Annotated, Final, Literal

import orjson
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from orderloom.quantities import decimal_of, text_of
from orderloom.words import OrderType, PositionSide, Product, Side, TimeInForce

NAME: Final = r"[A-Za-z0-9._:-]{1,64}"
WITHIN_MS: Final = 60_000
WITHIN_MS_MAX: Final = 600_000
ORDER_CHARS_MAX: Final = 512
Name = Annotated[str, Field(pattern=f"^{NAME}$")]
Within = Annotated[int, Field(gt=0, le=WITHIN_MS_MAX)]


class BadIntent(Exception):
    """A record of `intents` that says nothing that we know; the message is the reason."""


def _without_zeros(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else decimal_of(text_of(amount))


class _Intent(BaseModel):
    """What every intent says.

    `account` is the record's key too. `within_ms`: from its append on, so long it may be begun; an
    intent that nobody read in time is not done later.
    """

    # A writer's misspelt field would change what is done: it is named, not passed over.
    model_config = ConfigDict(frozen=True, extra="forbid")

    v: Literal[1] = 1
    account: str
    strategy: Name
    key: Name
    within_ms: Within = WITHIN_MS

    @property
    def name(self) -> str:
        """What it is known by within its account."""
        return f"{self.strategy}/{self.key}"

    @property
    def fingerprint(self) -> str:
        """Of all that it says: equal for two that want the same."""
        return sha256(self.encoded()).hexdigest()

    def encoded(self) -> bytes:
        """The value of the record."""
        return orjson.dumps(self.model_dump(mode="json", exclude_none=True))


class Cancel(_Intent):
    """Cancel one order: `order` is its key in `orders`. It goes until the order is closed."""

    type: Literal["CANCEL"] = "CANCEL"
    order: str = Field(min_length=1, max_length=ORDER_CHARS_MAX)


class CancelAll(_Intent):
    """Cancel the orders that are open when this is read; of one product, or of one symbol of it."""

    type: Literal["CANCEL_ALL"] = "CANCEL_ALL"
    product: Product | None = None
    symbol: str | None = Field(default=None, min_length=1)


class Submit(_Intent):
    """Place one order, at most once: whatever happens, no second one is sent for this key.

    Amounts are in native units; of a market order for coins `quote_quantity` may stand instead of
    `quantity`. `time_in_force` and `price` are of LIMIT, the price of LIMIT_MAKER too.
    `margin_mode` ("cross", "isolated") where the venue wants it with each order. `kills_read`:
    what `killed_until` the writer had read in the account's record; a kill since then denies it.
    """

    type: Literal["SUBMIT"] = "SUBMIT"
    product: Product
    symbol: str = Field(min_length=1, max_length=64)
    side: Side
    order_type: OrderType
    quantity: Decimal | None = Field(default=None, gt=0, allow_inf_nan=False)
    quote_quantity: Decimal | None = Field(default=None, gt=0, allow_inf_nan=False)
    price: Decimal | None = Field(default=None, gt=0, allow_inf_nan=False)
    time_in_force: TimeInForce | None = None
    position_side: PositionSide = PositionSide.NET
    reduce_only: bool = False
    margin_mode: Literal["cross", "isolated"] | None = None
    kills_read: int = Field(default=0, ge=0)

    # "1.0" and "1.00" want the same.
    _plain = field_validator("quantity", "quote_quantity", "price")(_without_zeros)


Intent = Cancel | CancelAll | Submit
_READ: Final[TypeAdapter[Intent]] = TypeAdapter(Annotated[Intent, Field(discriminator="type")])


def read_intent(key: bytes | None, value: bytes | None) -> Intent:
    """What a record says. Raises BadIntent."""
    try:
        intent = _READ.validate_json(value or b"")
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = "".join(f"{name}: " for name in first["loc"])
        raise BadIntent(f"not an intent: {where}{first['msg']}") from None
    if key != intent.account.encode():
        raise BadIntent(f"its key {key!r:.80} is not its account {intent.account:.80}")
    if isinstance(intent, CancelAll) and intent.symbol is not None and intent.product is None:
        raise BadIntent("a symbol without its product")
    return intent
