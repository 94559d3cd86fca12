"""What reconciliation found, told once each: both sides, and the rule that settled it, or ``open``.

Pure. A finding about an order changes nothing by itself: its state follows from the evidence. What
was unknown at first contact differs from nothing, so it is told only from then on.
"""

from typing import TYPE_CHECKING, Any

from orderloom import topology
from processors.publishing import Publisher

if TYPE_CHECKING:
    from orderloom.event import Cause

OPEN = "open"


class Differences:
    """The findings of one account. `cause` is the record that what follows was found in."""

    def __init__(self, publisher: Publisher) -> None:
        self.cause: Cause | None = None
        self._publisher = publisher

    def tell(self, kind: str, rule: str, product: str, **fields: Any) -> None:
        """Publish one finding; `fields` are those of `orderloom.trouble.Difference`."""
        assert self.cause is not None
        document = {"product": product, "kind": kind, "rule": rule, **fields}
        self._publisher.event(topology.DIFFERENCES, document, self.cause)
