"""Symbols that the venue refuses to be asked about: what they leave uncovered, and when to ask.

Pure. Where lists are by symbol, a symbol that the venue does not know (delisted, mistyped in the
registry, garbled in a message) is answered by a refusal each time. That is the venue's own word, so
it ends the question; the rest of the cycle goes on without it. Such a symbol stays uncovered from
where it was last looked at, is an open difference, and is asked for in later cycles, ever less
often, until the venue answers (decision 0013).
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

from orderloom.event import Event, Reply
from orderloom.raw import Answer, Failure
from orderloom.words import Reason

KIND: Final = "REFUSED_SYMBOL"
AGAIN_DOUBLINGS_MAX: Final = 5
"""A refused symbol is asked for again at last every 32 periods: a quarter of an hour."""
ANSWERS: Final = (200, 400)
"""The statuses of an answer that is the venue's word on the request; some venues refuse with 200.
Others (401, 403, 429, 5xx) speak of the key, of limits or of trouble."""


def refusal_of(item: Answer | Failure, events: Iterable[Event]) -> Reply | None:
    """The venue's own word that a question about one symbol is wrong; None if it says less."""
    if item.question.get("symbol") is None or item.status not in ANSWERS:
        return None
    replies = (one for one in events if isinstance(one, Reply) and not one.accepted)
    # Never AUTH, limits or a code that we do not know: they say nothing
    # of the symbol (decision 0013).
    return next((one for one in replies if one.reason is Reason.BAD_REQUEST), None)


@dataclass(slots=True)
class UncoveredSymbol:
    """One that the venue refuses; what happened there since `since_ns` was not looked at.

    All times are ours: what was heard is compared with them, and questions convert (decision 0014).
    `at_ns` is when it was refused last, `due_ns` from when on it is asked for again. `may_lack`:
    something of it may be missing, as far as anybody but the registry can know.
    """

    symbol: str
    code: str
    since_ns: int
    at_ns: int
    due_ns: int
    may_lack: bool
    tries: int = 0

    def refuse(self, code: str, now_ns: int, period_ns: int) -> None:
        """It was refused (once more)."""
        self.code, self.at_ns = code, now_ns
        self.due_ns = now_ns + (period_ns << min(self.tries, AGAIN_DOUBLINGS_MAX))
        self.tries += 1

    def document(self) -> dict[str, Any]:
        """JSON-ready, as the state keeps it."""
        return asdict(self)
