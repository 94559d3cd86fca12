"""Reconciliation of one product of one account: cycles of questions that cover a span.

Pure. A cycle asks for the open orders, and symbol by symbol where the venue wants it so, for the
order history and the trades since what the last cycle covered, overlapping by the venue's
visibility lag; and for balances and positions. It begins when the stream came back (not before the
blind interval's end plus the lag), when something was surely lost, and periodically. It is complete
when every page of every question came without an error; only then does it cover anything
(docs/state-model.md INV-3, INV-6): a failed read is asked again and never taken for "nothing
there". A symbol that the venue refuses is left out, and stays uncovered (`refusals.py`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from orderloom.event import Reply
from orderloom.question import About, Question
from processors.account.pace import SECOND_NS, Pace
from processors.account.pending import Pending, QuestionTimers
from processors.account.refusals import UncoveredSymbol
from processors.account.streams import Blind
from processors.account.venue_time import VenueTime
from venues.venue import Profile

SPACING_NS: Final = 2 * SECOND_NS
"""Cycles that a loss asks for do not follow one another faster than this."""
DOUBLINGS_MAX: Final = 16
FRUITLESS_DOUBLINGS_MAX: Final = 5
"""While the venue's clock is not known, there is a cycle at last every 32 periods."""


@dataclass(slots=True)
class Cycles:
    """The cycles of one product. `covered_ns` is how far the last complete one reaches, `first_ns`
    how far the first one did: what is older was there before anybody looked.

    `since_ns`, `until_ns` and `first_ns` are venue time, what the present cycle asks for; `from_ns`
    and all others are our time (decision 0014)."""

    product: str
    next_ns: int
    covered_ns: int = 0
    since_ns: int = 0
    until_ns: int = 0
    floor_ns: int = 0
    began_ns: int = 0
    completed: int = 0
    asking: bool = False
    symbols: tuple[str, ...] = ()
    """Those that the cycle asks for, where the venue's lists are by symbol."""
    covered: frozenset[str] = frozenset()
    """Those that the last complete cycle asked for: one that is not in it was never looked at."""
    registered: frozenset[str] = frozenset()
    """Those that the registry names: they may become known after the first cycle."""
    pending: dict[str, Pending] = field(default_factory=dict)
    timers: QuestionTimers = field(default_factory=QuestionTimers, compare=False)
    changed: set[str] = field(default_factory=set)
    """The questions that changed since they were saved."""
    patient_ns: int = 0
    """What did not fail is not asked again before: the venue answers, and the line is long."""
    asked: int = 0
    """How many questions the present cycle began with, and how many pages have come."""
    pages: int = 0
    first_ns: int = 0
    from_ns: int = 0
    reached_ns: int = 0
    """How far the last complete one reaches, however far one before it did."""
    deep_ns: int = 0
    """The next cycle (or the present one) asks for the order history since then; 0 for as usual."""
    refused: dict[str, UncoveredSymbol] = field(default_factory=dict)
    """The symbols that the venue refuses to be asked about."""
    fruitless: int = 0
    """How many cycles in a row covered nothing, as the venue's clock is not known."""
    unseen: dict[str, int] = field(default_factory=dict)
    """Symbols that turned up where something was missed, and that no cycle has asked for yet: since
    when something of them may be missing."""
    is_late: bool = False
    """The present cycle is under way for too long."""

    @property
    def is_complete(self) -> bool:
        """Whether a cycle was complete, the last one asked for all registered symbols, and none is
        wanted that reaches further back."""
        return self.completed > 0 and self.covered >= self.registered and not self.deep_ns

    @property
    def is_in_sync(self) -> bool:
        """Whether nothing may be missing, but for what blind intervals cover."""
        lacks_any = bool(self.unseen) or any(map(self.lacks, self.refused))
        return self.is_complete and not self.is_late and not lacks_any

    def lacks(self, symbol: str) -> bool:
        """Whether something of a symbol may be missing: the venue refuses it, or it turned up."""
        refused = self.refused.get(symbol)
        is_lacking = refused is not None and (refused.may_lack or symbol in self.registered)
        return is_lacking or symbol in self.unseen

    @property
    def lacking(self) -> tuple[Any, ...]:
        """All on which it depends what `lacks` says, of any symbol."""
        refused = tuple((name, one.may_lack) for name, one in self.refused.items())
        return tuple(self.unseen), self.registered, refused

    def uncovered(self, symbols: Iterable[str]) -> frozenset[str]:
        """Those of the symbols, and of the refused ones, of which something may be missing."""
        idle = {name for name, one in self.refused.items() if not one.may_lack}
        return frozenset((*symbols, *self.refused)) - self.covered - idle

    def want(self, at_ns: int) -> None:
        """Something was lost or came back: a cycle is wanted, from `at_ns` on."""
        self.next_ns = min(self.next_ns, max(at_ns, self.began_ns + SPACING_NS))

    def due_ns(self) -> int:
        """When this machine wants its next tick."""
        if self.asking:
            return self.timers.due_ns(self.patient_ns)
        return self.next_ns

    def _due_ns(self, one: Pending) -> int:
        return one.due_ns if one.has_failed else max(one.due_ns, self.patient_ns)

    def begin(
        self,
        now_ns: int,
        intervals: Iterable[Blind],
        pace: Pace,
        venue: tuple[Profile, VenueTime],
    ) -> tuple[int, int]:
        """Begin a cycle; the span [since, until) of venue time that its questions must cover."""
        profile, time = venue
        # First contact has no start to reach back to: the look-back stands in for it.
        starts = [i.start_ns for i in intervals if not i.is_since_ever]
        since_ns = min([*starts, self.covered_ns]) if self.covered_ns else now_ns - pace.lookback_ns
        # What became visible late lies before the end of the last one (decision 0004).
        self.from_ns = since_ns - profile.visibility_lag_ns
        self.since_ns = self.from_ns + time.lowest_ns(self.from_ns)
        # `floor_ns` is lowered by answers, so it begins above any time of theirs.
        self.asking, self.began_ns, self.floor_ns = True, now_ns, now_ns * 2
        self.next_ns = now_ns + pace.period_ns
        until_ns = now_ns - profile.visibility_lag_ns
        self.until_ns = until_ns + time.highest_ns(until_ns)
        self.asked = self.pages = 0
        return self.since_ns, self.until_ns

    def take_symbols(self, wanted: Iterable[str]) -> list[UncoveredSymbol]:
        """The cycle that begins asks for these symbols, but for refused ones that are not due.

        Those that nobody asks for any more are refused no more: they are given back.
        """
        symbols = frozenset(wanted)
        gone = [self.refused.pop(one) for one in sorted(self.refused.keys() - symbols)]
        waiting = {name for name, one in self.refused.items() if one.due_ns > self.began_ns}
        self.symbols = tuple(sorted(symbols - waiting))
        return gone

    def since_of(self, symbol: str, since_ns: int, pace: Pace, time: VenueTime) -> int:
        """Since when a question of this cycle asks about a symbol, if about others `since_ns`."""
        held_ns = self.unseen.get(symbol)
        if symbol in self.refused:
            held_ns = self.refused[symbol].since_ns
        if held_ns is not None:
            since_ns = min(since_ns, held_ns + time.lowest_ns(held_ns))
        # However far the last cycle reached, it did not ask about this one (decision 0010).
        if symbol not in self.covered:
            since_ns = min(since_ns, self.until_ns - pace.lookback_ns)
        return since_ns

    def ask(self, question: Question, due_ns: int, failures: int = 0) -> None:
        """A question of this cycle goes out; asked again if it is not answered by `due_ns`."""
        pending = self.pending[question.id] = Pending(question, due_ns, failures=failures)
        self.timers.set(pending)
        self.changed.add(question.id)

    def overdue(self, now_ns: int) -> list[Pending]:
        """What to ask again; it is no longer pending."""
        late = [one for one in self.pending.values() if self._due_ns(one) <= now_ns]
        late.sort(key=lambda one: (len(one.question.id), one.question.id))  # as they were asked
        for one in late:
            self._take(one.question.id)
        return late

    def _take(self, question_id: str) -> Pending:
        self.changed.add(question_id)
        self.timers.drop(question_id)
        return self.pending.pop(question_id)

    def forget_questions(self, now_ns: int) -> None:
        """What was asked was never sent: a cycle begins now."""
        self.asking, self.next_ns = False, now_ns
        for question_id in list(self.pending):
            self._take(question_id)

    def brings_trades_of(self, symbol: str) -> bool:
        """Whether an answer of this cycle that is still to come holds the executions there."""
        return any(
            pending.question.about is About.TRADES and pending.question.symbol in (None, symbol)
            for pending in self.pending.values()
        )

    def fail(self, question_id: str, now_ns: int, pace: Pace) -> None:
        """A page was an error or could not be read: the whole question is asked again.

        Ever less often, or a key that the venue refuses would use up its limits: each time after
        twice as long, and at last once a period.
        """
        pending = self.pending[question_id]
        wait_ns = min(pace.retry_ns << min(pending.failures, DOUBLINGS_MAX), pace.period_ns)
        pending.due_ns, pending.run_ns, pending.pages = now_ns + wait_ns, -1, 0
        pending.has_failed = True
        pending.failures += 1
        self.timers.set(pending)
        self.changed.add(question_id)

    def refuse(
        self, question_id: str, reply: Reply, now_ns: int, pace: Pace
    ) -> UncoveredSymbol | None:
        """The venue's own word ends a question about one symbol; the symbol, where that is news.

        Its other questions go on: what is answered is evidence, though the symbol is not covered.
        """
        symbol = self._take(question_id).question.symbol
        assert symbol is not None
        refused = self.refused.get(symbol)
        is_news = refused is None
        if refused is None:
            never = symbol not in self.covered
            since_ns = min(self.from_ns, self.unseen.get(symbol, self.from_ns))
            if never:
                since_ns = min(since_ns, self.began_ns - pace.lookback_ns)
            refused = UncoveredSymbol(symbol, "", since_ns, 0, 0, may_lack=never)
            self.refused[symbol] = refused
        # Once a cycle: each of a symbol's questions is refused, and would double its wait.
        if refused.at_ns < self.began_ns:
            refused.refuse(reply.code or "", now_ns, pace.period_ns)
        return refused if is_news else None

    def turn_up(self, symbols: Iterable[str]) -> None:
        """These were met where something was missed: unseen, unless a cycle covers them."""
        # The last one may have asked for more than the one under way, which alone counts then.
        asked = frozenset(self.symbols) if self.asking else self.covered
        for one in sorted(frozenset(symbols) - asked - self.refused.keys()):
            self.unseen.setdefault(one, self.from_ns or self.next_ns)

    def take_answered(self) -> list[UncoveredSymbol]:
        """The cycle is complete: the symbols that were refused before, and in it were not."""
        asked = [self.refused[name] for name in self.symbols if name in self.refused]
        healed = [one for one in asked if one.at_ns < self.began_ns]
        for one in healed:
            del self.refused[one.symbol]
        return healed

    def answered(self, due_ns: int) -> None:
        """The venue answers: what else was asked waits in its line, and is lost only by `due_ns`.

        Thousands of pages take minutes at a venue's limits; to ask again meanwhile would only make
        the line longer, and what was received so far worthless.
        """
        self.patient_ns = max(self.patient_ns, due_ns)

    def take_page(self, question_id: str, asked_ns: int, page: int, *, is_last: bool) -> bool:
        """One good page of one run came; True if the cycle is complete with it."""
        pending = self.pending[question_id]
        if pending.run_ns != asked_ns:
            # Pages of two runs make no complete answer (docs/state-model.md INV-3).
            pending.run_ns, pending.pages = asked_ns, 0
        self.changed.add(question_id)  # a page out of turn as well: it may have begun a run
        if page != pending.pages + 1:
            return False
        pending.pages += 1
        self.pages += 1
        if not is_last:
            return False
        self._take(question_id)
        # The first asking of all bounds what the answers together cover.
        self.floor_ns = min(self.floor_ns, asked_ns)
        return not self.pending

    def progress(self) -> dict[str, int]:
        """How far the present cycle is, as `orderloom.account.Progress` shows it."""
        return {
            "answered": self.asked - len(self.pending),
            "asked": self.asked,
            "pages": self.pages,
        }

    def come_to_nothing(self, now_ns: int, pace: Pace) -> None:
        """All was answered, and what that covers is not known: the clock is not.

        It is evidence all the same, and is asked for ever less often until the clock is known.
        """
        self.asking = False
        self.next_ns = now_ns + (pace.period_ns << min(self.fruitless, FRUITLESS_DOUBLINGS_MAX))
        self.fruitless += 1

    def finish(self, profile: Profile, now_ns: int, time: VenueTime, pace: Pace) -> tuple[int, int]:
        """The cycle is complete: it covered [since, until), both in ns of our time.

        What is known of the venue's clock by now says of which of our times was asked; without the
        lag that the questions overlap by.

        One that took longer than a period (rate limits) is not followed by the next at once: half
        the time is left to what is urgent, and no more than a period. What held it up for minutes
        or hours (a ban, an outage, a first look at much) says nothing of the next.
        """
        self.asking, self.is_late, self.fruitless = False, False, 0
        if self.next_ns <= now_ns:
            self.next_ns = now_ns + min((now_ns - self.began_ns) // 2, pace.period_ns)
        self.completed += 1
        self.covered = frozenset(self.symbols) - self.refused.keys()
        for seen in self.unseen.keys() & {*self.symbols, *self.refused}:
            del self.unseen[seen]  # of one that was refused, that says what is lacking
        for one in self.refused.values():
            one.since_ns = min(one.since_ns, self.from_ns)
        # What was asked up to, however late rate limits let it be asked; and never more than a lag
        # before the first question.
        lag_ns = profile.visibility_lag_ns
        until_ns = self.until_ns - time.highest_ns(min(self.began_ns, self.floor_ns) - lag_ns)
        reached_ns = min(until_ns, self.floor_ns - lag_ns - time.leap_ns(self.from_ns))
        self.reached_ns, self.covered_ns = reached_ns, max(self.covered_ns, reached_ns)
        self.first_ns = self.first_ns or time.earliest_ns(reached_ns)
        # This one did not ask about them: the next follows at once (decision 0015).
        if self.unseen:
            self.want(now_ns)
        return self.since_ns - time.lowest_ns(self.from_ns) + lag_ns, reached_ns

    def document(self) -> dict[str, Any]:
        """The state but for the questions, JSON-ready."""
        return {
            "product": self.product,
            "next_ns": self.next_ns,
            **{name: getattr(self, name) for name in NUMBERS},
            "symbols": self.symbols,
            "covered": sorted(self.covered),
            "registered": sorted(self.registered),
            "refused": [one.document() for one in self.refused.values()],
            "unseen": dict(self.unseen),
        }

    @classmethod
    def load(cls, document: dict[str, Any]) -> "Cycles":
        """The cycles that `document` gave out."""
        cycles = cls(document["product"], document["next_ns"])
        for name in NUMBERS:
            setattr(cycles, name, document[name])
        cycles.symbols = tuple(document["symbols"])
        cycles.covered = frozenset(document["covered"])
        cycles.registered = frozenset(document["registered"])
        unseen = document["unseen"]
        if isinstance(unseen, list):  # records of before lack since when
            unseen = dict.fromkeys(unseen, cycles.from_ns)
        cycles.unseen = unseen
        cycles.refused = {one["symbol"]: UncoveredSymbol(**one) for one in document["refused"]}
        return cycles

    def load_question(self, document: dict[str, Any]) -> None:
        """Take back one question that is on its way."""
        pending = Pending.load(document)
        self.pending[pending.question.id] = pending
        self.timers.set(pending)


NUMBERS: Final = (
    "covered_ns", "since_ns", "until_ns", "floor_ns", "began_ns", "completed", "asking",
    "patient_ns", "asked", "pages", "first_ns", "from_ns", "reached_ns", "deep_ns", "fruitless",
    "is_late",
)  # fmt: skip
"""The fields that the state holds as they are."""


def questions_of_cycle(
    cycles: Cycles, span: tuple[int, int], pace: Pace, venue: tuple[Profile, VenueTime]
) -> list[dict[str, Any]]:
    """What a cycle asks about the span [since, until) in ns, as fields of `Question`.

    Trades are asked for up to `until`, which lies a visibility lag back: what is younger the stream
    still has its time to bring, and the cycle covers no more than that anyway. A symbol that the
    last cycle did not ask for is asked for from as far back as at first contact, one that was
    refused from where it was last looked at.
    """
    (since_ns, until_ns), (profile, time) = span, venue
    history_ns = min(since_ns, cycles.deep_ns or since_ns)
    product = cycles.product

    def each(about: About, is_by_symbol: bool, **fields: Any) -> Iterator[dict[str, Any]]:
        targets: Iterable[str | None] = cycles.symbols if is_by_symbol else (None,)
        for symbol in targets:
            question = {"about": about, "product": product, "symbol": symbol, **fields}
            if "since_ns" in fields and symbol is not None:
                question["since_ns"] = cycles.since_of(symbol, fields["since_ns"], pace, time)
            yield question

    return [
        *each(About.OPEN_ORDERS, profile.open_orders_by_symbol),
        *each(About.ORDER_HISTORY, profile.history_by_symbol, since_ns=history_ns),
        *each(About.TRADES, profile.trades_by_symbol, since_ns=since_ns, until_ns=until_ns),
        *each(About.BALANCES, False),
        *(each(About.POSITIONS, False) if profile.has_positions else ()),
    ]
