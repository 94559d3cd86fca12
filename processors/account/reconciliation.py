"""Reconciliation of one account: what to ask, when, and what the answers prove.

Pure. It makes questions and never state: answers are evidence like any other and go through the
orders' fold. What it concludes is only which blind intervals are closed, and which orders to ask
about by their own id. An account is *catching up* until no interval is open.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from orderloom.event import Event, Reply
from orderloom.question import About, Question
from orderloom.raw import Answer, Failure
from orderloom.words import Reason
from processors.account.cycles import Cycles, questions_of_cycle
from processors.account.pace import Pace
from processors.account.refusals import KIND, UncoveredSymbol
from processors.account.streams import Blind, Streams
from processors.account.suspects import Suspect, listed_since
from processors.account.targets import GAP, GHOST, Target, Targets
from processors.account.venue_place import VenuePlace
from processors.account.venue_time import VenueTimes
from processors.orders.order import Order
from venues.venue import Profiles

CYCLES: Final = "r"
QUESTION: Final = "q"
TARGET: Final = "t"
"""The kinds of its state records: a product's cycles, a question on its way, a doubt."""
SINGLY_MAX: Final = 100
"""More ghosts of a product than these are looked for in lists. At Binance one question by id weighs
as much as 200 rows of a list (Spot), at OKX as much as 100."""


def is_forgotten(order: Order, item: Answer, events: Iterable[Event]) -> bool:
    """Whether a conditional order that the venue does not find has ended without an execution.

    A complete list of those that wait lacked it already, or nobody would have asked.
    """
    made_ns, seen_ns = order.record.first_ns, order.record.seen_ns
    ages_ns = order.profile.conditional_ages_ns
    if ages_ns is None or made_ns is None or seen_ns is None or order.executed:
        return False
    is_unknown = any(isinstance(one, Reply) and one.reason is Reason.NOT_FOUND for one in events)
    # A question so soon after it was seen may not find it yet.
    is_visible = seen_ns + order.profile.visibility_lag_ns < item.asked_ns
    is_asked = item.question.get("is_conditional") and is_unknown and is_visible
    return bool(is_asked) and made_ns + ages_ns[0] < item.asked_ns < made_ns + ages_ns[1]


@dataclass(slots=True)
class Reconciliation:
    """The questions of one account. `ask` gives a question its id and sends it out, `publish`
    publishes a record of `differences`."""

    KINDS: ClassVar[tuple[str, ...]] = (CYCLES, QUESTION, TARGET)

    profiles: Profiles
    pace: Pace
    streams: Streams
    ask: Callable[[dict[str, Any]], Question]
    publish: Callable[..., None]
    times: VenueTimes
    cycles: dict[str, Cycles] = field(default_factory=dict)
    targets: Targets = field(default_factory=Targets)
    changed: set[str] = field(default_factory=set)
    """The products whose cycles changed since they were saved."""

    def expect(self, product: str, now_ns: int, symbols: Iterable[str] | None = None) -> None:
        """A product of the account: look at it from now on, and soon at `symbols` that are new."""
        if product not in self.cycles:
            self._cycles_of(product).next_ns = now_ns + self.pace.period_ns
            self.streams.expect(product)
            self.changed.add(product)
        if symbols is not None:
            cycles = self.cycles[product]
            self.changed.add(product)
            cycles.registered = frozenset(symbols)
            if cycles.completed and not cycles.is_complete:
                cycles.want(now_ns)

    def want(self, product: str) -> None:
        """A cycle is wanted as soon as it can prove something about the ended intervals."""
        ends = [
            interval.end_ns
            for interval in self.streams.blind
            if interval.product == product and interval.end_ns is not None
        ]
        if ends and product in self.cycles:
            self.want_at(product, max(ends) + self.profiles[product].visibility_lag_ns)

    def want_at(self, product: str, at_ns: int) -> None:
        """A cycle is wanted from `at_ns` on."""
        self.cycles[product].want(at_ns)
        self.changed.add(product)

    def is_waiting_for_clock(self, product: str) -> bool:
        """Whether a cycle covered nothing for want of the venue's clock, which is known now."""
        cycles = self.cycles.get(product)
        is_known = self.times.of(product).is_known(self.streams.owner.generation)
        return cycles is not None and cycles.fruitless > 0 and is_known

    def go_on_from(self, product: str, covered_ns: int) -> None:
        """A former life looked so far: what is younger was ours to miss."""
        cycles = self.cycles[product]
        cycles.covered_ns = max(cycles.covered_ns, covered_ns)
        cycles.first_ns = cycles.first_ns or cycles.covered_ns
        self.changed.add(product)

    def ask_anew(self, now_ns: int) -> None:
        """What was asked was never sent: all doubts and cycles are due at once."""
        for cycles in self.cycles.values():
            cycles.forget_questions(now_ns)
        self.changed |= self.cycles.keys()
        self.targets.forget_questions(now_ns)

    def due_ns(self) -> int | None:
        """When the earliest timer of the account is due."""
        due = [cycles.due_ns() for cycles in self.cycles.values()]
        if (target := self.targets.due_ns()) is not None:
            due.append(target)
        due.extend(
            cycles.began_ns + self.pace.late_ns
            for cycles in self.cycles.values()
            if cycles.asking and not cycles.is_late
        )
        return min(due, default=None)

    def tick(self, now_ns: int, symbols: Callable[[str], Iterable[str]]) -> None:
        """Let the cycles' timers fire; `symbols(product)` are those to ask for by symbol."""
        for cycles in self.cycles.values():
            # Whatever keeps it from its end: streams lose messages meanwhile too (decision 0013).
            if cycles.asking and cycles.began_ns + self.pace.late_ns <= now_ns:
                cycles.is_late = True
                self.changed.add(cycles.product)
            if cycles.due_ns() > now_ns:
                continue
            self.changed.add(cycles.product)
            if cycles.asking:
                self._ask_again(cycles, now_ns)
            else:
                self._begin(cycles, now_ns, symbols(cycles.product))

    def _begin(self, cycles: Cycles, now_ns: int, symbols: Iterable[str]) -> None:
        ended = [i for i in self.streams.blind if i.product == cycles.product]
        venue = (self.profiles[cycles.product], self.times.of(cycles.product))
        span = cycles.begin(now_ns, ended, self.pace, venue)
        urgent = bool(ended or cycles.deep_ns)  # ghosts are shown as open until it is complete
        for one in cycles.take_symbols(symbols):
            self._publish_refusal(cycles.product, one, "nobody asks about it any more")
        for fields in questions_of_cycle(cycles, span, self.pace, venue):
            question = self.ask({**fields, "urgent": urgent, "reason": "round"})
            cycles.ask(question, now_ns + self.pace.timeout_ns)
        cycles.asked = len(cycles.pending)

    def _ask_again(self, cycles: Cycles, now_ns: int) -> None:
        for late in cycles.overdue(now_ns):
            fields = late.question.model_dump(exclude={"id", "account"})
            # Silence counts as a failed try: the next answer is waited for longer.
            tries = late.failures + (not late.has_failed)
            cycles.ask(self.ask(fields), now_ns + self.pace.patience_ns(tries), tries)

    def is_left_to_cycle(self, target: Target, place: VenuePlace, heard_ns: int) -> bool:
        """Whether a cycle that is wanted or under way will bring what this gap lacks.

        One is wanted while the product is blind. One that is under way does not bring it where the
        stream spoke of the order (at `heard_ns`) since it began.
        """
        cycles = self.cycles.get(place.product)
        if target.why != GAP or cycles is None:
            return False
        if self.streams.is_blind(place.product):
            return True
        return heard_ns < cycles.began_ns and cycles.brings_trades_of(place.symbol)

    def ask_target(self, target: Target, place: VenuePlace, now_ns: int) -> None:
        """Ask about one order by its own id."""
        about = About.TRADES if target.why == GAP else About.ORDER
        question = self.ask(
            {
                "about": about,
                "product": place.product,
                "symbol": place.symbol,
                "venue_order_id": place.venue_order_id,
                "client_order_id": place.client_order_id,
                "is_conditional": place.is_conditional,
                # What was executed later the stream may still bring (decision 0004).
                "until_ns": place.venue_ns if target.why == GAP else None,
                "urgent": True,
                "reason": target.why.lower(),
            }
        )
        self.targets.asked(target, question.id, now_ns + self.pace.patience_ns(target.tries))

    def is_news(self, product: str, venue_ns: int | None) -> bool:
        """Whether what happened then (ns) could be missed: not if it was before the first look."""
        cycles = self.cycles.get(product)
        if cycles is None or not cycles.first_ns:
            return False
        return venue_ns is None or venue_ns >= cycles.first_ns

    def is_pending(self, question_id: str) -> bool:
        """Whether the question is one that a cycle or a target waits for."""
        return self.cycles_of(question_id) is not None or (
            self.targets.answered(question_id) is not None
        )

    def cycles_of(self, question_id: str) -> Cycles | None:
        """The cycles whose present one waits for this question."""
        for cycles in self.cycles.values():
            if question_id in cycles.pending:
                return cycles
        return None

    def take_failure(self, item: Failure | Answer, now_ns: int) -> None:
        """A question failed, or its answer could not be read: it is asked again, later."""
        question_id = item.question["id"]
        if (cycles := self.cycles_of(question_id)) is not None:
            cycles.fail(question_id, now_ns, self.pace)
            self.changed.add(cycles.product)
        elif (target := self.targets.answered(question_id)) is not None:
            self.targets.ask_again(target, now_ns, self.pace.retry_ns)

    def cycle_of(self, question_id: str) -> int | None:
        """When the cycle began that this question belongs to, in ns; None if it is of no cycle."""
        cycles = self.cycles_of(question_id)
        return None if cycles is None else cycles.began_ns

    def take_page(
        self, item: Answer, now_ns: int, open_orders: Callable[[str], Iterable[Suspect]]
    ) -> list[Blind] | None:
        """One good page came; if a cycle is complete with it, the blind intervals it closed."""
        cycles = self.cycles_of(item.question["id"])
        if cycles is None:
            self._settle(item, now_ns)
            return None
        self.changed.add(cycles.product)
        cycles.answered(now_ns + self.pace.timeout_ns)
        if not cycles.take_page(
            item.question["id"], item.asked_ns, item.page, is_last=item.is_last
        ):
            return None
        return self._finish(cycles, now_ns, open_orders)

    def refuse(self, item: Answer | Failure, reply: Reply, now_ns: int) -> UncoveredSymbol | None:
        """The venue refuses a cycle's question about one symbol; the symbol, where that is news.

        Something of it may be missing unless the venue says that it knows no such symbol, and it
        was looked at before; what else speaks for it, the account's evidence says.
        """
        cycles = self.cycles_of(item.question["id"])
        assert cycles is not None
        self.changed.add(cycles.product)
        found = cycles.refuse(item.question["id"], reply, now_ns, self.pace)
        if found is not None:
            found.may_lack |= found.code not in self.profiles[cycles.product].unknown_symbol_codes
            theirs = {"code": found.code, "text": reply.text, "asked_ns": item.asked_ns}
            self._publish_refusal(cycles.product, found, "open", theirs)
        return found

    def end_refused(
        self, product: str, now_ns: int, open_orders: Callable[[str], Iterable[Suspect]]
    ) -> list[Blind] | None:
        """After a refusal: as `take_page`."""
        cycles = self.cycles[product]
        return None if cycles.pending else self._finish(cycles, now_ns, open_orders)

    def _publish_refusal(
        self, product: str, one: UncoveredSymbol, rule: str, theirs: dict[str, Any] | None = None
    ) -> None:
        rule = rule if rule == "open" else f"settled: {rule}"
        ours, theirs = {"since_ns": one.since_ns}, theirs or {"code": one.code}
        self.publish(KIND, rule, product, symbol=one.symbol, ours=ours, theirs=theirs)

    def lacks(self, product: str, symbol: str) -> bool:
        """Whether the venue refuses a symbol of which something may be missing."""
        cycles = self.cycles.get(product)
        return cycles is not None and cycles.lacks(symbol)

    def turned_up(self, product: str, symbols: Iterable[str]) -> None:
        """Symbols that were not known were met where something was missed: by an answer, or while
        the product is blind. If no cycle asks for them, what closes now does not cover them."""
        cycles = self.cycles.get(product)
        if cycles is not None and self.profiles[product].trades_by_symbol:
            cycles.turn_up(symbols)
            self.changed.add(product)

    def spoken_of(self, product: str, symbols: Iterable[str]) -> bool:
        """Something speaks of these symbols; whether one was refused, and taken for idle so far."""
        cycles = self.cycles.get(product)
        refused = cycles.refused if cycles else {}
        idle = [refused[one] for one in symbols if one in refused and not refused[one].may_lack]
        for one in idle:
            # That nothing is missing was known only while nothing spoke of it (decision 0013).
            one.may_lack = True
            self.changed.add(product)
        return bool(idle)

    def _finish(
        self, cycles: Cycles, now_ns: int, open_orders: Callable[[str], Iterable[Suspect]]
    ) -> list[Blind] | None:
        time = self.times.of(cycles.product)
        # The answers are evidence; which of our times they cover is unknown (decision 0014).
        if not time.is_known(self.streams.owner.generation):
            cycles.come_to_nothing(now_ns, self.pace)
            return None
        for one in cycles.take_answered():
            self._publish_refusal(cycles.product, one, "the venue answers about it again")
        since_ns, until_ns = cycles.finish(self.profiles[cycles.product], now_ns, time, self.pace)
        self._doubt_ghosts(cycles, now_ns, open_orders(cycles.product))
        closed = self.streams.close(cycles.product, since_ns, until_ns)
        # For ended intervals that this one did not reach.
        self.want(cycles.product)
        return closed

    def _settle(self, item: Answer, now_ns: int) -> None:
        target = self.targets.answered(item.question["id"])
        if target is None:
            return
        if not item.is_last:  # more is on its way: asked again it would begin from the first page
            self.targets.put_off(target, max(target.due_ns, now_ns + self.pace.timeout_ns))
        elif target.why == GAP:  # the orders' fold says when the gap is gone
            self.targets.ask_again(target, now_ns, self.pace.retry_ns)
        else:
            self.targets.settle(target.order_key, target.why)

    def _doubt_ghosts(self, cycles: Cycles, now_ns: int, suspects: Iterable[Suspect]) -> None:
        """Those that are absent from the list; something that came since may not be in it.

        A few are asked about one by one. Many at once (everything was canceled while we were away)
        are looked for in the history, as far back as its list must reach to hold them all. What
        that cycle leaves is asked about one by one.
        """
        ghosts = [
            one
            for one in suspects
            if max(one.first_seen_ns, one.last_seen_ns, one.listed_ns) < cycles.began_ns
        ]
        profile = self.profiles[cycles.product]
        due_ns = now_ns + profile.grace_ns
        if len(ghosts) > SINGLY_MAX and not cycles.deep_ns:
            oldest_ns = listed_since(ghosts, profile, self.times.of(cycles.product))
            # No further than the first look reached (decision 0012).
            cycles.deep_ns = max(oldest_ns, now_ns - self.pace.lookback_ns)
            cycles.want(due_ns)
            return
        cycles.deep_ns = 0
        for ghost in ghosts:
            self.targets.raise_doubt(ghost.key, GHOST, due_ns)

    def state(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """The state records that changed since the last call; a question that is over is None."""
        for product, cycles in self.cycles.items():
            for question_id in sorted(cycles.changed):
                pending = cycles.pending.get(question_id)
                name = question_id.rpartition("/")[2]
                yield f"{QUESTION}/{name}", None if pending is None else pending.document(product)
            cycles.changed.clear()
            if product in self.changed:
                yield f"{CYCLES}/{product}", cycles.document()
        self.changed.clear()
        for name, target in self.targets.state():
            yield f"{TARGET}/{name}", target

    def restore(self, kind: str, document: dict[str, Any]) -> None:
        """Take back one state record."""
        if kind == TARGET:
            self.targets.load(document)
        elif kind == QUESTION:
            self._cycles_of(document["product"]).load_question(document)
        else:
            former = self._cycles_of(document["product"])
            loaded = self.cycles[former.product] = Cycles.load(document)
            # Its questions' records may have come back before it.
            loaded.pending, loaded.timers = former.pending, former.timers

    def _cycles_of(self, product: str) -> Cycles:
        """Those of a product; made where there are none, in an order that no restart changes."""
        if product not in self.cycles:
            self.cycles = dict(sorted({**self.cycles, product: Cycles(product, 0)}.items()))
        return self.cycles[product]
