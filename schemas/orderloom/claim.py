"""Records of `claims`: who may send a command, that nobody may, or that trading stops. Pure.

The topic is plain appends in append time, so its offsets are dense and its order decides
(`claim_log`). Its key is the account, or the partition's own where no single account is named.
Whoever sends stops at a record that says nothing that we know, as what it forbids might be sent;
the fold, which sends nothing, makes a dead letter of it.
"""

from enum import StrEnum
from typing import Annotated, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

_FROZEN: Final = ConfigDict(frozen=True, extra="ignore")


class BadClaimRecord(Exception):
    """A record of `claims` that cannot be read, or of a type that this version does not know.

    The message is the reason, in one line.
    """


class Verb(StrEnum):
    """What a command does to an order."""

    PLACE = "PLACE"
    AMEND = "AMEND"
    CANCEL = "CANCEL"


class Command(BaseModel):
    """A request that changes something at the venue, as the fold decided it.

    `seen` is the place in `claims` up to which the fold had folded then: the first offset that it
    had not. `send_by_ns` is in append time (ns UTC); whoever is later sends nothing.
    """

    model_config = _FROZEN

    id: str = Field(min_length=1)
    verb: Verb
    account: str
    strategy: str
    product: str
    symbol: str
    seen: int = Field(ge=0)
    send_by_ns: int


class KillScope(BaseModel):
    """What a kill covers: what agrees with each that is named; nothing named is the venue."""

    model_config = _FROZEN

    account: str | None = None
    strategy: str | None = None
    product: str | None = None
    symbol: str | None = None

    def covers(self, command: Command) -> bool:
        """Whether the kill stops this command; no kill stops a cancel."""
        if command.verb is Verb.CANCEL:
            return False
        return (
            self.account in (None, command.account)
            and self.strategy in (None, command.strategy)
            and self.product in (None, command.product)
            and self.symbol in (None, command.symbol)
        )


class ClaimOwner(BaseModel):
    """A process starts here, and others stop out of courtesy; this decides nothing."""

    model_config = _FROZEN

    type: Literal["OWNER"] = "OWNER"
    life: str
    version: str


class Claim(BaseModel):
    """The process of this `life` may send this command, if the claim counts.

    `expires_ns` is the venue's own time (ns) until which it takes the request; None where nothing
    bounds it. `request` is what is sent, without key and signature; `sha256` is of its bytes.
    """

    model_config = _FROZEN

    type: Literal["CLAIM"] = "CLAIM"
    life: str
    command: Command
    intent: int = Field(ge=0)
    expires_ns: int | None
    request: str
    sha256: str


class Void(BaseModel):
    """Nobody may send this command any more: it is too late, or was canceled before it was sent."""

    model_config = _FROZEN

    type: Literal["VOID"] = "VOID"
    command_id: str = Field(min_length=1)
    why: str


class NotSent(BaseModel):
    """The process of this `life` did not send this command, and will not.

    Before any claim of the command: as `Void`. After a claim of the same life: proof that no byte
    left. Of what another process claimed it says nothing.
    """

    model_config = _FROZEN

    type: Literal["NOT_SENT"] = "NOT_SENT"
    life: str
    command_id: str = Field(min_length=1)
    why: str


class Done(BaseModel):
    """The venue answered these commands."""

    model_config = _FROZEN

    type: Literal["DONE"] = "DONE"
    command_ids: tuple[str, ...]


class Kill(BaseModel):
    """Nothing that was decided before this goes out in its scope."""

    model_config = _FROZEN

    type: Literal["KILL"] = "KILL"
    scope: KillScope
    author: str
    reason: str = ""


ClaimRecord = ClaimOwner | Claim | Void | NotSent | Done | Kill
_READ: Final[TypeAdapter[ClaimRecord]] = TypeAdapter(
    Annotated[ClaimRecord, Field(discriminator="type")]
)


def encode_claim_record(record: ClaimRecord) -> bytes:
    """The value of a record."""
    return orjson.dumps(record.model_dump(mode="json"))


def read_claim_record(value: bytes | None) -> ClaimRecord:
    """What a record says. Raises BadClaimRecord."""
    try:
        return _READ.validate_json(value or b"")
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = "".join(f"{name}: " for name in first["loc"])
        raise BadClaimRecord(f"not a claim record: {where}{first['msg']}") from None
