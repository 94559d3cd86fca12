"""What went wrong, with the evidence: dead letters and differences."""

from typing import Any, Literal

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from orderloom.event import Cause


class DeadLetter(BaseModel):
    """Bytes that could not be read or placed, the reason, and where they stand in the log.

    `body` is base64 in JSON; of more than 1 MiB it is the head alone, and `length` and `sha256`
    (hex) are those of all of it, which stands at `cause`. `trace` is set where a record was left
    out because folding it broke an invariant (`reason` ``invariant``) or killed the process
    (``killed``).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = 1
    account: str
    reason: str
    # JSON holds text alone, and these bytes may be none.
    body: Base64Bytes
    product: str | None = None
    channel: str | None = None
    trace: str | None = None
    received_ns: int | None = None
    length: int | None = None
    sha256: str | None = None
    sequence: int
    epoch: int
    cause: Cause


class Difference(BaseModel):
    """What reconciliation found: our side, the venue's side, and the rule that settled it.

    `rule` ``open`` means that it is not settled. `kind` such as GHOST, ZOMBIE, MISSED_FILL.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = 1
    account: str
    product: str
    kind: str
    symbol: str | None = None
    order_key: str | None = None
    execution_key: str | None = None
    ours: dict[str, Any] = Field(default_factory=dict)
    theirs: dict[str, Any] = Field(default_factory=dict)
    # Nothing is invented to make numbers fit: what no
    # rule settles stays open (docs/state-model.md INV-8).
    rule: str
    sequence: int
    epoch: int
    cause: Cause
