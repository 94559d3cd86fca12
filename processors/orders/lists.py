"""Lists of open orders: what each showed last, so that a row that did not change costs a hash.

Pure; decision 0016. A row whose bytes were taken in before is not joined again. The list's own
record says when it was asked for; what the row would have raised is joined when the order is next
spoken of (`take_off`), before anything else is. That may change nothing derived meanwhile:
`is_plain` says of which orders a row is kept.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, NamedTuple

from orderloom.event import OrderReport
from orderloom.words import OPEN_STATUSES
from processors.orders.order import Order

LIST: Final = "g"
PAGE: Final = "j"
"""The kinds of their state records: one list, and the rows that a page of it found again."""
Digest = bytes
NEVER_NS: Final = -1


class Shown(NamedTuple):
    """When a list was asked for (ns, venue time), in the cycle that began then (ns, ours)."""

    asked_ns: int
    began_ns: int


class ListPage(NamedTuple):
    """One page of an answer: of which question, begun when, and its place in it."""

    question_id: str
    run_ns: int
    page: int
    is_last: bool
    shown: Shown


@dataclass(slots=True)
class ListAnswer:
    """The pages of one answer that is under way: what they found again, page by page."""

    question_id: str
    run_ns: int
    shown: Shown
    pages: list[list[Digest]] = field(default_factory=list)
    found: set[Digest] = field(default_factory=set)


class OpenList:
    """One list. All `rows` stood in its last complete answer, `shown`, or were taken in since."""

    __slots__ = ("changed", "is_dirty", "name", "rows", "run", "saved", "shown")

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: dict[Digest, Order] = {}
        self.shown = Shown(NEVER_NS, NEVER_NS)
        self.run: ListAnswer | None = None
        self.changed: set[int] = set()
        """The pages (from 0) whose records changed since they were saved; `saved` have one."""
        self.saved: set[int] = set()
        self.is_dirty = False

    def latest(self, digest: Digest) -> Shown:
        """When the row was last shown."""
        # The answer under way is the younger one: `takes` lets no other begin.
        if self.run is not None and digest in self.run.found:
            return self.run.shown
        return self.shown

    def takes(self, turn: ListPage) -> bool:
        """Whether a page is the next of its answer, and that is younger than the one before."""
        run = self.run
        if turn.page == 1:
            # An answer that was asked earlier would make a younger one's rows look older.
            asked_ns, began_ns = turn.shown
            return asked_ns > self.shown.asked_ns and began_ns >= self.shown.began_ns
        # A page out of its turn goes the general way, whole (decision 0016).
        is_same = run is not None and (run.question_id, run.run_ns) == turn[:2]
        return is_same and run is not None and len(run.pages) == turn.page - 1

    def unfinished(self) -> list[Order]:
        """What an answer showed that was never complete: to be taken off before another begins."""
        found = set[Digest]() if self.run is None else self.run.found
        return [self.rows[row] for row in sorted(found & self.rows.keys())]

    def lacking(self) -> list[Order]:
        """What the answer did not show: to be taken off before it is complete."""
        assert self.run is not None
        return [self.rows[row] for row in sorted(self.rows.keys() - self.run.found)]

    def begin(self, turn: ListPage) -> None:
        """A new answer comes."""
        self._end()
        self.run = ListAnswer(turn.question_id, turn.run_ns, turn.shown)
        self.is_dirty = True

    def complete(self) -> None:
        """The answer is complete."""
        assert self.run is not None
        self.shown = self.run.shown
        self._end()

    def _end(self) -> None:
        if self.run is not None:
            # Of an answer that is over no page is kept: their records go.
            self.changed.update(range(len(self.run.pages)))
        self.run, self.is_dirty = None, True

    def document(self) -> dict[str, Any]:
        """Its state but for rows and pages, JSON-ready."""
        run = self.run
        begun = None if run is None else [run.question_id, run.run_ns, *run.shown]
        return {"list": self.name, "shown": list(self.shown), "run": begun}


class OpenLists:
    """The lists of one account.

    `changed` is told the key of each order of which something is joined.
    """

    KINDS: ClassVar[tuple[str, ...]] = (LIST, PAGE)

    def __init__(self, changed: Callable[[str], None]) -> None:
        self._changed = changed
        self._lists: dict[str, OpenList] = {}
        self._kept: dict[str, tuple[OpenList, Digest]] = {}
        """By order key: on which list it is, and its row there."""
        self._early: dict[tuple[str, int], list[Digest]] = {}

    def of(self, name: str) -> OpenList:
        """One list; made where there is none."""
        if name not in self._lists:
            # In an order that no restart changes: restored records come
            # in the log's (decision 0005).
            self._lists = dict(sorted({**self._lists, name: OpenList(name)}.items()))
        return self._lists[name]

    def listed_since(self, began_ns: int) -> set[str]:
        """The keys of orders that a list shows alive in a cycle that began then, or later."""
        keys: set[str] = set()
        for one in self._lists.values():
            if one.shown.began_ns >= began_ns:
                keys.update(order.key for order in one.rows.values())
            # A list that is not complete may add what it shows (docs/state-model.md INV-3).
            elif one.run is not None and one.run.shown.began_ns >= began_ns:
                known = one.rows
                keys.update(known[row].key for row in one.run.found if row in known)
        return keys

    # ---- one order

    def take_off(self, order: Order) -> Order:
        """Something else is said of the order: join what lists said of it before."""
        kept = self._kept.pop(order.key, None)
        if kept is None:
            return order
        one, digest = kept
        asked_ns, began_ns = one.latest(digest)
        # The next list's row is joined again, with what is said now (decision 0016).
        del one.rows[digest]
        assert order.seen is not None, order.key
        if asked_ns != NEVER_NS:
            order.own.repeat(asked_ns, order.profile.visibility_lag_ns)
        order.seen.listed_ns = max(order.seen.listed_ns, began_ns)
        self._changed(order.key)
        return order

    def row_of(self, key: str) -> dict[str, Any]:
        """What the order's record holds: the list's name, and the row's hash; often nothing."""
        kept = self._kept.get(key)
        return {} if kept is None else {"row": [kept[0].name, kept[1].hex()]}

    def load_row(self, order: Order, document: dict[str, Any]) -> None:
        """Take back what `row_of` gave out."""
        if "row" in document:
            name, digest = document["row"]
            self._keep(self.of(name), bytes.fromhex(digest), order)

    def _keep(self, one: OpenList, digest: Digest, order: Order) -> None:
        one.rows[digest] = order
        self._kept[order.key] = (one, digest)

    # ---- one page

    def found(self, one: OpenList, again: Iterable[Digest]) -> None:
        """The next page showed these rows again."""
        assert one.run is not None
        rows = list(again)
        one.changed.add(len(one.run.pages))
        one.run.pages.append(rows)
        one.run.found.update(rows)

    def keep(self, one: OpenList, digest: Digest, order: Order) -> None:
        """The page's row was joined, and may be known again."""
        assert one.run is not None
        # Its former row stands for times that are not joined yet.
        self.take_off(order)
        if digest not in one.rows:  # two rows of one order that agree
            self._keep(one, digest, order)
            one.run.pages[-1].append(digest)
            one.run.found.add(digest)

    # ---- state

    def state(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """The state records that changed since the last call; None: the answer is over."""
        for name, one in self._lists.items():
            pages = [] if one.run is None else one.run.pages
            for number in sorted(one.changed):
                path = f"{PAGE}/{name}/{number}"
                if number < len(pages):
                    one.saved.add(number)
                    rows = [row.hex() for row in pages[number]]
                    yield path, {"list": name, "number": number, "rows": rows}
                elif number in one.saved:  # one that began and ended in a step has no record
                    one.saved.discard(number)
                    yield path, None
            one.changed.clear()
            if one.is_dirty:
                yield f"{LIST}/{name}", one.document()
            one.is_dirty = False

    def restore(self, kind: str, document: dict[str, Any]) -> None:
        """Take back one record; `finish_load` after all."""
        if kind == PAGE:
            rows = [bytes.fromhex(row) for row in document["rows"]]
            # The record of the list itself may come back later.
            self._early[document["list"], document["number"]] = rows
            return
        one = self.of(document["list"])
        one.shown = Shown(*document["shown"])
        if document["run"] is not None:
            question_id, run_ns, *shown = document["run"]
            one.run = ListAnswer(question_id, run_ns, Shown(*shown))

    def finish_load(self) -> None:
        """All records are back: the pages of the answers that are under way."""
        for (name, number), rows in sorted(self._early.items()):
            run = self._lists[name].run
            assert run is not None, name
            self._lists[name].saved.add(number)
            run.pages.append(rows)
            run.found.update(rows)
        self._early.clear()


def is_plain(order: Order, report: OrderReport, asked_ns: int) -> bool:
    """Whether the same row again could change nothing but the times that `take_off` joins."""
    own = order.own
    link, is_joined = own.sole, own.replaced or own.parts or order.guests
    if link is None or link.name != (report.venue_order_id or "") or is_joined:
        return False
    if link.changes is not None:
        return False
    filled, ordinal = report.filled_quantity, report.ordinal
    # A younger row's stamp rises once the venue surely showed all of its time (`links.ANSWER`).
    is_final = ordinal is None or ordinal[0] < asked_ns - order.profile.visibility_lag_ns
    # Else another question was answered since, and `repeat` would give its count this row's time.
    is_newest = filled is not None and link.asked == (asked_ns, filled)
    return (
        is_final
        and is_newest
        and link.asked is not None
        # Below the executions, a later question makes it a dispute (`query-below-fills`).
        and link.asked[1] >= own.totals.quantity
        and _is_bare(report)
        and order.is_open
        and not order.is_disputed
        and not order.missing_quantity
        and order.contract_size is not None
        and order.seen is not None
    )


def _is_bare(report: OrderReport) -> bool:
    """Whether it says that an order is open, and of no change, other order or other name."""
    names: Collection[str] = (*report.alias_ids, *report.client_alias_ids)
    is_change = report.is_amendment or report.change_id is not None or report.reason is not None
    is_other = bool(names) or report.replaces is not None or report.is_as_asked
    return report.status in OPEN_STATUSES and not is_change and not is_other
