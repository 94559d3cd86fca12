"""One intent as it is remembered, for ever: its key is used up by any end. Pure."""

from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from orderloom.words import IntentOutcome

LEFT_MAX: Final = 100
"""So many are named of those that are left; all are counted."""


@dataclass(slots=True)
class HeldIntent:
    """`name` is strategy and key; `offset` where it stands; `until_ns` its time to be begun.

    `order` is the one that it names. Else it `is_of_many`: those open in `product` and `symbol`
    (None: in all) when it was folded, at `at_ns`, and what turns out to be open there until it is
    done; `orders` are so many that it found, `lefts` those that stay, of which `left` are keys.
    `outcome` is what was told last. One that `is_standing` (a kill) has no end when nothing is left
    to do.
    """

    name: str
    fingerprint: str
    offset: int
    at_ns: int
    until_ns: int
    order: str | None = None
    is_of_many: bool = False
    product: str | None = None
    symbol: str | None = None
    orders: int | None = None
    lefts: int = 0
    left: list[str] = field(default_factory=list)
    outcome: IntentOutcome = IntentOutcome.RECORDED
    is_final: bool = False
    code: str = ""
    is_standing: bool = False

    def leave(self, order_key: str, code: str) -> None:
        """This order stays; `code` is the venue's, "" where it was never asked."""
        self.lefts += 1
        self.code = code or self.code
        if len(self.left) < LEFT_MAX:
            self.left.append(order_key)

    def gone(self, order_key: str) -> None:
        """This order is closed all the same."""
        if order_key in self.left:
            self.left.remove(order_key)
            self.lefts -= 1

    def document(self) -> dict[str, Any]:
        """The state record."""
        return asdict(self)

    @classmethod
    def restored(cls, document: dict[str, Any]) -> Self:
        """Take back a state record."""
        fields = {name: document[name] for name in cls.__slots__}
        fields["outcome"] = IntentOutcome(fields["outcome"])
        return cls(**fields)
