"""One account: evidence in; orders, fills, positions and questions out.

Pure. It joins the parts that each answer one question: `orders` (what is the state of each order),
`exposure` (what do the executions sum up to), `streams` (what could we not see), `reconciliation`
(what to ask), `publishing` (what consumers read). It reads no clock: `now_ns` is the step's.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

from orderloom import topology
from orderloom.account import AccountConfig
from orderloom.event import (
    BalanceReport,
    Cause,
    Event,
    Execution,
    OrderReport,
    Origin,
    PositionReport,
    Reply,
)
from orderloom.words import OPEN_STATUSES, FillKind, Source
from processors.account.differences import outline
from processors.account.doubts import Doubts
from processors.account.exposure import Exposure
from processors.account.look_ups import LookUps, Ours
from processors.account.position_sides import UnknownSides
from processors.account.publishing import Publisher
from processors.account.saved import Document, Saved, key_of
from processors.account.setting import Setting
from processors.account.sizes import Sizes
from processors.account.streams import Streams
from processors.account.targets import DOUBT, GAP
from processors.intents.intents import Intents
from processors.intents.kills import Kills
from processors.orders.effects import (
    DisputeRaised,
    Effect,
    FillRecorded,
    GapClosed,
    GapOpened,
    KeyRetired,
    OrderChanged,
    UnknownStatus,
)
from processors.orders.fill_document import fill_document
from processors.orders.order import Order
from processors.orders.orders import Orders

ACCOUNT: Final = "a"
"""The kind of the record that holds what no part does."""
OF_INSTRUMENT: Final = (OrderReport, Execution, PositionReport)
"""What shows that an account trades a product."""


class AccountFold:
    """The state of one account. It changes only through `take_*`, `register` and `tick`."""

    def __init__(self, account: str, setting: Setting) -> None:
        self.account = account
        self.setting = setting
        self.config: AccountConfig | None = None
        self.is_removed = False
        self.quarantine: dict[str, Any] | None = None
        self._is_dirty = False
        raw = topology.RAW.name(setting.venue, setting.namespace)
        nowhere = Cause(raw, setting.partition, -1)
        self.orders = Orders(account, setting.profiles)
        sided = (name for name, profile in setting.profiles.items() if profile.has_positions)
        self.exposure = Exposure(sides=UnknownSides(frozenset(sided)))
        self.streams = Streams(account, setting.owner)
        self.publisher = publisher = Publisher(account, setting.epoch, nowhere)
        self.doubts = Doubts()
        self.sizes = Sizes(setting.instruments, self.orders)
        ours = Ours(self.orders, self.exposure, self.doubts, self.streams, publisher)
        self.look_ups = look_ups = LookUps(setting, ours, self._take_effects)
        targets = look_ups.reconciliation.targets
        self.intents = Intents(self.orders, publisher, targets, setting.owner, setting.times)
        self.kills = Kills(account, self.intents, setting.claims)
        self._parts: tuple[Saved, ...] = (
            self.orders, self.orders.lists, self.exposure, self.streams,
            look_ups, look_ups.reconciliation, look_ups.positions,
            look_ups.balances, look_ups.differences, self.intents, publisher,
        )  # fmt: skip
        self._part_of = {kind: part for part in self._parts for kind in part.KINDS}

    @property
    def cause(self) -> Cause:
        """The record that what follows is said by."""
        return self.publisher.cause

    @property
    def now_ns(self) -> int:
        """The step's clock reading."""
        return self.publisher.now_ns

    # ---- what the log says ----

    def begin(self, cause: Cause, now_ns: int) -> None:
        """What follows is said by the record at `cause`, at the step's clock reading.

        Called only for what changes something: it is saved that it was said.
        """
        self.publisher.begin(cause, now_ns)
        self.setting.spoken.add(self.account)

    def register(self, config: AccountConfig, *, is_removed: bool = False) -> None:
        """The registry's entry for this account came through `control` (decision 0007)."""
        self.config, self.is_removed, self._is_dirty = config, is_removed, True
        self.look_ups.register(config)
        # Blind from when each stream was last heard, also if no worker closes it (decision 0007).
        if not self.is_enabled:
            self.look_ups.watch(lambda streams: streams.fall_silent("the account is disabled"))
        self.publisher.show_account()

    def set_apart(self, reason: str, offset: int) -> None:
        """The evidence broke an invariant: what is said from here on is only remembered."""
        self.quarantine = {"reason": reason, "since": offset, "records": 0, "last": {}}
        self._is_dirty = True
        self.publisher.show_account()

    def remember(self, kind: str, offset: int) -> None:
        """Count a record of a quarantined account; its offset is where a re-drive goes on."""
        assert self.quarantine is not None
        self.quarantine["records"] += 1
        self.quarantine["last"][kind] = offset
        self._is_dirty = True
        self.setting.spoken.add(self.account)

    def take_events(self, events: Sequence[Event], origin: Origin) -> list[str]:
        """Fold what one message says; the keys of orders that an answer shows alive."""
        alive: list[OrderReport] = []
        products = self.look_ups.reconciliation.cycles
        is_answer = origin.source is not Source.STREAM
        said_ns = origin.asked_ns if is_answer else origin.received_ns
        at = 0
        while at < len(events):
            event = events[at]
            at += 1
            # Its frame's product may be another.
            if event.product not in products and type(event) in OF_INSTRUMENT:
                self.look_ups.note_product(event.product)
            if type(event) is OrderReport:
                # What one message of the stream says of an order is one
                # piece of news (decision 0408).
                executions = () if is_answer else _executions_of(event, events, at)
                at += len(executions)
                self._take_order_event(event, origin, executions)
                # Only answers list; what the stream says of an order `Orders.spoke` notes.
                if is_answer and event.status in OPEN_STATUSES and not event.is_past:
                    alive.append(event)
            elif type(event) is Execution or type(event) is Reply:
                self._take_order_event(event, origin)
            elif type(event) is BalanceReport and self.look_ups.balances.take(event, said_ns):
                self.publisher.show_balances()
        # Keys are read last: a later event of the message may join an order with another.
        return [order.key for order in map(self._order_of, alive) if order is not None]

    def _take_order_event(
        self,
        event: OrderReport | Execution | Reply,
        origin: Origin,
        executions: Sequence[Execution] = (),
    ) -> None:
        is_heard = origin.source is Source.STREAM
        if event.symbol is not None:
            self.look_ups.touch(event.product, (event.symbol,), is_heard=is_heard)
        if is_heard and self._take_straight(event, executions, origin):
            return
        is_compared = origin.source is Source.QUERY and self.look_ups.reconciliation.is_news(
            event.product, event.venue_ns
        )
        # Taken before it is folded: what it changes now, the stream had not brought.
        before = outline(self._named_by(event)) if is_compared else {}
        effects = self.orders.apply(event, origin, executions)
        order = self._order_of(event)
        # Before fills are shown; of evidence that names no order too, and no id leads there.
        spoken_of = (() if order is None else (order,), (effect.order for effect in effects))
        lacking = [one for one in chain(*spoken_of) if one.contract_size is None]
        for unsized in dict.fromkeys(lacking):
            effects += self.sizes.pin(unsized, self.now_ns)
        for effect in effects:
            self._take_effect(effect, origin)
        if order is None:
            if is_heard and event.symbol is None and isinstance(event, OrderReport):
                # What said the order's symbol was missed: a cycle will show it.
                at_ns = origin.received_ns or self.now_ns
                self.look_ups.note_loss(event.product, at_ns, "an order without a symbol")
            return
        if is_compared:
            self.look_ups.differences.answered(before, order, effects, origin)
        elif is_heard and not isinstance(event, Reply):
            # The stream speaks of that moment itself: what an answer brought of it early
            # was not missed (decision 0004).
            for one in (event, *executions):
                self.look_ups.differences.heard(order, one.venue_ns)
        self.orders.spoke(order, origin, origin.received_ns or self.now_ns)

    def _take_straight(
        self,
        report: OrderReport | Execution | Reply,
        executions: Sequence[Execution],
        origin: Origin,
    ) -> bool:
        """Fold the usual next execution of a usual order; False: it is not (decision 0410)."""
        if len(executions) != 1 or type(report) is not OrderReport:
            return False
        (event,) = executions
        folded = self.orders.take_straight(report, event)
        if folded is None:
            return False
        order, fill = folded
        self.orders.spoke(order, origin, origin.received_ns or self.now_ns)
        effect = FillRecorded(order, FillKind.REAL, fill, None, origin, fill.venue_order_id or "")
        self.publisher.event(topology.FILLS, fill_document(order, effect, origin), origin.cause)
        self.publisher.orders[order.key] = origin.cause
        position = self.exposure.add(order, fill)
        if position is None:
            position = self.exposure.count(order, fill, None)
            self.exposure.weigh(order)
        self.publisher.positions[position.key] = origin.cause
        self.look_ups.differences.heard(order, report.venue_ns)
        self.look_ups.differences.heard(order, event.venue_ns)
        return True

    def _order_of(self, event: OrderReport | Execution | Reply) -> Order | None:
        return self.orders.find(
            event.product, event.symbol or "", event.venue_order_id, event.client_order_id
        )

    def _named_by(self, event: OrderReport | Execution | Reply) -> Order | None:
        """The order that bears the event's own id: a client's may be that of a former order."""
        if event.venue_order_id is None:
            return self._order_of(event)
        return self.orders.find(event.product, event.symbol or "", event.venue_order_id)

    def _take_effect(self, effect: Effect, origin: Origin) -> None:
        order = effect.order
        match effect:
            case OrderChanged():
                self._order_changed(order, origin.cause)
            case FillRecorded():
                self._fill_recorded(effect, origin)
            case GapOpened():
                due_ns = self.now_ns + order.profile.grace_ns
                self.look_ups.reconciliation.targets.raise_doubt(order.key, GAP, due_ns)
            case GapClosed():
                self.look_ups.reconciliation.targets.settle(order.key, GAP)
            case KeyRetired():
                self._key_retired(effect, origin.cause)
            # At once, and without a grace (docs/state-model.md 3.6, 3.9).
            case DisputeRaised() | UnknownStatus():
                self.look_ups.reconciliation.targets.raise_doubt(order.key, DOUBT, self.now_ns)

    def _take_effects(self, effects: Iterable[Effect]) -> None:
        """What followed from no message of its own: time, or what an answer lacked."""
        for effect in effects:
            self._take_effect(effect, Origin(self.account, Source.QUERY, self.cause))

    def _order_changed(self, order: Order, cause: Cause) -> None:
        self.doubts.changed(order)
        self.publisher.orders[order.key] = cause
        # Before it is weighed: its side or margin mode may be new, and its place then another.
        moved = self.exposure.settle_home(order)
        for position in (*moved, *self.exposure.weigh(order)):
            self.publisher.positions[position.key] = cause

    def _key_retired(self, effect: KeyRetired, cause: Cause) -> None:
        key, order = effect.key, effect.order
        self.publisher.retire_order(key, effect.version, cause)
        self.look_ups.differences.retired(key, order)
        self.intents.cancels.retire(key, order)
        self.doubts.retire(key)
        touched = self.exposure.retire(key)
        if order.key != key:
            touched += self.exposure.settle_home(order)
            touched += self.exposure.weigh(order)
            # Executions that name no order id are known to positions by the order's key.
            touched += [self.exposure.recount(order)]
        for position in touched:
            self.publisher.positions[position.key] = cause

    def _fill_recorded(self, effect: FillRecorded, origin: Origin) -> None:
        order = effect.order
        moved = self.exposure.settle_home(order)
        fill = None if effect.kind is FillKind.BUST else effect.fill
        position = self.exposure.count(order, fill, effect.before)
        for touched in (*moved, position):
            self.publisher.positions[touched.key] = origin.cause
        # While answers bring what no stream did, two equal figures prove no opening (`figures.py`).
        if origin.source is Source.QUERY and effect.kind is FillKind.REAL:
            self.exposure.note_brought(order.product, effect.fill.venue_ns or 0)
        self.publisher.event(topology.FILLS, fill_document(order, effect, origin), origin.cause)

    def take_instruments(self) -> None:
        """The venue listed instruments: what waited for one is shown in base units now."""
        origin = Origin(self.account, Source.QUERY, self.cause)
        self._take_effects(self.sizes.pin_waiting(origin, self.now_ns))
        for key in sorted(self.sizes.waiting_positions):
            position = self.exposure.positions[key]
            if self.sizes.measure(position, self.now_ns):
                self.publisher.positions[key] = self.cause

    # ---- what we could see ----

    @property
    def is_synced(self) -> bool:
        """Whether everything was looked at and no blind interval is open."""
        return self.is_followed and self.look_ups.is_complete

    @property
    def is_followed(self) -> bool:
        """Whether its evidence is asked for and folded; else what is shown grows old."""
        return self.is_enabled and self.quarantine is None

    @property
    def is_enabled(self) -> bool:
        """Whether anybody looks at it; an account that the registry never named is looked at."""
        return self.config is None or self.config.enabled

    # ---- time ----

    def due_ns(self) -> int | None:
        """When the earliest timer is due."""
        # It asks nothing meanwhile, and its timers rest (decision 0007).
        times = [self.intents.cancels.due_ns()] if self.is_enabled else []
        if self.is_followed:  # set apart, it still cancels
            times += [self.look_ups.reconciliation.due_ns(), self.publisher.due_ns()]
        return min((at_ns for at_ns in times if at_ns is not None), default=None)

    def tick(self, now_ns: int) -> None:
        """Let every due timer fire."""
        self.begin(self.cause, now_ns)
        self.intents.cancels.tick(now_ns)
        if self.is_followed:
            self.look_ups.tick(now_ns)
            self.publisher.tick(now_ns)

    # ---- state ----

    def state(self) -> Iterator[tuple[str, Document | None]]:
        """The state records that changed since the last call; None: it is no more."""
        for part in self._parts:
            for path, document in part.state():
                named = None if document is None else {"account": self.account, **document}
                yield key_of(self.account, path), named
        if self._is_dirty:
            yield key_of(self.account, ACCOUNT), self._document()
        self._is_dirty = False

    def _document(self) -> Document:
        return {
            "account": self.account,
            "config": self.config and self.config.model_dump(mode="json"),
            "removed": self.is_removed,
            "quarantine": self.quarantine,
        }

    def restore(self, kind: str, document: Document) -> None:
        """Take back one state record; `finish_restore` after all."""
        if kind != ACCOUNT:
            self._part_of[kind].restore(kind, document)
            return
        if document["config"] is not None:
            self.config = AccountConfig.model_validate(document["config"])
        self.is_removed, self.quarantine = document["removed"], document["quarantine"]

    def finish_restore(self) -> None:
        """Once all records are back: what follows from several of them."""
        # Orders first: where they count, and who is in doubt, follows from them.
        self.orders.finish_load()
        self.exposure.finish_restore(self.orders.all())
        self.intents.cancels.finish_restore()
        for order in self.orders.all():
            self.doubts.changed(order)
        self.sizes.wait_for(self.orders.all(), self.exposure.positions.values())


def _executions_of(
    report: OrderReport, events: Sequence[Event], first: int
) -> tuple[Execution, ...]:
    """The executions that a message reports right after the order that it reports."""
    name = report.venue_order_id
    if len(events) == first:
        return ()
    found: list[Execution] = []
    for event in events[first:]:
        if type(event) is not Execution or not name or event.venue_order_id != name:
            break
        if (event.product, event.symbol) != (report.product, report.symbol):
            break
        found.append(event)
    return tuple(found)
