"""Records of `commands`: what ingest shall send to the venue, as the fold decided it. Pure.

Its key is the account. A record is used for seconds and then no more (`Command.send_by_ns`).
"""

from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from orderloom.claim import Command, Verb
from orderloom.words import OrderType, PositionSide, Side, TimeInForce

FORMAT: Final = 1


class BadCommand(Exception):
    """A record of `commands` that says nothing that we know; `args[0]` is the reason."""


class _Decided(BaseModel):
    """What every command says; `intent` is the offset of what wanted it first."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = FORMAT
    command: Command
    intent: int = Field(ge=0)

    @property
    def id(self) -> str:
        """The command's."""
        return self.command.id

    @property
    def account(self) -> str:
        """Whose order it is."""
        return self.command.account

    def document(self) -> dict[str, Any]:
        """The command as it stands in `commands` and in each attempt; absent fields left out."""
        return self.model_dump(mode="json", exclude_none=True)

    def encoded(self) -> bytes:
        """The value of the record."""
        return orjson.dumps(self.document())


class CancelCommand(_Decided):
    """Cancel the order of this key; it is the `attempt`th time that this is decided.

    One of the two ids is there. `is_conditional`: they are those of a conditional order.
    """

    type: Literal["CANCEL"] = "CANCEL"
    attempt: int = Field(default=1, ge=1)
    order: str
    venue_order_id: str | None = None
    client_order_id: str | None = None
    is_conditional: bool = False

    @model_validator(mode="after")
    def _names_an_order(self) -> Self:
        if self.command.verb is not Verb.CANCEL:
            raise ValueError(f"its verb is {self.command.verb}")
        if self.venue_order_id is None and self.client_order_id is None:
            raise ValueError("it names no order of the venue")
        return self


class PlaceCommand(_Decided):
    """Place this order, once; the words are those of `orderloom.intent.Submit`.

    `client_order_id` is our own id of it, the same in all attempts.
    """

    type: Literal["PLACE"] = "PLACE"
    client_order_id: str = Field(min_length=1)
    side: Side
    order_type: OrderType
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    position_side: PositionSide = PositionSide.NET
    reduce_only: bool = False
    margin_mode: str | None = None

    @model_validator(mode="after")
    def _places(self) -> Self:
        if self.command.verb is not Verb.PLACE:
            raise ValueError(f"its verb is {self.command.verb}")
        return self


DecidedCommand = CancelCommand | PlaceCommand
_READ: Final[TypeAdapter[DecidedCommand]] = TypeAdapter(
    Annotated[DecidedCommand, Field(discriminator="type")]
)


def read_command(key: bytes | None, value: bytes | None) -> DecidedCommand:
    """What a record says. Raises BadCommand."""
    try:
        command = _READ.validate_json(value or b"")
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = "".join(f"{name}: " for name in first["loc"])
        raise BadCommand(f"not a command: {where}{first['msg']}") from None
    if key != command.account.encode():
        raise BadCommand(f"its key {key!r:.80} is not its account {command.account:.80}")
    return command
