"""One account: evidence in; orders, fills, positions and questions out.

Pure. It joins the parts that each answer one question: `orders` (what is the state of each order),
`exposure` (what do the executions sum up to), `streams` (what could we not see), `reconciliation`
(what to ask), `publishing` (what consumers read). It reads no clock: `now_ns` is the step's.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict
from typing import Any

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
from orderloom.question import About, Question
from orderloom.raw import Answer, Failure
from orderloom.words import OPEN_STATUSES, FillKind, Source
from processors.account.balances import Balances
from processors.account.differences import Differences, outline
from processors.account.doubts import Doubts
from processors.account.exposure import Exposure
from processors.account.position_check import PositionCheck
from processors.account.publishing import Publisher
from processors.account.reconciliation import Reconciliation, Suspect, is_forgotten, place_of
from processors.account.refusals import UncoveredSymbol, refusal_of
from processors.account.setting import Setting
from processors.account.sizes import Sizes
from processors.account.streams import Blind, Streams
from processors.account.targets import DOUBT, GAP, GHOST, Target
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

CLOSED_SHOWN_MAX = 8
"""How many closed blind intervals an account's record still shows."""
PROGRESS_NS = 2_000_000_000
"""How often an account that catches up is shown, while nothing but its progress changes."""


class AccountFold:
    """The state of one account. It changes only through `take_*`, `register` and `tick`."""

    def __init__(self, account: str, setting: Setting) -> None:
        self.account = account
        self.setting = setting
        self.config: AccountConfig | None = None
        self.is_removed = False
        self.orders = Orders(account, setting.profile)
        self.exposure = Exposure()
        self.streams = Streams()
        self.publisher = Publisher(account, setting.epoch)
        self.differences = Differences(self.publisher, setting.profile.visibility_lag_ns)
        profile, publish = setting.profile, self.differences.publish
        pace, times = setting.pace, setting.times
        self.reconciliation = Reconciliation(profile, pace, self.streams, self._ask, publish, times)
        self.positions = PositionCheck(self.exposure, profile, publish)
        self.balances = Balances(profile, setting.instruments, publish)
        self.doubts = Doubts()
        self.touched: dict[str, set[str]] = {}
        self.closed: list[dict[str, Any]] = []
        self.questions = 0
        self.version = 0
        self.shown_ns = 0
        self.quarantine: dict[str, Any] | None = None
        raw = topology.RAW.name(setting.venue, setting.namespace)
        self.cause = Cause(raw, setting.partition, -1)
        self.now_ns = 0
        self.is_dirty = False
        self.dirty_orders: set[str] = set()
        self.dirty_positions: set[str] = set()
        self.sizes = Sizes(setting.instruments)

    # ---- what the log says ----

    def begin(self, cause: Cause, now_ns: int) -> None:
        """What follows is said by the record at `cause`, at the step's clock reading."""
        self.cause, self.now_ns, self.is_dirty = cause, now_ns, True
        self.differences.cause = cause

    def register(self, config: AccountConfig, *, is_removed: bool = False) -> None:
        """The registry's entry for this account came through `control` (decision 0007)."""
        self.config, self.is_removed = config, is_removed
        for product in config.products:
            self.reconciliation.expect(product, self.now_ns, config.symbols.get(product, ()))
        if not self.is_enabled:
            self.watch(lambda streams: streams.fall_silent(self.now_ns, "the account is disabled"))
        self.account_changed()

    def take_events(self, events: Iterable[Event], origin: Origin) -> list[str]:
        """Fold what one message says; the keys of orders that it shows alive."""
        alive: list[OrderReport] = []
        for event in events:
            if isinstance(event, OrderReport | Execution | Reply):
                self._take_order_event(event, origin)
                if isinstance(event, OrderReport) and event.status in OPEN_STATUSES:
                    alive.append(event)
            elif isinstance(event, BalanceReport) and self.balances.take(event):
                self.account_changed()
        # Keys are read last: a later event of the message may join an order with another.
        return [order.key for order in map(self._order_of, alive) if order is not None]

    def _take_order_event(self, event: OrderReport | Execution | Reply, origin: Origin) -> None:
        if event.symbol is not None:
            self._touch(event.product, (event.symbol,))
        is_compared = origin.source is Source.QUERY and self.reconciliation.is_news(
            event.product, event.venue_ns
        )
        before = outline(self._order_of(event)) if is_compared else {}
        effects = self.orders.apply(event, origin)
        for effect in effects:
            self._take_effect(effect, origin)
        order = self._order_of(event)
        if order is None:
            return
        if is_compared:
            self.differences.answered(before, order, effects, origin)
        elif origin.source is Source.STREAM and not isinstance(event, Reply):
            self.differences.heard(order, event.venue_ns)
        self.dirty_orders.add(order.key)
        if order.contract_size is None:
            for effect in self.sizes.pin(order, self.now_ns):
                self._take_effect(effect, origin)
        self.doubts.spoke(order.key, origin, self.now_ns)

    def _order_of(self, event: OrderReport | Execution | Reply) -> Order | None:
        return self.orders.find(
            event.product, event.symbol or "", event.venue_order_id, event.client_order_id
        )

    def _take_effect(self, effect: Effect, origin: Origin) -> None:
        order = effect.order
        match effect:
            case OrderChanged():
                self._order_changed(order, origin.cause)
            case FillRecorded():
                self._fill_recorded(effect, origin)
            case GapOpened():
                grace = self.setting.profile.grace_ns
                self.reconciliation.targets.raise_doubt(order.key, GAP, self.now_ns + grace)
            case GapClosed():
                self.reconciliation.targets.settle(order.key, GAP)
            case KeyRetired():
                self._key_retired(effect, origin.cause)
            case DisputeRaised() | UnknownStatus():
                self.reconciliation.targets.raise_doubt(order.key, DOUBT, self.now_ns)

    def _take_effects(self, effects: Iterable[Effect]) -> None:
        """What followed from no message of its own: time, or what an answer lacked."""
        for effect in effects:
            self._take_effect(effect, Origin(self.account, Source.QUERY, self.cause))

    def _order_changed(self, order: Order, cause: Cause) -> None:
        self.dirty_orders.add(order.key)
        self.doubts.changed(order)
        self.publisher.orders[order.key] = cause
        moved = self.exposure.settle_home(order)
        for position in (*moved, *self.exposure.weigh(order)):
            self.publisher.positions[position.key] = cause

    def _key_retired(self, effect: KeyRetired, cause: Cause) -> None:
        key, order = effect.key, effect.order
        self.publisher.retire_order(key, effect.version, cause)
        self.differences.retired(key, order)
        self.doubts.retire(key)
        touched = self.exposure.retire(key)
        if order.key != key:
            touched += self.exposure.settle_home(order)
            touched += self.exposure.weigh(order)
            touched += [self.exposure.recount(order)]
            self.publisher.orders[order.key] = cause
        for position in touched:
            self.publisher.positions[position.key] = cause

    def _fill_recorded(self, effect: FillRecorded, origin: Origin) -> None:
        order = effect.order
        moved = self.exposure.settle_home(order)
        fill = None if effect.kind is FillKind.BUST else effect.fill
        position = self.exposure.count(order, fill, effect.before)
        for touched in (*moved, position):
            self.publisher.positions[touched.key] = origin.cause
        self.publisher.orders[order.key] = origin.cause
        self.publisher.event(topology.FILLS, fill_document(order, effect, origin), origin.cause)

    def take_instruments(self) -> None:
        """The venue listed instruments: what waited for one is shown in base units now."""
        origin = Origin(self.account, Source.QUERY, self.cause)
        self._take_effects(self.sizes.pin_waiting(self.orders, origin, self.now_ns))
        for key in sorted(self.sizes.waiting_positions):
            position = self.exposure.positions[key]
            if self.sizes.measure(position, self.now_ns):
                self.publisher.positions[key] = self.cause

    # ---- what we could see ----

    def watch(self, change: Callable[[Streams], object]) -> None:
        """Let a change of connections happen, and look again if the view changed."""
        before = self._visible()
        change(self.streams)
        if self._visible() != before:
            for product in self.products():
                self.reconciliation.want(product)
            self.account_changed()

    def note_product(self, product: str) -> None:
        """A frame or connection named a product that the registry did not."""
        self.reconciliation.expect(product, self.now_ns)

    def note_loss(self, product: str, at_ns: int, reason: str) -> None:
        """A fact came and could not be read: the span is blind until it was asked about."""
        self.watch(lambda streams: streams.note_loss(product, at_ns, at_ns, reason))

    @property
    def is_synced(self) -> bool:
        """Whether everything was looked at and no blind interval is open."""
        cycles = self.reconciliation.cycles.values()
        if not (cycles and self.is_enabled) or self.streams.blind:
            return False
        return all(one.is_in_sync and self.positions.is_open(one.product) for one in cycles)

    @property
    def open_differences(self) -> int:
        """How many differences stand."""
        refused = sum(len(cycles.refused) for cycles in self.reconciliation.cycles.values())
        standing = (self.positions.differing, self.balances.standing, self.differences.asked)
        return refused + sum(map(len, standing))

    @property
    def is_enabled(self) -> bool:
        """Whether anybody looks at it; an account that the registry never named is looked at."""
        return self.config is None or self.config.enabled

    def products(self) -> list[str]:
        """The products that this account is known to trade."""
        return list(self.reconciliation.cycles)

    def _visible(self) -> tuple[Any, ...]:
        statuses = tuple(self.streams.status(product) for product in self.products())
        spans = tuple((one.product, one.start_ns, one.end_ns) for one in self.streams.blind)
        return statuses, spans, [one.is_late for one in self.reconciliation.cycles.values()]

    def note_alive(self, question_id: str, order_keys: Iterable[str]) -> None:
        """A cycle's answer shows these orders alive: they are no ghosts of that cycle."""
        began_ns = self.reconciliation.cycle_of(question_id)
        if began_ns is not None:
            self.dirty_orders.update(self.doubts.listed(order_keys, began_ns))

    def take_page(self, item: Answer) -> None:
        """One good page of an answer came; its rows are folded already."""
        closed = self.reconciliation.take_page(item, self.now_ns, self.suspects)
        self._publish_settled()
        if closed is not None:
            self._cycle_completed(item.question.get("product", ""), closed)
        elif self.now_ns - self.shown_ns >= PROGRESS_NS and not self.is_synced:
            self.account_changed()

    def _cycle_completed(self, product: str, closed: list[Blind]) -> None:
        self._check_figures(product)
        self._raise_gaps(product)
        shown = [asdict(interval) | {"closed_ns": self.now_ns} for interval in closed]
        self.closed = (self.closed + shown)[-CLOSED_SHOWN_MAX:]
        self.account_changed()

    def take_refusal(self, item: Answer, events: tuple[Event, ...]) -> None:
        """No answer: but what the venue has forgotten has ended (`is_forgotten`)."""
        target = self.reconciliation.targets.answered(item.question["id"])
        order = self.orders.get(target.order_key) if target else None
        if order and is_forgotten(order, item, events, self.setting.profile):
            self._take_effects(self.orders.absent(order.key, item.asked_ns, has_all_trades=True))
        self.take_failure(item, events)

    def take_failure(self, item: Answer | Failure, events: tuple[Event, ...]) -> None:
        """No answer: asked again, but for a symbol of which the venue refuses to speak."""
        reply = refusal_of(item, events)
        cycles = self.reconciliation.cycles_of(item.question["id"])
        if reply is None or cycles is None:
            self.reconciliation.take_failure(item, self.now_ns)
            return
        refused = self.reconciliation.refuse(item, reply, self.now_ns)
        if refused is not None:
            refused.may_lack |= not self._is_idle(cycles.product, refused)
            self.account_changed()
        closed = self.reconciliation.end_refused(cycles.product, self.now_ns, self.suspects)
        if closed is not None:
            self._cycle_completed(cycles.product, closed)

    def _is_idle(self, product: str, refused: UncoveredSymbol) -> bool:
        """Whether nothing speaks for it that a symbol may have moved since it was looked at."""
        self.exposure.refresh(self.orders.all())
        where = (product, refused.symbol)
        orders = (one for one in self.orders.all() if (one.product, one.symbol) == where)
        is_held = product in self.setting.profile.positions_of and self.exposure.holds(*where)
        return not is_held and self.doubts.is_idle(orders, refused.since_ns)

    def take_figures(self, events: Iterable[Event], item: Answer) -> None:
        """One page of the venue's own figures; they are compared when the cycle is complete."""
        product, about = item.question.get("product", ""), item.question.get("about")
        if about == About.POSITIONS:
            reports = (one for one in events if isinstance(one, PositionReport))
            self._touch(product, self.positions.take_page(reports, item))
        elif about == About.BALANCES:
            rows = (one for one in events if isinstance(one, BalanceReport))
            self.balances.take_page(rows, product, item.page)

    def _raise_gaps(self, product: str) -> None:
        """A cycle is complete: what it left without its executions is asked about by itself."""
        due_ns = self.now_ns + self.setting.profile.grace_ns
        for key in sorted(self.doubts.gaps):
            order = self.orders.get(key)
            if order is not None and order.product == product:
                self.reconciliation.targets.raise_doubt(key, GAP, due_ns)

    def _touch(self, product: str, symbols: Collection[str]) -> None:
        self.touched.setdefault(product, set()).update(symbols)
        if self.reconciliation.spoken_of(product, symbols):
            self.account_changed()

    def _check_figures(self, product: str) -> None:
        self.exposure.refresh(self.orders.all())
        self._touch(product, self.balances.check(product, self.exposure.positions.values()))
        for position in self.positions.check(product, self.orders.all):
            self.publisher.positions[position.key] = self.cause
        if not self.positions.is_open(product):  # it takes two look-ups: the next one soon
            lag_ns = self.setting.profile.visibility_lag_ns
            self.reconciliation.cycles[product].want(self.now_ns + lag_ns)

    # ---- questions and time ----

    def _ask(self, fields: dict[str, Any]) -> Question:
        self.questions += 1
        question_id = f"{self.account}/q{self.publisher.epoch}-{self.questions}"
        question = Question(id=question_id, account=self.account, **fields)
        self.publisher.question(question, self.now_ns)
        return question

    def due_ns(self) -> int | None:
        """When the earliest timer is due."""
        if self.quarantine is not None or not self.is_enabled:
            return None
        return self.reconciliation.due_ns()

    def tick(self, now_ns: int) -> None:
        """Let every due timer fire."""
        self.begin(self.cause, now_ns)
        before = self._visible()
        self.reconciliation.tick(now_ns, self._symbols)
        for target in self.reconciliation.targets.due(now_ns):
            self._chase(target)
        self._publish_settled()
        if self._visible() != before:
            self.account_changed()

    def _chase(self, target: Target) -> None:
        order = self.orders.get(target.order_key)
        if order is None or (target.why == GHOST and not order.is_open):
            self.reconciliation.targets.settle(target.order_key, target.why)
            return
        if target.why == GAP:
            self._take_effects(self.orders.grace_over(order.key))
        place, seen = place_of(order, target.why), self.doubts.seen.get(order.key)
        if seen and self.reconciliation.is_left_to_cycle(target, place, seen.last_ns):
            target.due_ns = self.now_ns + self.setting.pace.retry_ns
            return
        self.differences.asks(target, order)
        self.reconciliation.ask_target(target, place, self.now_ns)

    def _publish_settled(self) -> None:
        self.differences.publish_late(self.now_ns, self.orders.get)
        self.differences.publish_settled(self.reconciliation.targets.by_name, self.orders.get)

    def _symbols(self, product: str) -> Iterable[str]:
        configured = self.config.symbols.get(product, ()) if self.config else ()
        return {*configured, *self.touched.get(product, ())}

    def suspects(self, product: str) -> Iterator[Suspect]:
        """The orders of a product that are open with us."""
        return self.doubts.suspects(self.orders.open_orders(), product)

    def account_changed(self) -> None:
        """The account's record, and with it whether its bands are bounded, is published anew."""
        self.publisher.account_cause = self.cause
        self.shown_ns = self.now_ns
