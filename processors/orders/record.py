"""The evidence about one order, joined: links, executions, times. No versions, no offsets.

Pure. A record is an element of a lattice: `take_report`, `take_execution`, `take_absence` and
`join` only ever go up, are idempotent and commute, so the record is a function of the *set* of
evidence (docs/state-model.md 4.8). A duplicate changes and stores nothing; that is why no evidence
keys need remembering.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from orderloom.event import Execution, OrderReport, Origin
from orderloom.quantities import EXACT, ZERO
from orderloom.words import FillKind, Source
from processors.orders.tracks.fills import HeldFill, Totals, fill_of, joined_fill
from processors.orders.tracks.lifecycle import FORCED
from processors.orders.tracks.links import Link
from processors.orders.tracks.parts import split_of
from processors.orders.tracks.registers import LOWEST, SAME, SHOWN, STORED
from processors.orders.tracks.terms import UNIT

NAMELESS: Final = ""
"""The link of evidence that names no venue order id."""
NO_LINKS: Final[Mapping[str, Link]] = MappingProxyType({})
NO_CHAIN: Final[frozenset[tuple[str, str]]] = frozenset()
"""Nearly every order was never replaced: all of them share this one."""
PASSING: Final = ("client_order_id", "side", "position_side", "margin_mode")


class Record:
    """One order's evidence.

    `sole` is its link while it has one alone, as nearly every order does, else `several` has
    them by name. `replaced` holds the (old, new) venue order ids of its chain, `parts` those where
    `new` may be one of several that `old` became, `client_ids` every client order id that it had,
    in order. `seen_ns` is the latest venue time at which the order is known to have existed,
    `absent_ns` the latest start of a look-up that proved it absent, `settled_ns` the same for
    look-ups that had the complete list of its trades too.
    """

    __slots__ = (
        "absent_ns",
        "client_ids",
        "fills",
        "first_ns",
        "parts",
        "replaced",
        "seen_ns",
        "settled_ns",
        "several",
        "sole",
        "totals",
        "venue_ns",
    )

    def __init__(self) -> None:
        self.sole: Link | None = None
        self.several: Mapping[str, Link] = NO_LINKS
        self.fills: dict[str, HeldFill] = {}
        self.totals = Totals()
        self.replaced = self.parts = NO_CHAIN
        self.client_ids: tuple[str, ...] = ()
        self.first_ns: int | None = None
        self.venue_ns: int | None = None
        self.seen_ns: int | None = None
        self.absent_ns: int | None = None
        self.settled_ns: int | None = None

    @property
    def links(self) -> Mapping[str, Link]:
        """All links by name; made anew where there is one alone."""
        return self.several if self.sole is None else {self.sole.name: self.sole}

    def take_report(self, report: OrderReport, origin: Origin, lag_ns: int = 0) -> int:
        """Join one report; returns what that changed. Its chain must be known already (`connect`).

        `lag_ns`: how far the venue's answers lag behind what they are about.
        """
        valid_ns = report.venue_ns
        is_answer = origin.source is Source.QUERY and not report.is_past
        if is_answer:  # it shows how things were when it was asked
            valid_ns = _greatest(valid_ns, origin.asked_ns)
        changed = self._take_time(report.venue_ns, valid_ns)
        if report.client_order_id is not None and report.client_order_id not in self.client_ids:
            changed |= self._know_names(report.client_order_id)
        if report.client_alias_ids and not set(report.client_alias_ids) <= {*self.client_ids}:
            changed |= self._know_names(*report.client_alias_ids)
        return changed | self._link(report.venue_order_id).take(report, origin, lag_ns)

    def take_execution(self, event: Execution) -> tuple[int, HeldFill | None]:
        """Join one execution; returns what changed, and the fill as it was before."""
        # At its own time also where an answer brought it: a list of trades shows that the order
        # traded then, not that it still exists.
        changed = self._take_time(event.venue_ns, event.venue_ns)
        if event.client_order_id is not None and event.client_order_id not in self.client_ids:
            changed |= self._know_names(event.client_order_id)
        changed |= self._take_passing(event)
        if event.exec_id is None:
            return changed | self._take_unnamed(event), None
        before = self.fills.get(event.exec_id)
        if self.put_fill(fill_of(event, event.exec_id, self._kept_id(event.venue_order_id))):
            changed |= STORED | SHOWN
        return changed, before

    def _kept_id(self, venue_order_id: str | None) -> str | None:
        """The same id as the order's only link bears it, if that is its name."""
        sole = self.sole
        return venue_order_id if sole is None or sole.name != venue_order_id else sole.name

    def put_fill(self, fill: HeldFill) -> bool:
        """Join one fill; returns whether that changed it."""
        held = self.fills.get(fill.exec_id)
        joined = fill if held is None else joined_fill(held, fill)
        if joined == held:
            return False
        self.totals.replace(held, joined)
        self.fills[fill.exec_id] = joined
        return True

    def take_absence(self, asked_ns: int, *, has_all_trades: bool) -> int:
        """Join a proof of absence: a decisive look-up begun at `asked_ns` did not show it."""
        changed = SAME
        if self.absent_ns is None or asked_ns > self.absent_ns:
            self.absent_ns = asked_ns
            changed = STORED
        # Apart: a later look-up without the trades takes nothing from one that had them.
        if has_all_trades and (self.settled_ns is None or asked_ns > self.settled_ns):
            self.settled_ns = asked_ns
            changed = STORED
        return changed

    def repeat(self, asked_ns: int, lag_ns: int) -> None:
        """A question begun then was answered with a row that was joined before (decision 0016)."""
        # Rows are kept of orders with one link alone (`lists.is_plain`).
        assert self.sole is not None
        self.sole.repeat(asked_ns, lag_ns)
        self.seen_ns = _greatest(self.seen_ns, asked_ns)

    def new_pairs(self, report: OrderReport) -> set[tuple[str, str]]:
        """What a report says of the chain that is not known yet: the earlier id, the new one.

        An alias that the venue gave (an algo id) is an earlier link: what closed it there, before
        it became this order, does not close this order.
        """
        new = report.venue_order_id
        earlier = {report.replaces, *report.alias_ids} - {new, None, NAMELESS}
        known = self.parts if report.is_part else self.replaced
        return {(old, new) for old in earlier if old and new} - known

    def connect(self, report: OrderReport) -> bool:
        """Join what a report says of the chain; returns whether that was new."""
        pairs = self.new_pairs(report)
        if report.is_part:
            self.parts |= pairs
        else:
            self.replaced |= pairs
        return bool(pairs)

    def root(self) -> str:
        """The oldest id of the chain: the one that names the order for life."""
        # A chain that bites its tail has no oldest id: then the least of
        # all, at any arrival the same.
        names = self.ids()
        return min((names - {new for _, new in self._pairs()}) or names or {NAMELESS})

    def current(self) -> str:
        """The name of the link that no other replaces; of several parts, of one that lives."""
        if self.sole is not None:
            return self.sole.name
        split = split_of(self)
        if split is not None:
            return split.current
        names = set(self.several)
        # In a ring each is replaced: then the greatest of all.
        newest = names - {old for old, _ in self._pairs()}
        return max(newest or names, default=NAMELESS)

    def ids(self) -> set[str]:
        """Every venue order id that leads here."""
        return {*self.links, *(name for pair in self._pairs() for name in pair)} - {NAMELESS}

    @property
    def is_nameless(self) -> bool:
        """Whether nothing names an order: an execution that the venue made without one."""
        return not (self.client_ids or any(self.links) or self._pairs())

    def _pairs(self) -> frozenset[tuple[str, str]]:
        return self.replaced | self.parts if self.parts else self.replaced

    def names(self) -> list[str]:
        """Every client order id that it bore: the owner's first, the present one last.

        What a venue names by itself is an order that another one became (a child of a conditional
        order): the name of a later link. The oldest link's names, and those that only an alias
        names, are the owner's.
        """
        if len(self.client_ids) <= 1:
            return list(self.client_ids)
        root, current = self.root(), self.current()
        later: set[Any] = set()
        present = None
        for name, link in self.links.items():
            held = link.terms.value("client_order_id")
            if held is not None and name != root:
                later.add(held)
            if held is not None and name == current:
                present = held
        return sorted(self.client_ids, key=lambda one: (one == present, one in later, one))

    def first_name(self) -> str | None:
        """The client order id that its owner gave it, and no later one; None where it has none."""
        if len(self.client_ids) <= 1:
            return self.client_ids[0] if self.client_ids else None
        return self.names()[0]

    def join(self, other: "Record", current: str = NAMELESS) -> None:
        """Join another record of the same order; what names no id goes to the `current` link."""
        if other.replaced or other.parts:
            self.replaced |= other.replaced
            self.parts |= other.parts
        self._know_names(*other.client_ids)
        for name, link in other.links.items():
            self._link(name or current).join(link)
        for fill in other.fills.values():
            self.put_fill(fill)
        for name in ("venue_ns", "seen_ns", "absent_ns", "settled_ns"):
            setattr(self, name, _greatest(getattr(self, name), getattr(other, name)))
        if other.first_ns is not None:
            mine = self.first_ns
            self.first_ns = other.first_ns if mine is None else min(mine, other.first_ns)

    def copy(self) -> "Record":
        """An equal record that shares no changeable part."""
        twin = Record()
        twin.join(self)
        return twin

    def executed_on(self, name: str) -> Decimal:
        """The quantity executed on one link: fills that name it, or the venue's claim if larger."""
        return max(self._real_on(name), self.links[name].executed)

    def lacking(self) -> str:
        """The name of the link whose executions explain least of what it claims."""
        return max(
            self.links,
            key=lambda name: (EXACT.subtract(self.links[name].executed, self._real_on(name)), name),
            default=NAMELESS,
        )

    def _real_on(self, name: str) -> Decimal:
        """The sum of the fills that name this link; what names none counts for the current one."""
        real = ZERO
        for fill in self.fills.values():
            if fill.is_busted or fill.last_quantity is None:
                continue
            owner = fill.venue_order_id
            if (owner if owner in self.links else self.current()) == name:
                real = EXACT.add(real, fill.last_quantity)
        return real

    def _know_names(self, *client_order_ids: str) -> int:
        # A tuple, in order: a set of one is four times as large, and nearly every order has one.
        self.client_ids = tuple(sorted({*self.client_ids, *client_order_ids}))
        return STORED | SHOWN

    def _link(self, venue_order_id: str | None) -> Link:
        name = venue_order_id or NAMELESS
        if self.sole is not None and self.sole.name == name:
            return self.sole
        return self.several.get(name) or self._put(Link(name))

    def _put(self, link: Link) -> Link:
        if self.sole is None and not self.several:
            self.sole = link
        else:
            self.several = {**self.links, link.name: link}
            self.sole = None
        return link

    def _take_time(self, venue_ns: int | None, valid_ns: int | None) -> int:
        changed = SAME
        if venue_ns is not None:
            if self.venue_ns is None or venue_ns > self.venue_ns:
                self.venue_ns = venue_ns
                changed = STORED | SHOWN
            # Not shown: it says which of several orders with one client order id is the latest.
            if self.first_ns is None or venue_ns < self.first_ns:
                self.first_ns = venue_ns
                changed |= STORED
        if valid_ns is not None and (self.seen_ns is None or valid_ns > self.seen_ns):
            self.seen_ns = valid_ns
            changed |= STORED
        return changed

    def _take_passing(self, event: Execution) -> int:
        """What an execution says of its order, for an order that has no report yet."""
        changed = SAME
        link = self._link(event.venue_order_id)
        for name in PASSING:
            value = getattr(event, name)
            if value is not None:
                changed |= link.terms.offer(name, LOWEST, value)
        # An execution that names no quantity has the unit of its default: that says nothing.
        if event.last_quantity is not None:
            changed |= link.terms.offer(UNIT, LOWEST, event.quantity_unit)
        if event.reason is not None:
            # Under no word, as it closes nothing: only a forced reason is read from there.
            rank = (int(event.reason in FORCED), 1, *LOWEST)
            changed |= link.offer_reason("", rank, event.reason)
        return changed

    def _take_unnamed(self, event: Execution) -> int:
        """An execution without an identity is a claim of its quantity: docs/state-model.md 3.9."""
        link = self._link(event.venue_order_id)
        quantity = event.last_quantity
        # Not added up: without an identity a repetition would count twice.
        if event.kind is not FillKind.REAL or quantity is None or quantity <= link.claimed:
            return SAME
        link.claimed = quantity
        return STORED

    def dump(self, *, with_fills: bool = True) -> dict[str, Any]:
        """The complete state, JSON-ready and independent of arrival."""
        names = sorted(self.fills) if with_fills else ()
        return {
            "links": {name: link.dump() for name, link in sorted(self.links.items())},
            "fills": [self.fills[name].dump() for name in names],
            "replaced": sorted(self.replaced),
            **({"parts": sorted(self.parts)} if self.parts else {}),
            "client_ids": self.client_ids,
            "times": [getattr(self, name) for name in TIMES],
        }

    @classmethod
    def load(cls, document: dict[str, Any]) -> "Record":
        """The record that `dump` gave out."""
        record = cls()
        for name, link in document["links"].items():
            record._put(Link.load(name, link))
        if document["replaced"]:
            record.replaced = frozenset((old, new) for old, new in document["replaced"])
        if "parts" in document:
            record.parts = frozenset((old, new) for old, new in document["parts"])
        record.client_ids = tuple(document["client_ids"])
        for name, value in zip(TIMES, document["times"], strict=True):
            setattr(record, name, value)
        for fill in document["fills"]:
            # One by one: the sums are not saved, and follow from the set.
            record.put_fill(HeldFill.load(fill))
        return record


TIMES: Final = ("first_ns", "venue_ns", "seen_ns", "absent_ns", "settled_ns")


def _greatest(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
