"""Answers: one page at a time, translated and folded; of a list of open orders only what is new.

Pure. A page of open orders is told apart into rows first (decision 0016): those that were taken in
before, byte for byte, are only noted; the others go on as a page of their own. Where anything is
unusual, the page goes on whole.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from msgspec import structs

from orderloom import raw
from orderloom.event import Event, Execution, OrderReport, Origin, PositionReport
from orderloom.question import About
from orderloom.words import Source
from processors.account.account import AccountFold
from processors.instruments import Instruments
from processors.intake import Refusal, judged, read_answer, read_reply
from processors.orders.lists import ListPage, OpenList, Shown, is_plain
from processors.pages import split
from venues.venue import Translation, Venue

NAMED: Final = (OrderReport, Execution, PositionReport)
"""What names an instrument that sums go by."""


@dataclass(frozen=True, slots=True)
class OpenPage:
    """One page of a list: the rows that it showed `again`, and those that are `new`.

    `rest` is the answer as if it held the new ones only.
    """

    open_list: OpenList
    turn: ListPage
    again: list[bytes]
    new: list[tuple[bytes, bytes]]
    """Hash and bytes of each."""
    rest: raw.Answer


class Answers:
    """Folds answers into the states of accounts; `count` is told what translation did not know."""

    def __init__(
        self, venue: Venue, instruments: Instruments, count: Callable[[Translation], None]
    ) -> None:
        self._venue = venue
        self._instruments = instruments
        self._count = count

    def fold(self, state: AccountFold, item: raw.Answer, asked_ns: int | None) -> None:
        """`asked_ns` is in venue time; None where the asker's clock is not known."""
        page = self.open_page(state, item, asked_ns)
        translation = read_answer(self._venue, item if page is None else page.rest)
        if isinstance(translation, Refusal):
            reason = translation.reason
            state.publisher.dead_letter(item.body, reason, state.cause, channel=item.channel)
            state.look_ups.reconciliation.take_failure(item, state.now_ns)
            return
        named = self._named(translation, state.now_ns)
        if named is None:
            state.look_ups.reconciliation.take_failure(item, state.now_ns)
            return
        if page is not None:  # not before all of it was read: nothing is half taken
            _note_again(state, page)
        alive = self._take(state, named, item.received_ns, asked_ns)
        state.look_ups.note_alive(item.question["id"], alive)
        if page is not None:
            _keep(state, page, named.events)
        if item.status != 200:
            state.look_ups.take_refusal(item, named.events, asked_ns)
            return
        state.look_ups.take_figures(named.events, item, asked_ns)
        state.look_ups.take_page(item)

    def fail(self, state: AccountFold, item: raw.Failure, asked_ns: int | None) -> None:
        """No answer; what came in its place may be evidence all the same."""
        said = read_answer(self._venue, item) if item.body else None
        named = self._named(said, state.now_ns) if isinstance(said, Translation) else None
        if named is not None:
            self._take(state, named, item.at_ns, asked_ns)
        state.look_ups.take_failure(item, () if named is None else named.events)

    def _named(self, translation: Translation, now_ns: int) -> Translation | None:
        """What an answer says under the names that the stream has; None while they are not known.

        Then the answer is asked for again: taken under another name, it would be of another order.
        """
        if not self._venue.names_vary:
            return translation
        renamed = (self._renamed(event, now_ns) for event in translation.events)
        events = tuple(event for event in renamed if event is not None)
        is_known = len(events) == len(translation.events)
        return structs.replace(translation, events=events) if is_known else None

    def _renamed(self, event: Event, now_ns: int) -> Event | None:
        if event.product not in self._venue.names_vary or not isinstance(event, NAMED):
            return event
        if event.symbol is None:  # its id says it (`Profile.ids_are_of_product`)
            return event
        symbol = self._instruments.symbol_of(event.product, event.symbol, now_ns)
        return None if symbol is None else replace(event, symbol=symbol)

    def _take(
        self, state: AccountFold, translation: Translation, at_ns: int, asked_ns: int | None
    ) -> list[str]:
        self._count(translation)
        origin = Origin(state.account, Source.QUERY, state.cause, at_ns, asked_ns)
        return state.take_events(translation.events, origin)

    def open_page(
        self, state: AccountFold, item: raw.Answer, asked_ns: int | None
    ) -> OpenPage | None:
        """The next page of a list of open orders; None where it is none, or anything is unusual."""
        question = item.question
        # Without the venue's clock nobody knows as of when a list shows its rows.
        if question.get("about") != About.OPEN_ORDERS or item.status != 200 or asked_ns is None:
            return None
        began_ns = state.look_ups.reconciliation.cycle_of(question["id"])
        if began_ns is None:  # no cycle waits for it
            return None
        name = f"{question.get('product', '')}/{question.get('symbol') or ''}"
        open_list = state.orders.lists.of(name)
        shown = Shown(asked_ns, began_ns)
        turn = ListPage(question["id"], item.asked_ns, item.page, item.is_last, shown)
        page = split(item.body, self._venue.list_field) if open_list.takes(turn) else None
        if page is None:
            return None
        if item.page == 1:
            # What an answer showed that was never complete counts, and is joined before it is
            # forgotten.
            for order in open_list.unfinished():
                state.orders.spoken_of(order.key)
            open_list.begin(turn)
        known, again, new = open_list.rows, [], []
        for digest, row in zip(page.digests(), page.rows, strict=True):
            if digest in known:
                again.append(digest)
            else:
                new.append((digest, row))
        rest = replace(item, body=page.body(row for _, row in new))
        return OpenPage(open_list, turn, again, [(d, bytes(r)) for d, r in new], rest)

    def judge(
        self, state: AccountFold, item: raw.Attempt | raw.AttemptOutcome, generation: int
    ) -> None:
        """What an attempt, or its end, means for its request; told by that owner of the edge."""
        if isinstance(item, raw.Attempt):
            state.intents.cancels.begun(item)
        else:
            state.intents.cancels.ended(item, judged(self._venue, item), generation)

    def reply(self, state: AccountFold, item: raw.AttemptOutcome, generation: int) -> None:
        """What an answer means for its request, and what it says of the order that this named."""
        named = state.intents.cancels.id_of(item.command_id)
        self.judge(state, item, generation)
        if not item.body:
            return
        translation = read_reply(self._venue, item)
        if isinstance(translation, Refusal):
            reason = f"{item.verb}: {translation.reason}"
            state.publisher.dead_letter(item.body, reason, state.cause, product=item.product)
            return
        self._count(translation)
        # Of a former attempt nobody knows what it named: the stream says what it changed.
        events = tuple(
            one for one in translation.events if _id_in(one) is not None and _id_in(one) == named
        )
        origin = Origin(state.account, Source.REPLY, state.cause, item.received_ns)
        state.take_events(events, origin)


def _id_in(event: Event) -> str | None:
    return event.venue_order_id if isinstance(event, OrderReport | Execution) else None


def _note_again(state: AccountFold, page: OpenPage) -> None:
    """All that was read before of this page: its rows still speak for their symbols."""
    rows = page.open_list.rows
    for product, symbol in sorted({(rows[d].product, rows[d].symbol) for d in page.again}):
        state.look_ups.touch(product, (symbol,))
    state.orders.lists.found(page.open_list, page.again)


def _keep(state: AccountFold, page: OpenPage, events: Sequence[Event]) -> None:
    """Know the new rows again, where each is one plain report; end what the list lacks."""
    lists, orders, asked_ns = state.orders.lists, state.orders, page.turn.shown.asked_ns
    # Else nobody can say which row an event is of.
    if len(events) == len(page.new):
        for (digest, row), event in zip(page.new, events, strict=True):
            if not isinstance(event, OrderReport) or not event.venue_order_id:
                continue
            order = orders.find(event.product, event.symbol or "", event.venue_order_id)
            is_of_row = event.venue_order_id.encode() in row
            if order is not None and is_of_row and is_plain(order, event, asked_ns):
                lists.keep(page.open_list, digest, order)
    if page.turn.is_last:
        # Joined while the list still knows when it showed them last.
        for lacking in page.open_list.lacking():
            orders.spoken_of(lacking.key)
        page.open_list.complete()
