"""One order record: a join of evidence, what follows from it, and what consumers are shown.

Pure. `Order` adds to the evidence what depends on arrival and on the account: its version, the
cause of its first evidence, the grace time, and the account's word that it is settled. Of the five
tracks (docs/state-model.md 1) lifecycle, fills and trust stand here; intent and attempts have room
in the shown fields and come with order entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orderloom.quantities import EXACT, ZERO, Unit, base_text
from orderloom.words import Completeness, Lifecycle, Product, Side, Source, Trust
from processors.orders import fill_effects, view
from processors.orders.effects import (
    DisputeRaised,
    Effect,
    GapClosed,
    GapOpened,
    OrderChanged,
    UnknownStatus,
)
from processors.orders.record import Record
from processors.orders.seen import Seen
from processors.orders.shared_text import shared
from processors.orders.tracks.lifecycle import CLOSED
from processors.orders.tracks.links import UNTRIGGERED, Link
from processors.orders.tracks.registers import SAME, SHOWN
from processors.orders.tracks.terms import TERMS, Row
from processors.orders.tracks.trust import Derived, derive, provisional
from processors.orders.view import NEVER_SHOWN, Before
from venues.venue import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set
    from decimal import Decimal

    from orderloom.event import Cause, Execution, OrderReport, Origin
    from processors.orders.tracks.fills import HeldFill

NOTHING: Final = derive(Record(), Profile())
"""What follows from no evidence; the same for every profile."""


class Order:
    """One order. `own` is its evidence; `record` the same joined with what names only an alias."""

    __slots__ = (
        "account", "contract_size", "derived", "first_seen_cause", "graced", "guests", "is_settled",
        "key", "own", "product", "profile", "record", "seen", "symbol", "version",
    )  # fmt: skip

    def __init__(self, account: str, product: str, symbol: str, profile: Profile) -> None:
        self.account = shared(account)  # of 100,000 orders each text is kept once
        self.product = shared(product)
        self.symbol = shared(symbol)
        self.profile = profile
        self.key = ""
        self.version = 0
        self.own = self.record = Record()
        self.guests: Sequence[Record] = ()
        self.derived: Derived = NOTHING
        self.graced = ZERO
        self.is_settled = False
        self.contract_size: Decimal | None = None
        self.first_seen_cause: Cause | None = None
        self.seen: Seen | None = None

    # ---- evidence

    def take_report(
        self,
        report: OrderReport,
        origin: Origin,
        effects: list[Effect],
        executions: Sequence[Execution] = (),
    ) -> bool:
        """Fold one report into the evidence, and the `executions` that came in the same message.

        What follows is derived once, from all of them. Returns whether the state changed.
        """
        before = self.before()
        changed = self.own.take_report(report, origin, self.profile.visibility_lag_ns)
        for event in executions:
            changed |= self._take_one(event, origin, effects)
        # What was said before its symbol was known may say all that this does (`sparse`).
        is_news = changed != SAME or not self.version
        if is_news:
            self.refresh(changed, origin, effects, before)
        # An end without a time yields to life: then what it meant is asked for (decision 0307).
        is_known = report.status is not None or (report.is_ended and self.is_closed)
        # A reply is about a request, and may say nothing of the order (docs/state-model.md 2.1).
        if not is_known and origin.source is not Source.REPLY:
            effects.append(UnknownStatus(self))
        return is_news

    def take_execution(self, event: Execution, origin: Origin, effects: list[Effect]) -> bool:
        """Fold one execution into the evidence; returns whether that changed the state."""
        before = self.before()
        changed = self._take_one(event, origin, effects)
        is_news = changed != SAME or not self.version  # as in `take_report`
        if is_news:
            self.refresh(changed, origin, effects, before)
        return is_news

    def _take_one(self, event: Execution, origin: Origin, effects: list[Effect]) -> int:
        changed, before = self.own.take_execution(event)
        # With guests, `refresh` compares the joined executions, which are what is published.
        if changed != SAME and event.exec_id is not None and not self.guests:
            fill = self.own.fills[event.exec_id]
            if fill is not before:
                effects += fill_effects.recorded(self, before, fill, origin)
        return changed

    def take_absence(self, asked_ns: int, effects: list[Effect], *, has_all_trades: bool) -> bool:
        """Fold a proof of absence into the evidence; returns whether that changed the state."""
        before = self.before()
        changed = self.own.take_absence(asked_ns, has_all_trades=has_all_trades)
        if changed != SAME:
            self.refresh(changed, None, effects, before)
        return changed != SAME

    def before(self, *, is_joining: bool = False) -> Before:
        """What is shown of it and with its executions, to be compared after a change."""
        own = self.own
        # Of several links, or joined with what names only an alias, one fact may hide another.
        is_compared = is_joining or self.guests or own.replaced or own.parts
        return Before(self.view() if is_compared else None, fill_effects.terms_shown(self))

    def refresh(
        self,
        changed: int,
        origin: Origin | None,
        effects: list[Effect],
        shown: Before = NEVER_SHOWN,
    ) -> None:
        """Derive anew after the evidence changed; what that means goes into `effects`.

        `shown` is what was shown of it before.
        """
        if self.guests:
            known = self.record.fills
            self.rejoin()
            changed |= self.publish_fills(known, origin, effects)
        before, after = self.derived, derive(self.record, self.profile)
        if before != after:
            changed |= SHOWN
            self.derived = after
            raised = [code for code in after.disputes if code not in before.disputes]
            effects += [DisputeRaised(self, code) for code in raised]
            # When it opens, and not at each report that claims more.
            if bool(before.amounts.missing) != bool(after.amounts.missing):
                effects.append(GapOpened(self) if after.amounts.missing else GapClosed(self))
        effects += fill_effects.renamed(self, shown.terms, origin, effects)
        is_other = shown.view is not None and self.view() != shown.view
        if changed & SHOWN or is_other or not self.version:
            self.touch(effects)

    def touch(self, effects: list[Effect]) -> None:
        """What consumers see changed."""
        assert self.derived.amounts.executed >= 0, self.key
        self.version += 1
        effects.append(OrderChanged(self))

    def rejoin(self) -> None:
        """Join its own evidence with what names only an alias."""
        self.record = self.own
        if self.guests:
            self.record = self.own.copy()
            current = self.own.current()  # of several parts a guest may end one: then it is another
            for guest in self.guests:
                self.record.join(guest, current)

    def rebuild(self) -> None:
        """Derive all from the evidence in silence: for a record that was loaded."""
        self.rejoin()
        self.derived = derive(self.record, self.profile)

    def host(self, guests: Sequence[Record], origin: Origin | None, effects: list[Effect]) -> None:
        """Join `guests`, and no others, with the order's own evidence."""
        before, shown = self.record.fills, self.before(is_joining=True)
        self.guests = guests
        self.rejoin()
        gone = {one: before[one] for one in before.keys() - self.record.fills.keys()}
        # What another order publishes from now on is taken back here: a consumer holds it once.
        effects += fill_effects.taken_back(self, gone, origin)
        changed = self.publish_fills(before, origin, effects)
        self.refresh(changed, origin, effects, shown)

    def publish_fills(
        self,
        before: Mapping[str, HeldFill],
        origin: Origin | None,
        effects: list[Effect],
        anew: Set[str] = frozenset(),
    ) -> int:
        """Publish what differs from `before` or is shown `anew` otherwise; what that changed."""
        found = fill_effects.changed_fills(self, before, origin, anew)
        effects += found
        return SHOWN if found else SAME

    # ---- what the account adds

    def inherit(self, others: Sequence[Order]) -> None:
        """These are the same order: what arrived for any of them arrived for this.

        Of the first causes, and of the sizes that held from then on, the earliest stays.
        """
        by_arrival = sorted((self, *others), key=_arrival)
        self.first_seen_cause = by_arrival[0].first_seen_cause
        sizes = [one.contract_size for one in by_arrival if one.contract_size is not None]
        self.contract_size = sizes[0] if sizes else None
        for other in others:
            self.version = max(self.version, other.version)
            self.graced = max(self.graced, other.graced)
            if other.seen is not None:
                self.seen = self.seen or Seen(other.seen.first_ns)
                self.seen.join(other.seen)

    def end_grace(self, effects: list[Effect]) -> bool:
        """The grace time of the present gap is over; returns whether that changed the state.

        The amount is kept and no time: a later, larger gap has a grace time of its own.
        """
        executed = self.derived.amounts.executed
        if executed <= self.graced:
            return False
        shown = self.provisional_quantity
        self.graced = executed
        if self.provisional_quantity != shown:
            self.touch(effects)
        return True

    def settle(self, effects: list[Effect]) -> bool:
        """The account finds the order final; returns whether that changed the state."""
        if self.is_settled:
            return False
        before = self.trust
        self.is_settled = True
        if self.trust is not before:
            self.touch(effects)
        return True

    def pin(self, size: Decimal, effects: list[Effect]) -> None:
        """Its instrument is known: `size` holds for it from now on, whatever the venue changes.

        `size` is base (quote, if inverse) for one of the native unit.
        """
        if self.contract_size is None:
            self.contract_size = size
            self.touch(effects)

    # ---- predicates and sums

    @property
    def lifecycle(self) -> Lifecycle:
        """The lifecycle track."""
        return self.derived.lifecycle

    @property
    def is_closed(self) -> bool:
        """Whether the venue may no longer fill it."""
        return self.derived.lifecycle in CLOSED

    @property
    def is_open(self) -> bool:
        """Whether the venue may still fill it, for all we know."""
        return self.derived.lifecycle not in CLOSED

    @property
    def is_disputed(self) -> bool:
        """Whether a contradiction stands."""
        return bool(self.derived.disputes)

    @property
    def trust(self) -> Trust:
        """The trust track; SETTLED only while nothing speaks against it."""
        trust = self.derived.trust
        is_final = self.is_settled and self.is_closed and not self.derived.disputes
        if not is_final or self.derived.completeness is not Completeness.COMPLETE:
            return trust
        # CORRECTED stands above the others, at whatever time it came (docs/state-model.md 3.8).
        return trust if trust is Trust.CORRECTED else Trust.SETTLED

    @property
    def executed(self) -> Decimal:
        """The larger of the sum of real fills and what the venue claims, native."""
        return self.derived.amounts.executed

    @property
    def quantity(self) -> Decimal | None:
        """The order's quantity, native; over a summed chain, of the whole chain."""
        # None in another unit than its executions: then it is shown as the venue said it.
        quantity = self.derived.amounts.quantity
        return self.term("quantity") if quantity is None else quantity

    @property
    def provisional_quantity(self) -> Decimal:
        """What is claimed, has no executions, and had its time of grace."""
        return provisional(self.graced, self.derived.amounts)

    @property
    def missing_quantity(self) -> Decimal:
        """What is claimed and has no executions, whatever its age."""
        return self.derived.amounts.missing

    def leaves(self) -> Decimal | None:
        """The quantity still able to fill, native; None where that is not known."""
        # Under dispute its end is not proven, so it stays in the band (docs/state-model.md 4.5).
        if self.is_closed and not self.derived.disputes:
            return ZERO
        amounts = self.derived.amounts
        # What is executed on an unknown side may have moved the position either way.
        if amounts.quantity is None or (self.record.totals.unsided and self.side is None):
            return None
        gone = EXACT.add(amounts.executed, amounts.ended)
        return max(ZERO, EXACT.subtract(amounts.quantity, gone))

    def net(self) -> Decimal:
        """Signed sum of real fills, native; a fill without a side takes the order's."""
        totals = self.record.totals
        net = EXACT.subtract(totals.bought, totals.sold)
        if not totals.unsided or self.side is None:
            return net
        add = EXACT.add if self.side is Side.BUY else EXACT.subtract
        return add(net, totals.unsided)

    @property
    def quantity_unit(self) -> Unit:
        """What its quantities count."""
        return Unit(self.term("quantity_unit") or Unit.BASE)

    @property
    def side(self) -> Side | None:
        """The order's side."""
        side: Side | None = self.term("side")
        return side

    def term(self, name: str) -> Any:
        """One of the present terms (`tracks.terms`); None if nothing said it."""
        sole = self.record.sole
        if sole is not None:
            return sole.terms.value(name)
        if not (links := self.record.several):
            return None
        if (value := self.current_link.terms.value(name)) is not None:
            return value
        # Such as what it waited for, which the order that it became does not repeat.
        said = [held for link in links.values() if (held := link.terms.held(name)) is not None]
        return max(said)[1] if said else None

    def terms(self) -> Row:
        """All present terms, in the order of `TERMS`."""
        sole = self.record.sole
        if sole is not None and sole.terms.row is not None:
            return sole.terms.row
        return tuple(self.term(name) for name in TERMS)

    @property
    def current_link(self) -> Link:
        """The link that no other replaces."""
        record = self.record
        return record.sole or record.several[record.current()]

    @property
    def venue_order_id(self) -> str | None:
        """The venue's present id of the order."""
        return self.record.current() or None

    @property
    def is_conditional(self) -> bool:
        """Whether its present id is one under which the venue keeps conditional orders."""
        is_known = self.record.sole or self.record.several
        return bool(is_known) and UNTRIGGERED in self.current_link.other_words

    def fills(self) -> list[HeldFill]:
        """The executions in their present form, by execution id, busted ones included."""
        return [self.record.fills[exec_id] for exec_id in sorted(self.record.fills)]

    # ---- what is shown

    def in_base(self, quantity: Decimal | None) -> str | None:
        """A native quantity of this order in base units; None where that cannot be said."""
        is_inverse = self.product == Product.INVERSE
        return base_text(quantity, self.contract_size, is_inverse=is_inverse)

    def view(self) -> dict[str, Any]:
        """What `orders` shows of it."""
        return view.view_of(self)

    def content(self) -> bytes:
        """Canonical bytes of tracks and fills: the same for every arrival of the same evidence."""
        return view.content_of(self)


def _arrival(order: Order) -> tuple[bool, int, int]:
    cause = order.first_seen_cause
    return (True, 0, 0) if cause is None else (False, cause.offset, cause.place)
