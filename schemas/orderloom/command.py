"""Records of `commands`: what ingest shall send to the venue, as the fold decided it. Pure.

Its key is the account. A record is used for seconds and then no more (`Command.send_by_ns`).
"""

from typing import Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from orderloom.claim import Command, Verb

FORMAT: Final = 1


class BadCommand(Exception):
    """A record of `commands` that says nothing that we know; `args[0]` is the reason."""


class CancelCommand(BaseModel):
    """Cancel this order; `intent` is the offset of what wanted it first.

    One of the two ids is there. `is_conditional`: they are those of a conditional order.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = FORMAT
    command: Command
    intent: int = Field(ge=0)
    order: str
    venue_order_id: str | None = None
    client_order_id: str | None = None
    is_conditional: bool = False

    @model_validator(mode="after")
    def _can_be_sent(self) -> "CancelCommand":
        if self.command.verb is not Verb.CANCEL:
            raise ValueError(f"this version sends no {self.command.verb}")
        if self.venue_order_id is None and self.client_order_id is None:
            raise ValueError("it names no order of the venue")
        return self

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


def read_command(key: bytes | None, value: bytes | None) -> CancelCommand:
    """What a record says. Raises BadCommand."""
    try:
        command = CancelCommand.model_validate_json(value or b"")
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = "".join(f"{name}: " for name in first["loc"])
        raise BadCommand(f"not a command: {where}{first['msg']}") from None
    if key != command.account.encode():
        raise BadCommand(f"its key {key!r:.80} is not its account {command.account:.80}")
    return command
