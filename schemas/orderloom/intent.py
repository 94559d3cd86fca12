"""Records of `intents`: what a strategy or an operator wants done, under a key of its own. Pure.

An intent is known by its account, strategy and key for ever: written twice it is done once. Who may
write the topic may speak as any strategy of the venue (`orderloom topics --acl`).
"""

from hashlib import sha256
from typing import Annotated, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from orderloom.words import Product

NAME: Final = r"[A-Za-z0-9._:-]{1,64}"
WITHIN_MS: Final = 60_000
WITHIN_MS_MAX: Final = 600_000
ORDER_CHARS_MAX: Final = 512
Name = Annotated[str, Field(pattern=f"^{NAME}$")]
Within = Annotated[int, Field(gt=0, le=WITHIN_MS_MAX)]


class BadIntent(Exception):
    """A record of `intents` that says nothing that we know; the message is the reason."""


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


Intent = Cancel | CancelAll
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
