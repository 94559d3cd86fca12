"""Records of `answers`: what became of each intent, as far as it is known."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from orderloom.event import Cause
from orderloom.words import IntentOutcome, Status


class IntentAnswer(BaseModel):
    """One answer to the intent at offset `intent` of its partition of `intents`.

    An intent is answered several times, as more becomes known; nothing follows the answer that
    `is_final`. Of one order: `order`, its `status`, and the venue's own `code` where it refused.
    Of an intent that EXISTING is said of, the first one `stands` there.
    Of those that were to be canceled all at once `lefts` stay open, as far as is known; `left` are
    keys of theirs, a hundred at most.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = 1
    account: str
    strategy: str
    key: str
    intent: int
    outcome: IntentOutcome
    is_final: bool
    stands: IntentOutcome | None = None
    reason: str = ""
    order: str | None = None
    status: Status | None = None
    code: str | None = None
    orders: int | None = None
    left: tuple[str, ...] = ()
    lefts: int = 0
    sequence: int
    epoch: int
    cause: Cause
