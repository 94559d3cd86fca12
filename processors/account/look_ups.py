"""What the venue is asked about one account, and what its answers prove.

Pure. `reconciliation` decides what to ask and when a cycle is complete; then our figures are
compared with the venue's (`positions`, `balances`), blind intervals are closed, and what is still
in doubt is asked about by itself. What was found stands in `differences`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Final

from orderloom.account import AccountConfig
from orderloom.event import BalanceReport, Event, PositionReport
from orderloom.question import About
from orderloom.raw import Answer, Failure
from processors.account.balances import Balances
from processors.account.differences import Differences
from processors.account.doubts import Doubts
from processors.account.exposure import Exposure
from processors.account.figures import CycleCoverage
from processors.account.position_check import PositionCheck
from processors.account.publishing import Publisher
from processors.account.reconciliation import Reconciliation, is_forgotten
from processors.account.refusals import UncoveredSymbol, refusal_of
from processors.account.saved import Document
from processors.account.setting import Setting
from processors.account.streams import LIVE, Blind, Streams
from processors.account.suspects import Suspect
from processors.account.targets import GAP, GHOST, Target
from processors.account.venue_place import place_of
from processors.orders.effects import Effect
from processors.orders.orders import Orders

LOOKED: Final = "u"
"""The kind of its own state record: the symbols to ask for, and the intervals closed last."""
NO_SYMBOLS: Final[frozenset[str]] = frozenset()
CLOSED_SHOWN_MAX = 8
"""How many closed blind intervals an account's record still shows."""
PROGRESS_NS = 2_000_000_000
"""How often an account that catches up is shown, while nothing but its progress changes."""


@dataclass(frozen=True, slots=True)
class Ours:
    """What of the account the answers are about."""

    orders: Orders
    exposure: Exposure
    doubts: Doubts
    streams: Streams
    publisher: Publisher


class LookUps:
    """The asking side of one account.

    `touched` are the symbols that anything spoke of, by product, `closed` the blind intervals that
    were closed last. `take_effects` lets what followed for an order happen to the account.
    """

    KINDS: ClassVar[tuple[str, ...]] = (LOOKED,)

    def __init__(
        self, setting: Setting, ours: Ours, take_effects: Callable[[Iterable[Effect]], None]
    ) -> None:
        self.touched: dict[str, set[str]] = {}
        self.closed: list[dict[str, Any]] = []
        self._setting = setting
        self._orders, self._exposure, self._doubts = ours.orders, ours.exposure, ours.doubts
        self._streams, self._publisher = ours.streams, ours.publisher
        self._take_effects = take_effects
        self._is_dirty = False
        profiles, publisher = setting.profiles, ours.publisher
        self.differences = Differences(publisher)
        publish = self.differences.publish
        asking = publisher.ask, publish, setting.times
        self.reconciliation = Reconciliation(profiles, setting.pace, ours.streams, *asking)
        self.positions = PositionCheck(ours.exposure, profiles, publish)
        self.balances = Balances(ours.exposure, profiles, setting.instruments, publish)

    # ---- what there is to look at

    def register(self, config: AccountConfig) -> None:
        """The registry names the account's products, and symbols of theirs."""
        for product in config.products:
            self.reconciliation.expect(product, self._now_ns, config.symbols.get(product, ()))

    def watch(self, change: Callable[[Streams], object]) -> None:
        """Let a change of connections happen, and look again if the view changed."""
        before = self._visible()
        change(self._streams)
        if self._visible() != before:
            for product in self.products():
                self.reconciliation.want(product)
            self._publisher.show_account()

    def note_product(self, product: str) -> None:
        """A fact or connection named a product: it is looked at, also if the registry does not."""
        if product not in self.reconciliation.cycles:
            self.reconciliation.expect(product, self._now_ns)
            self._publisher.show_account()

    def note_loss(self, product: str, at_ns: int, reason: str) -> None:
        """A fact came and could not be read: the span is blind until it was asked about."""
        self.watch(lambda streams: streams.note_loss(product, at_ns, at_ns, reason))

    def products(self) -> list[str]:
        """The products that this account is known to trade."""
        return list(self.reconciliation.cycles)

    def _visible(self) -> tuple[Any, ...]:
        statuses = tuple(self._streams.status(product) for product in self.products())
        spans = tuple((one.product, one.start_ns, one.end_ns) for one in self._streams.blind)
        return statuses, spans, [one.is_late for one in self.reconciliation.cycles.values()]

    def touch(self, product: str, symbols: Collection[str], *, is_heard: bool = False) -> None:
        """Something spoke of these symbols: where lists are by symbol they are asked for.

        `is_heard`: the stream did, and not an answer.
        """
        # Nothing is kept of no symbols: an entry that is not saved would be gone after a restart.
        known = self.touched.get(product, NO_SYMBOLS)
        if not known.issuperset(symbols):
            # Of a symbol that is new on a living stream nothing was missed (decision 0015).
            if not is_heard or self._streams.is_blind(product):
                self.reconciliation.turned_up(product, set(symbols) - known)
            self.touched.setdefault(product, set()).update(symbols)
            self._is_dirty = True
        # A refused symbol was taken for idle until now: sync and its bands change with this.
        if self.reconciliation.spoken_of(product, symbols):
            self._publisher.show_account()

    @property
    def _now_ns(self) -> int:
        return self._publisher.now_ns

    # ---- what the answers prove

    @property
    def is_complete(self) -> bool:
        """Whether everything was looked at and no blind interval is open."""
        cycles = self.reconciliation.cycles.values()
        if not cycles or self._streams.blind:
            return False
        return all(one.is_in_sync and self.positions.is_open(one.product) for one in cycles)

    @property
    def open_differences(self) -> int:
        """How many differences stand."""
        refused = sum(len(cycles.refused) for cycles in self.reconciliation.cycles.values())
        standing = (self.positions.differing, self.balances.standing, self.differences.asked)
        return refused + sum(map(len, standing))

    def note_alive(self, question_id: str, order_keys: Iterable[str]) -> None:
        """A cycle's answer shows these orders alive: they are no ghosts of that cycle."""
        began_ns = self.reconciliation.cycle_of(question_id)
        if began_ns is not None:
            self._orders.listed(order_keys, began_ns)

    def take_page(self, item: Answer) -> None:
        """One good page of an answer came; its rows are folded already."""
        cycles = self.reconciliation.cycles_of(item.question["id"])
        closed = self.reconciliation.take_page(item, self._now_ns, self.suspects)
        self._publish_settled()
        if cycles is not None and closed is not None:
            self._cycle_completed(cycles.product, closed)
        elif self._now_ns - self._publisher.shown_ns >= PROGRESS_NS and not self.is_complete:
            self._publisher.show_account()

    def _cycle_completed(self, product: str, closed: list[Blind]) -> None:
        self._check_figures(product)
        self._raise_gaps(product)
        shown = [asdict(interval) | {"closed_ns": self._now_ns} for interval in closed]
        self.closed = (self.closed + shown)[-CLOSED_SHOWN_MAX:]
        self._is_dirty |= bool(shown)
        self._publisher.show_account()

    def take_refusal(self, item: Answer, events: tuple[Event, ...], asked_ns: int | None) -> None:
        """No answer: but what the venue has forgotten has ended (`is_forgotten`).

        It was asked at `asked_ns`, venue time; None where that is not known.
        """
        target = self.reconciliation.targets.answered(item.question["id"])
        # With all that lists said of it: when it was last seen decides (decision 0016).
        order = self._orders.spoken_of(target.order_key) if target else None
        asked = None if asked_ns is None else replace(item, asked_ns=asked_ns)
        if order and asked and is_forgotten(order, asked, events):
            # It ended without an execution, so no trade of it can be lacking (decision 0308).
            self._take_effects(self._orders.absent(order.key, asked.asked_ns, has_all_trades=True))
        self.take_failure(item, events)

    def take_failure(self, item: Answer | Failure, events: tuple[Event, ...]) -> None:
        """No answer: asked again, but for a symbol of which the venue refuses to speak."""
        reply = refusal_of(item, events)
        cycles = self.reconciliation.cycles_of(item.question["id"])
        if reply is None or cycles is None:
            self.reconciliation.take_failure(item, self._now_ns)
            return
        refused = self.reconciliation.refuse(item, reply, self._now_ns)
        if refused is not None:
            # Whether the registry names it too is looked at in `Cycles.lacks` (decision 0013).
            refused.may_lack |= not self._is_idle(cycles.product, refused)
            self._publisher.show_account()
        closed = self.reconciliation.end_refused(cycles.product, self._now_ns, self.suspects)
        if closed is not None:
            self._cycle_completed(cycles.product, closed)

    def _is_idle(self, product: str, refused: UncoveredSymbol) -> bool:
        """Whether nothing speaks for it that a symbol may have moved since it was looked at."""
        self._exposure.refresh(self._orders.all())
        where = (product, refused.symbol)
        orders = (one for one in self._orders.all() if (one.product, one.symbol) == where)
        is_held = self._setting.profiles[product].has_positions and self._exposure.holds(*where)
        return not is_held and self._doubts.is_idle(orders, refused.since_ns)

    def take_figures(self, events: Iterable[Event], item: Answer, asked_ns: int | None) -> None:
        """One page of the venue's own figures; they are compared when the cycle is complete.

        They were asked for at `asked_ns`, venue time; None where that is not known.
        """
        product, about = item.question.get("product", ""), item.question.get("about")
        if about == About.POSITIONS:
            reports = (one for one in events if isinstance(one, PositionReport))
            self.touch(product, self.positions.take_page(reports, item, asked_ns))
        elif about == About.BALANCES:
            rows = [one for one in events if isinstance(one, BalanceReport)]
            self.balances.take_page(rows, item, asked_ns)
            if self.balances.take_list(rows, item, asked_ns):
                self._publisher.show_balances()

    def _raise_gaps(self, product: str) -> None:
        """A cycle is complete: what it left without its executions is asked about by itself."""
        # Also those for which there was no room before: raised again here (decision 0012).
        due_ns = self._now_ns + self._setting.profiles[product].grace_ns
        for key in sorted(self._doubts.gaps):
            order = self._orders.get(key)
            if order is not None and order.product == product:
                self.reconciliation.targets.raise_doubt(key, GAP, due_ns)

    def _check_figures(self, product: str) -> None:
        # Ours are held against the venue's figures now: none of them may be stale.
        self._exposure.refresh(self._orders.all())
        coverage = self._coverage(product)
        # They turn up as in any answer: the account waits until a cycle has asked for them.
        self.touch(product, self.balances.check(product, coverage, self._orders.all))
        for position in self.positions.check(product, coverage, self._orders.all):
            self._publisher.positions[position.key] = self._publisher.cause
        if not self.positions.is_open(product) and self._may_open_soon(product):
            # Two look-ups of one instant cannot agree (`figures.py`, rule 1).
            lag_ns = self._setting.profiles[product].visibility_lag_ns
            self.reconciliation.want_at(product, self._now_ns + lag_ns)

    def _may_open_soon(self, product: str) -> bool:
        """It takes two look-ups: the next one soon, unless the venue refuses or nobody hears."""
        refused = self.reconciliation.cycles[product].refused.values()
        is_heard = self._streams.status(product) == LIVE
        return is_heard and not any(one.may_lack for one in refused)

    def _coverage(self, product: str) -> CycleCoverage:
        """What the cycle that is just complete covered."""
        cycles, lacking = self.reconciliation.cycles[product], frozenset[str]()
        # A list of all symbols lacks none of them.
        if self._setting.profiles[product].trades_by_symbol:
            lacking = cycles.uncovered(self._symbols(product))
        brought_ns = self._exposure.brought.get(product, 0)
        return CycleCoverage(cycles.until_ns, cycles.reached_ns, lacking, brought_ns)

    # ---- time

    def tick(self, now_ns: int) -> None:
        """Let every due timer fire."""
        before = self._visible()
        self.reconciliation.tick(now_ns, self._symbols)
        for target in self.reconciliation.targets.due(now_ns):
            self._chase(target)
        self._publish_settled()
        if self._visible() != before:
            self._publisher.show_account()

    def _chase(self, target: Target) -> None:
        order = self._orders.get(target.order_key)
        # It ended meanwhile, or is part of another order: nothing is left to ask.
        if order is None or (target.why == GHOST and not order.is_open):
            self.reconciliation.targets.settle(target.order_key, target.why)
            return
        if target.why == GAP:
            # Shown as provisional from now on, also where the question waits (decision 0011).
            self._take_effects(self._orders.grace_over(order.key))
        place, seen = place_of(order, target.why), order.seen
        if seen and self.reconciliation.is_left_to_cycle(target, place, seen.last_ns):
            self.reconciliation.targets.put_off(target, self._now_ns + self._setting.pace.retry_ns)
            return
        self.differences.asks(target, order)
        self.reconciliation.ask_target(target, place, self._now_ns)

    def _publish_settled(self) -> None:
        self.differences.publish_late(self._now_ns, self._orders.get)
        self.differences.publish_settled(self.reconciliation.targets.by_name, self._orders.get)

    def _symbols(self, product: str) -> Iterable[str]:
        registered = self.reconciliation.cycles[product].registered
        return {*registered, *self.touched.get(product, ())}

    def suspects(self, product: str) -> Iterator[Suspect]:
        """The orders of a product that are open with us, but those that its cycle listed."""
        began_ns = self.reconciliation.cycles[product].began_ns
        listed = self._orders.lists.listed_since(began_ns)
        return self._doubts.suspects(self._orders.open_orders(listed), product)

    # ---- state

    def state(self) -> Iterator[tuple[str, Document]]:
        """The state record of what no part of it holds, if it changed since the last call."""
        if self._is_dirty:
            touched = {product: sorted(symbols) for product, symbols in self.touched.items()}
            yield LOOKED, {"touched": touched, "closed": self.closed}
        self._is_dirty = False

    def restore(self, _kind: str, document: Document) -> None:
        """Take back the state record."""
        self.touched = {product: set(symbols) for product, symbols in document["touched"].items()}
        self.closed = document["closed"]
