"""One intent as it is remembered, for ever: its key is used up by any end. Pure."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from orderloom.words import IntentOutcome


@dataclass(slots=True)
class HeldIntent:
    """`name` is strategy and key; `offset` where it stands; `until_ns` its time to be begun.

    `order` is the one that it names; `orders` are so many that it found to cancel, `left` the keys
    of those that the venue would not cancel. `outcome` is what was told last. One that
    `is_standing` (a kill) is at no end when nothing is left to do.
    """

    name: str
    fingerprint: str
    offset: int
    until_ns: int
    order: str | None = None
    orders: int | None = None
    left: list[str] = field(default_factory=list)
    outcome: IntentOutcome = IntentOutcome.RECORDED
    is_final: bool = False
    code: str = ""
    is_standing: bool = False

    @property
    def is_of_many(self) -> bool:
        """Whether it is about whatever was open then."""
        return self.orders is not None

    def document(self) -> dict[str, Any]:
        """The state record."""
        return asdict(self)

    @classmethod
    def restored(cls, document: dict[str, Any]) -> Self:
        """Take back a state record."""
        fields = {name: document[name] for name in cls.__slots__ if name in document}
        fields["outcome"] = IntentOutcome(fields["outcome"])
        return cls(**fields)
