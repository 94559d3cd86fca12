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
from processors.account.refusals import UncoveredSymbol
from processors.account.streams import Blind
from processors.account.venue_time import VenueTime
from venues.venue import Profile

SECOND_NS: Final = 1_000_000_000
SPACING_NS: Final = 2 * SECOND_NS
"""Cycles that a loss asks for do not follow one another faster than this."""
DOUBLINGS_MAX: Final = 16
LATE_PERIODS: Final = 5
"""A cycle that is under way for longer than so many periods (or time-outs, if those are longer) is
late: what streams lost meanwhile is unknown, so the account is not in sync until it is complete."""
PATIENCE_DOUBLINGS_MAX: Final = 4
"""Then an answer is waited for for sixteen times the time-out: what is not lost has come by then,
or why it does not (the edge gives up what was decided ten minutes ago, and says so)."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How reconciliation is paced; all in ns. Part of the fold's configuration digest."""

    period_ns: int = 30 * SECOND_NS
    timeout_ns: int = 30 * SECOND_NS
    retry_ns: int = 2 * SECOND_NS
    lookback_ns: int = 24 * 3600 * SECOND_NS
    silence_ns: int = 6 * SECOND_NS

    @property
    def late_ns(self) -> int:
        """How long a cycle may be under way before it is late."""
        return LATE_PERIODS * max(self.period_ns, self.timeout_ns)

    def patience_ns(self, tries: int) -> int:
        """How long an answer is waited for, after so many askings that came to nothing.

        At a venue's limits the line may be longer than any time-out: each asking that it outlasts
        doubles the next one's, so that a question is asked a few times and not for ever.
        """
        return self.timeout_ns << min(tries, PATIENCE_DOUBLINGS_MAX)


STANDARD: Final = Pace()


@dataclass(slots=True)
class Pending:
    """A question on its way. `run_ns` names the run of pages that is being received.

    One that `has_failed` is asked again at `due_ns` in any case; another only if nothing of its
    cycle was answered meanwhile. `failures` counts those in a row, also of its former askings.
    """

    question: Question
    due_ns: int
    run_ns: int = -1
    pages: int = 0
    has_failed: bool = False
    failures: int = 0


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
    asked: int = 0
    """How many questions the present cycle began with, and how many pages have come."""
    pages: int = 0
    first_ns: int = 0
    from_ns: int = 0
    deep_ns: int = 0
    """The next cycle (or the present one) asks for the order history since then; 0 for as usual."""
    refused: dict[str, UncoveredSymbol] = field(default_factory=dict)
    """The symbols that the venue refuses to be asked about."""
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
        return self.is_complete and not self.is_late and not any(map(self.lacks, self.refused))

    def lacks(self, symbol: str) -> bool:
        """Whether the venue refuses a symbol of which something may be missing."""
        refused = self.refused.get(symbol)
        return refused is not None and (refused.may_lack or symbol in self.registered)

    def want(self, at_ns: int) -> None:
        """Something was lost or came back: a cycle is wanted, from `at_ns` on."""
        self.next_ns = min(self.next_ns, max(at_ns, self.began_ns + SPACING_NS))

    def due_ns(self) -> int:
        """When this machine wants its next tick."""
        if self.asking:
            return min(pending.due_ns for pending in self.pending.values())
        return self.next_ns

    def begin(
        self,
        now_ns: int,
        intervals: Iterable[Blind],
        pace: Pace,
        venue: tuple[Profile, VenueTime],
    ) -> tuple[int, int]:
        """Begin a cycle; the span [since, until) of venue time that its questions must cover."""
        profile, time = venue
        starts = [i.start_ns for i in intervals if not i.is_since_ever]
        since_ns = min([*starts, self.covered_ns]) if self.covered_ns else now_ns - pace.lookback_ns
        self.from_ns = since_ns - profile.visibility_lag_ns
        self.since_ns = self.from_ns + time.lowest_ns(self.from_ns)
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

    def since_of(self, symbol: str, since_ns: int, pace: Pace) -> int:
        """Since when a question of this cycle asks about a symbol, if about others `since_ns`."""
        if symbol in self.refused:
            since_ns = min(since_ns, self.refused[symbol].since_ns)
        if symbol not in self.covered:
            since_ns = min(since_ns, self.until_ns - pace.lookback_ns)
        return since_ns

    def ask(self, question: Question, due_ns: int, failures: int = 0) -> None:
        """A question of this cycle goes out; asked again if it is not answered by `due_ns`."""
        self.pending[question.id] = Pending(question, due_ns, failures=failures)

    def overdue(self, now_ns: int) -> list[Pending]:
        """What to ask again; it is no longer pending."""
        late = [pending for pending in self.pending.values() if pending.due_ns <= now_ns]
        for pending in late:
            del self.pending[pending.question.id]
        return late

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

    def refuse(
        self, question_id: str, reply: Reply, now_ns: int, pace: Pace
    ) -> UncoveredSymbol | None:
        """The venue's own word ends a question about one symbol; the symbol, where that is news.

        Its other questions go on: what is answered is evidence, though the symbol is not covered.
        """
        symbol = self.pending.pop(question_id).question.symbol
        assert symbol is not None
        refused = self.refused.get(symbol)
        is_news = refused is None
        if refused is None:
            since_ns = self.since_of(symbol, self.since_ns, pace)
            never = symbol not in self.covered
            refused = UncoveredSymbol(symbol, "", since_ns, 0, 0, may_lack=never)
            self.refused[symbol] = refused
        if refused.at_ns < self.began_ns:
            refused.refuse(reply.code or "", now_ns, pace.period_ns)
        return refused if is_news else None

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
        for pending in self.pending.values():
            if not pending.has_failed:
                pending.due_ns = max(pending.due_ns, due_ns)

    def take_page(self, question_id: str, asked_ns: int, page: int, *, is_last: bool) -> bool:
        """One good page of one run came; True if the cycle is complete with it."""
        pending = self.pending[question_id]
        if pending.run_ns != asked_ns:
            pending.run_ns, pending.pages = asked_ns, 0
        if page != pending.pages + 1:
            return False
        pending.pages += 1
        self.pages += 1
        if not is_last:
            return False
        del self.pending[question_id]
        self.floor_ns = min(self.floor_ns, asked_ns)
        return not self.pending

    def progress(self) -> dict[str, int]:
        """How far the present cycle is, as `orderloom.account.Progress` shows it."""
        return {
            "answered": self.asked - len(self.pending),
            "asked": self.asked,
            "pages": self.pages,
        }

    def come_to_nothing(self, now_ns: int) -> None:
        """All was answered, and what that covers is not known."""
        self.asking = False
        self.next_ns = now_ns + SPACING_NS

    def finish(self, profile: Profile, now_ns: int, time: VenueTime) -> tuple[int, int]:
        """The cycle is complete: it covered [since, until), both in ns of our time.

        What is known of the venue's clock by now says of which of our times was asked; without the
        lag that the questions overlap by.

        One that took longer than a period (rate limits) is not followed by the next at once: half
        the time is left to what is urgent.
        """
        self.asking = self.is_late = False
        if self.next_ns <= now_ns:
            self.next_ns = now_ns + (now_ns - self.began_ns) // 2
        self.completed += 1
        self.covered = frozenset(self.symbols) - self.refused.keys()
        for one in self.refused.values():
            one.since_ns = min(one.since_ns, self.since_ns)
        # What was asked up to, however late rate limits let it be asked; and never more than a lag
        # before the first question.
        lag_ns = profile.visibility_lag_ns
        until_ns = self.until_ns - time.highest_ns(min(self.began_ns, self.floor_ns) - lag_ns)
        reached_ns = min(until_ns, self.floor_ns - lag_ns - time.leap_ns(self.from_ns))
        self.covered_ns = max(self.covered_ns, reached_ns)
        self.first_ns = self.first_ns or time.earliest_ns(reached_ns)
        return self.since_ns - time.lowest_ns(self.from_ns) + lag_ns, reached_ns

    def dump(self) -> dict[str, Any]:
        """The complete state, JSON-ready."""
        return {
            "product": self.product,
            "numbers": [
                self.next_ns, self.covered_ns, self.since_ns, self.until_ns, self.floor_ns,
                self.began_ns, self.completed,
            ],
            "asking": self.asking,
            "symbols": self.symbols,
            "covered": sorted(self.covered),
            "registered": sorted(self.registered),
            "first": self.first_ns,
            "from": self.from_ns,
            "deep": self.deep_ns,
            "progress": [self.asked, self.pages],
            "refused": [one.document() for one in self.refused.values()],
            "late": self.is_late,
            "pending": [
                [p.question.document(), p.due_ns, p.run_ns, p.pages, p.has_failed, p.failures]
                for p in self.pending.values()
            ],
        }  # fmt: skip

    @classmethod
    def load(cls, document: dict[str, Any]) -> "Cycles":
        """The cycles that `dump` gave out."""
        cycles = cls(document["product"], *document["numbers"])
        cycles.asking = document["asking"]
        cycles.symbols = tuple(document["symbols"])
        cycles.covered = frozenset(document["covered"])
        cycles.registered = frozenset(document["registered"])
        cycles.first_ns, cycles.deep_ns = document["first"], document["deep"]
        cycles.from_ns = document["from"]
        cycles.asked, cycles.pages = document["progress"]
        cycles.refused = {one["symbol"]: UncoveredSymbol(**one) for one in document["refused"]}
        cycles.is_late = document["late"]
        for question, *numbers in document["pending"]:
            asked = Question.model_validate(question)
            cycles.pending[asked.id] = Pending(asked, *numbers)
        return cycles


def questions_of_cycle(
    cycles: Cycles, span: tuple[int, int], pace: Pace, profile: Profile
) -> list[dict[str, Any]]:
    """What a cycle asks about the span [since, until) in ns, as fields of `Question`.

    Trades are asked for up to `until`, which lies a visibility lag back: what is younger the stream
    still has its time to bring, and the cycle covers no more than that anyway. A symbol that the
    last cycle did not ask for is asked for from as far back as at first contact, one that was
    refused from where it was last looked at.
    """
    since_ns, until_ns = span
    history_ns = min(since_ns, cycles.deep_ns or since_ns)
    product = cycles.product

    def each(about: About, is_by_symbol: bool, **fields: Any) -> Iterator[dict[str, Any]]:
        targets: Iterable[str | None] = cycles.symbols if is_by_symbol else (None,)
        for symbol in targets:
            question = {"about": about, "product": product, "symbol": symbol, **fields}
            if "since_ns" in fields and symbol is not None:
                question["since_ns"] = cycles.since_of(symbol, fields["since_ns"], pace)
            yield question

    return [
        *each(About.OPEN_ORDERS, product in profile.open_orders_by_symbol),
        *each(About.ORDER_HISTORY, product in profile.history_by_symbol, since_ns=history_ns),
        *each(
            About.TRADES, product in profile.trades_by_symbol, since_ns=since_ns, until_ns=until_ns
        ),
        *each(About.BALANCES, False),
        *(each(About.POSITIONS, False) if product in profile.positions_of else ()),
    ]
