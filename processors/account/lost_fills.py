"""Executions that were published once and whose evidence is gone from the inputs.

Pure. A repair finds them: they stand in `fills` under a former epoch, and nothing that is left of
`raw` holds them. Nothing is invented from an output; the account asks the venue, and while one
of them is missing its position is unbounded, and a record of `differences` is open. Found again by
an answer, they are forgotten here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, Final

from orderloom.quantities import EXACT, ZERO, text_of

LOST: Final = "l"
"""The kind of their state records."""
KIND: Final = "LOST_EVIDENCE"
OPEN: Final = "open"
FOUND: Final = "the venue told all of them again"


@dataclass(frozen=True, slots=True)
class LostFill:
    """One execution as it was published; `quantity` is signed, above 0 for a buy.

    `position_side` is None where nobody had said it: then it may be lacking on any side.
    """

    account: str
    execution_key: str
    product: str
    symbol: str
    position_side: str | None
    quantity: str
    quantity_unit: str
    venue_ns: int

    @property
    def place(self) -> str:
        """The position's product, symbol and side; the beginning of each where that is unknown."""
        return f"{self.product}/{self.symbol}/{self.position_side or ''}"


@dataclass(slots=True)
class LostFills:
    """Those of one account, by execution key; `settled` are places that have none left."""

    known: dict[str, LostFill] = field(default_factory=dict)
    settled: list[str] = field(default_factory=list)
    dirty: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)

    def note(self, fill: LostFill) -> None:
        """This execution is missing."""
        self.restore(fill)
        self.dirty.add(fill.execution_key)

    def restore(self, fill: LostFill) -> None:
        """Take back one that was missing before."""
        self.known[fill.execution_key] = fill
        self.counts[fill.place] = self.counts.get(fill.place, 0) + 1

    def found(self, execution_key: str) -> None:
        """This execution is known again."""
        fill = self.known.pop(execution_key, None)
        if fill is None:
            return
        self.dirty.add(execution_key)
        self.counts[fill.place] -= 1
        if not self.counts[fill.place]:
            del self.counts[fill.place]
            self.settled.append(fill.place)

    def lack(self, place: str) -> bool:
        """Whether an execution of the position at `place` is missing, or may be one of its."""
        return bool(self.counts) and (
            place in self.counts or f"{place.rpartition('/')[0]}/" in self.counts
        )

    def take_settled(self) -> list[str]:
        """The places that have none left since the last call."""
        settled, self.settled = self.settled, []
        return settled

    def state(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """The state records that changed, by execution key; None: it was found."""
        for key in sorted(self.dirty):
            fill = self.known.get(key)
            yield f"{LOST}/{key}", None if fill is None else asdict(fill)
        self.dirty.clear()


def difference_of(place: str, fills: Iterable[LostFill], rule: str) -> dict[str, Any]:
    """The record of `differences` about the missing executions of one position."""
    product, _, rest = place.partition("/")
    symbol, _, side = rest.rpartition("/")
    missing = list(fills)
    net = ZERO
    for fill in missing:
        net = EXACT.add(net, Decimal(fill.quantity))
    return {
        "product": product,
        "symbol": symbol,
        "kind": KIND,
        "ours": {
            "position_side": side or None,
            "executions": len(missing),
            "net": text_of(net),
            "first_ns": min((fill.venue_ns for fill in missing), default=None),
            "last_ns": max((fill.venue_ns for fill in missing), default=None),
        },
        "theirs": {},
        "rule": rule,
    }
