"""What reconciliation found, each once: both sides, and the rule that settled it, or ``open``.

Pure. A finding changes nothing by itself: the state follows from the evidence. Each change of an
order that an answer brought about, and that the stream had not brought, is one record: MISSED_FILL,
CORRECTED_FILL, BUSTED_FILL for an execution, ZOMBIE for an order that we had not known,
MISSED_STATE for any other change of what it is. A doubt that had to be asked about by itself
(GHOST, GAP, DISPUTE) is a record when it is first asked and one when it is settled. What happened
before the first complete look is history, whenever it becomes known (a symbol asked for late).

A change that is younger than the visibility lag when the question is asked is *early*: the stream
still has its time to bring it, and has it from when we know of it on: that needs no clock but ours.
It is published, as found where it was found, once that time is over and the stream has said nothing
of that moment.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from orderloom import topology
from orderloom.event import Cause
from orderloom.identity import execution_key
from orderloom.quantities import text_of, text_or_none
from orderloom.words import FillKind
from processors.account.publishing import Publisher
from processors.account.targets import DOUBT, GAP, GHOST, Target
from processors.orders.effects import Effect, FillRecorded
from processors.orders.order import Order
from processors.orders.tracks.lifecycle import shown_status

if TYPE_CHECKING:
    from orderloom.event import Origin

FINDINGS: Final = "d"
ASKED: Final = "x"
"""The kinds of their state records: the early changes, and one doubt that was published."""
OPEN: Final = "open"
ANSWERED: Final = "the venue's answer is evidence"
FILLS: Final = {
    FillKind.REAL: "MISSED_FILL",
    FillKind.CORRECTION: "CORRECTED_FILL",
    FillKind.BUST: "BUSTED_FILL",
}
KINDS: Final = {DOUBT: "DISPUTE"}
"""Where a doubt is called otherwise than its target."""


def outline(order: Order | None) -> dict[str, Any]:
    """What an order is, in short, JSON-ready; empty if there is none."""
    if order is None:
        return {}
    executed = order.executed
    return {
        "status": shown_status(order.lifecycle, is_executed=bool(executed)),
        "filled_quantity": text_of(executed),
        "quantity": text_or_none(order.quantity),
        "price": text_or_none(order.term("price")),
    }


def _after(found: FillRecorded, origin: "Origin") -> int | None:
    """How long after its own time an execution became known, in ns."""
    if found.fill.venue_ns is None or origin.received_ns is None:
        return None
    # Two clocks: received by ours, executed by the venue's, which may be ahead.
    return max(0, origin.received_ns - found.fill.venue_ns)


@dataclass(frozen=True, slots=True)
class Early:
    """What an answer brought: changed at `venue_ns`, for the stream until `due_ns` (ours)."""

    order_key: str
    venue_ns: int
    due_ns: int
    ours: dict[str, Any]
    theirs: dict[str, Any]
    cause: Cause

    def document(self) -> dict[str, Any]:
        """JSON-ready, as the state keeps it."""
        return {
            "order_key": self.order_key,
            "venue_ns": self.venue_ns,
            "due_ns": self.due_ns,
            "ours": self.ours,
            "theirs": self.theirs,
            "cause": self.cause.document(),
        }

    @classmethod
    def load(cls, document: dict[str, Any]) -> Self:
        """What `document` gave out."""
        return cls(**document | {"cause": Cause(**document["cause"])})


class Differences:
    """The findings of one account.

    `asked` holds the order keys of the doubts that were published and are not settled, by kind;
    `early` the changes that the stream may still bring.
    """

    KINDS: ClassVar[tuple[str, ...]] = (FINDINGS, ASKED)

    def __init__(self, publisher: Publisher) -> None:
        self.asked: dict[str, str] = {}
        self.early: list[Early] = []
        self._publisher = publisher
        self._is_dirty = False
        self._changed: set[str] = set()

    def publish(
        self, kind: str, rule: str, product: str, *, cause: Cause | None = None, **fields: Any
    ) -> None:
        """Publish one finding; `fields` are those of `orderloom.trouble.Difference`."""
        document = {"product": product, "kind": kind, "rule": rule, **fields}
        self._publisher.event(topology.DIFFERENCES, document, cause or self._publisher.cause)

    def answered(
        self, before: dict[str, Any], order: Order, effects: Iterable[Effect], origin: "Origin"
    ) -> None:
        """An answer was folded into `order`, which was `before`, with these effects."""
        after = outline(order)
        theirs = after | {"asked_ns": origin.asked_ns}
        fills = [one for one in effects if isinstance(one, FillRecorded) and one.order is order]
        for one in fills:
            key = execution_key(order.product, order.symbol, one.fill.exec_id, one.name)
            late = {"after_ns": _after(one, origin)}
            self._say(FILLS[one.kind], ANSWERED, order, before, theirs | late, execution_key=key)
        # One record for each change: what executions changed, they say.
        if fills or after == before:
            return
        venue_ns, lag_ns = order.record.venue_ns, order.profile.visibility_lag_ns
        # Older than the question by the lag: the stream had its time, and brought nothing.
        if venue_ns is None or venue_ns <= (origin.asked_ns or 0) - lag_ns:
            self._say("MISSED_STATE" if before else "ZOMBIE", ANSWERED, order, before, theirs)
            return
        # In our own time: an end in the venue's would be over at once where our clock is ahead, and
        # what is on its way called missed.
        due_ns = self._publisher.now_ns + lag_ns
        self._is_dirty = True
        self.early.append(Early(order.key, venue_ns, due_ns, before, theirs, origin.cause))

    def heard(self, order: Order, venue_ns: int | None) -> None:
        """The stream spoke of what happened to the order at that venue time."""
        if self.early:
            heard = (order.key, venue_ns)
            self._keep([one for one in self.early if (one.order_key, one.venue_ns) != heard])

    def _keep(self, early: list[Early]) -> None:
        self._is_dirty |= early != self.early
        self.early = early

    def publish_late(self, now_ns: int, find: Callable[[str], Order | None]) -> None:
        """Publish the early changes that the stream had its time for."""
        due = [one for one in self.early if one.due_ns <= now_ns]
        self._keep([one for one in self.early if one.due_ns > now_ns])
        for one in due:
            order = find(one.order_key)
            if order is not None:
                kind = "MISSED_STATE" if one.ours else "ZOMBIE"
                self._say(kind, ANSWERED, order, one.ours, one.theirs, cause=one.cause)

    def asks(self, target: Target, order: Order) -> None:
        """A doubt is asked about by the order's own id: published the first time."""
        name = f"{target.why} {order.key}"
        if name not in self.asked:
            self.asked[name] = order.key
            self._changed.add(name)
            self._say(KINDS.get(target.why, target.why), OPEN, order, outline(order), {})

    def publish_settled(
        self, targets: Mapping[str, Any], find: Callable[[str], Order | None]
    ) -> None:
        """Publish the end of doubts that were asked about, and are among the `targets` no more."""
        for name in sorted(self.asked.keys() - targets.keys()):
            key = self.asked[name]
            order = find(key)
            if order is not None:
                self._settled(name, key, order, "the evidence says " + outline(order)["status"])

    def retired(self, key: str, order: Order) -> None:
        """What was asked about under `key` is this order: a doubt that stays is published anew.

        A change that is early is published of the order under its own key.
        """
        self._keep(
            [replace(e, order_key=order.key) if e.order_key == key else e for e in self.early]
        )
        for why in (DOUBT, GAP, GHOST):
            if (name := f"{why} {key}") in self.asked:
                self._settled(name, key, order, f"it is {order.key}")

    def _settled(self, name: str, key: str, order: Order, why: str) -> None:
        del self.asked[name]
        self._changed.add(name)
        kind = name.partition(" ")[0]
        sides = (outline(order), dict[str, Any]())
        self._say(KINDS.get(kind, kind), f"settled: {why}", order, *sides, order_key=key)

    def _say(
        self, kind: str, rule: str, order: Order, *sides: dict[str, Any], **fields: Any
    ) -> None:
        ours, theirs = sides
        fields = {"order_key": order.key, "ours": ours, "theirs": theirs} | fields
        self.publish(kind, rule, order.product, symbol=order.symbol, **fields)

    def state(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """The state records that changed since the last call; a doubt that is settled is None."""
        for name in sorted(self._changed):
            key = self.asked.get(name)
            yield f"{ASKED}/{name}", None if key is None else {"name": name, "order_key": key}
        self._changed.clear()
        if self._is_dirty:
            yield FINDINGS, {"early": [one.document() for one in self.early]}
        self._is_dirty = False

    def restore(self, kind: str, document: dict[str, Any]) -> None:
        """Take back one state record."""
        if kind == ASKED:
            self.asked[document["name"]] = document["order_key"]
        else:
            self.early = [Early.load(fields) for fields in document["early"]]
