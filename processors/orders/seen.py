"""When an order was spoken of. Pure."""

from dataclasses import dataclass
from typing import Any, Self

from orderloom.event import Origin
from orderloom.words import Source


@dataclass(slots=True)
class Seen:
    """When it was first spoken of, and last on the stream (ns, received; 0: never there).

    `listed_ns` is the beginning of the last cycle of questions whose answers showed it alive.
    """

    first_ns: int
    last_ns: int = 0
    listed_ns: int = 0

    @property
    def newest_ns(self) -> int:
        """When it was last spoken of, but for a list."""
        return max(self.first_ns, self.last_ns)

    def spoke(self, origin: Origin, at_ns: int) -> None:
        """A message spoke of the order."""
        if origin.source is Source.STREAM:
            self.last_ns = max(self.last_ns, at_ns)

    def join(self, other: Self) -> None:
        """What was seen of another order, which is the same one."""
        self.first_ns = min(self.first_ns, other.first_ns)
        self.last_ns = max(self.last_ns, other.last_ns)
        self.listed_ns = max(self.listed_ns, other.listed_ns)

    def document(self) -> dict[str, Any]:
        """JSON-ready, as the order's state record holds it."""
        return {"first_ns": self.first_ns, "last_ns": self.last_ns, "listed_ns": self.listed_ns}
