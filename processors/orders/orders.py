"""All orders of one account: evidence finds its order, and changes it.

Pure. Rules (docs/state-model.md 4.1): an adopted order is keyed for life by product, symbol
and the oldest venue order id of its chain; client order ids, later links and algo ids lead to it.
An answer to a request (`Reply`) is a matter of the attempts track and makes no order. Evidence that
names no venue order id is unattributed (`unattributed`), a report without a symbol waits for it
(`sparse`). If evidence shows that two orders are one, their records are joined, as in any other
order of arrival; the key used no longer is retired.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, Final

from orderloom.event import Execution, OrderReport, Origin, Reply
from orderloom.identity import adopted_order_key
from processors.orders import fill_records, stored_order, straight
from processors.orders.effects import Effect, GapClosed, KeyRetired
from processors.orders.fill_effects import joined, terms_shown
from processors.orders.index import OrderIndex
from processors.orders.lists import OpenLists
from processors.orders.order import NOTHING, Order
from processors.orders.pieces import Pieces
from processors.orders.placing import Placing
from processors.orders.seen import Seen
from processors.orders.sparse import SparseReports
from processors.orders.tracks.fills import HeldFill
from processors.orders.unattributed import Unattributed, UnattributedEvidence, handle_of
from processors.orders.view import Before
from venues.venue import Profiles

ORDER: Final = "o"
"""The kind of their state records: an order, one of its many executions, unattributed evidence."""
Evidence = OrderReport | Execution | Reply


class Orders:
    """The orders of one account. `dirty` names the state records that changed since taken."""

    KINDS: ClassVar[tuple[str, ...]] = (ORDER,)

    def __init__(self, account: str, profiles: Profiles) -> None:
        self.account = account
        self.profiles = profiles
        self.dirty: set[str] = set()
        self.lists = OpenLists(self.dirty.add)
        self._index = OrderIndex(
            {
                name: profile.ids_shared_with
                for name, profile in profiles.items()
                if profile.ids_are_of_product
            }
        )
        self._sparse = SparseReports(account, profiles)
        self._unattributed = UnattributedEvidence(account, profiles)
        self._placing = Placing(self._unattributed, self._index, self.lists, self.dirty)
        self._pieces = Pieces()

    # ---- evidence

    def apply(
        self, event: Evidence, origin: Origin, executions: Sequence[Execution] = ()
    ) -> list[Effect]:
        """Fold one piece of evidence; never raises for what a venue says.

        `executions` came in the same message as a report, and name the venue order id that it does.
        """
        effects: list[Effect] = []
        if type(event) is Execution:
            self._take_execution(event, origin, effects)
        elif type(event) is OrderReport:
            self._take_report(event, executions, origin, effects)
        return effects

    def take_straight(self, report: OrderReport, event: Execution) -> tuple[Order, HeldFill] | None:
        """As `apply`, of a report of the stream and its one execution that are usual in everything.

        None, and nothing changed: they are not, and `apply` is to fold them (decision 0410).
        """
        if not report.venue_order_id or self._unattributed:
            return None
        order = self._index.at(report.product, report.symbol, report.venue_order_id)
        if order is None:
            return None
        fill = straight.take_execution(self.lists.take_off(order), report, event)
        if fill is None:
            return None
        key = order.key
        self.dirty.add(key)
        self.dirty.update(fill_records.changed_keys(key, order.own.fills, fill.exec_id))
        return order, fill

    def _take_report(
        self,
        report: OrderReport,
        executions: Sequence[Execution],
        origin: Origin,
        effects: list[Effect],
    ) -> None:
        if not report.venue_order_id:
            handle = handle_of(report.product, report.symbol or "", report.client_order_id, None)
            lag_ns = self.profiles[report.product].visibility_lag_ns
            self._placing.take(
                handle, origin, effects, lambda record: record.take_report(report, origin, lag_ns)
            )
            return
        if report.symbol is None and self.find(report.product, "", report.venue_order_id) is None:
            self.dirty.add(self._sparse.take(report, origin))
            return
        order = self._order_of(report, report.venue_order_id, origin)
        if report.replaces or report.alias_ids:  # before it is joined: it is of the whole chain
            self._connect(order, report, origin, effects)
        if executions:
            self._know_names(order, *(one.client_order_id for one in executions))
        if order.take_report(report, origin, effects, executions):
            if executions:
                exec_id = executions[0].exec_id if len(executions) == 1 else None
                self.dirty.update(fill_records.changed_keys(order.key, order.own.fills, exec_id))
            self._changed(order, origin, effects)

    def _take_execution(self, event: Execution, origin: Origin, effects: list[Effect]) -> None:
        if not event.venue_order_id:
            handle = handle_of(event.product, event.symbol, event.client_order_id, event.exec_id)
            self._placing.take(handle, origin, effects, lambda one: one.take_execution(event))
            return
        order = self._order_of(event, event.venue_order_id, origin)
        if order.take_execution(event, origin, effects):
            if event.exec_id is not None:
                keys = fill_records.changed_keys(order.key, order.own.fills, event.exec_id)
                self.dirty.update(keys)
            self._changed(order, origin, effects)

    def absent(
        self, order_key: str, asked_ns: int, *, has_all_trades: bool = False
    ) -> list[Effect]:
        """A decisive look-up begun at `asked_ns` proved the order absent (docs/state-model.md 4.3).

        `has_all_trades`: the look-up had the complete list of the order's trades too.
        """

        take = partial(Order.take_absence, asked_ns=asked_ns, has_all_trades=has_all_trades)
        return self._let(order_key, lambda order, effects: take(order, effects=effects))

    def grace_over(self, order_key: str) -> list[Effect]:
        """The time of grace of the order's gap is over: what is missing counts as provisional."""
        return self._let(order_key, Order.end_grace)

    def settle(self, order_key: str) -> list[Effect]:
        """The account finds the order final: past correction, and no blind interval covers it."""
        return self._let(order_key, Order.settle)

    def pin(self, order: Order, size: Decimal) -> list[Effect]:
        """The order's instrument is known; see `Order.pin`."""
        effects: list[Effect] = []
        order.pin(size, effects)
        self.dirty.add(order.key)
        return effects

    def _let(self, order_key: str, happen: Callable[[Order, list[Effect]], bool]) -> list[Effect]:
        effects: list[Effect] = []
        order = self.spoken_of(order_key)
        if order is not None and happen(order, effects):
            self._changed(order, None, effects)
        return effects

    def spoken_of(self, order_key: str) -> Order | None:
        """The order, with all that lists said of it (decision 0016): for whatever decides by it."""
        order = self._index.get(order_key)
        return None if order is None else self.lists.take_off(order)

    def spoke(self, order: Order, origin: Origin, at_ns: int) -> None:
        """A message spoke of the order."""
        order.seen = order.seen or Seen(at_ns)
        order.seen.spoke(origin, at_ns)
        self.dirty.add(order.key)

    def listed(self, keys: Iterable[str], began_ns: int) -> None:
        """A list of the cycle that began then shows these orders alive."""
        for key in keys:
            order = self._index.get(key)
            if order is not None and order.seen is not None and order.seen.listed_ns < began_ns:
                order.seen.listed_ns = began_ns  # not less: OKX lists two products together
                self.dirty.add(key)

    # ---- the index

    def get(self, key: str) -> Order | None:
        """The order with this key."""
        return self._index.get(key)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._index)

    def all(self) -> Iterator[Order]:
        """Every order, unattributed evidence that is shown included."""
        return iter(self._index.all())

    def open_orders(self, but: Set[str] = frozenset()) -> Iterator[Order]:
        """The orders that the venue may still fill, for all we know, but these; by key."""
        self._index.look(self.dirty)
        return iter(self._index.open(but))

    def find(
        self,
        product: str,
        symbol: str,
        venue_order_id: str | None = None,
        client_order_id: str | None = None,
    ) -> Order | None:
        """The order behind an id: venue and alias ids first; of a client id's orders the latest
        open one, else the latest."""
        if venue_order_id is not None:
            order = self._index.at(product, symbol, venue_order_id)
            if order is not None:
                return order
        if client_order_id is None:
            return None
        return self._unattributed.latest(product, symbol, client_order_id)

    def _order_of(self, event: OrderReport | Execution, name: str, origin: Origin) -> Order:
        order = self._index.at(event.product, event.symbol, name)
        if order is None:
            assert event.symbol is not None  # else it is found by its id, or waits
            profile = self.profiles[event.product]
            order = Order(self.account, event.product, event.symbol, profile)
            order.key = adopted_order_key(self.account, event.product, event.symbol, name)
            order.first_seen_cause = origin.cause
            self._index.put(order)
            self._index.name(order, name)
            self._join_sparse(order, name)
        self.lists.take_off(order)  # before anything else is said of it (decision 0016)
        self._know_names(order, event.client_order_id)
        if type(event) is OrderReport:
            self._know_names(order, *event.client_alias_ids)
        return order

    def _join_sparse(self, order: Order, venue_order_id: str) -> None:
        """Join what was said of an id of the order before anything said its symbol."""
        for sparse in self._sparse.pop(order.product, venue_order_id):
            self.dirty.add(sparse.key)
            self._know_names(order, *sorted(sparse.own.client_ids))
            order.own.join(sparse.own)
            first, kept = order.first_seen_cause, sparse.cause
            if first is None or (kept.offset, kept.place) < (first.offset, first.place):
                order.first_seen_cause = kept

    def _know_names(self, order: Order, *client_order_ids: str | None) -> None:
        for name in client_order_ids:
            if name is not None and name not in order.own.client_ids:
                self._unattributed.know(order, name)

    def _changed(self, order: Order, origin: Origin | None, effects: list[Effect]) -> None:
        self.dirty.add(order.key)
        if self._unattributed:  # else nearly every account would pay for it
            for unattributed in self._unattributed.related(order):
                self._placing.place(unattributed, origin, effects)

    # ---- chains

    def _connect(
        self, order: Order, report: OrderReport, origin: Origin, effects: list[Effect]
    ) -> None:
        """Join all orders that the report shows to be one; the oldest id names it."""
        if not order.own.new_pairs(report):
            return
        shown, former = order.view(), [(order, order.own.root())]  # while the chain is not known
        terms = {order.key: terms_shown(order)}
        order.own.connect(report)
        for name in sorted(order.own.ids()):
            self._join_sparse(order, name)
        found = self._index.led_to(order)
        others = [self.lists.take_off(one) for one in found if one is not order]
        former += [(other, other.own.root()) for other in others]
        terms |= {other.key: terms_shown(other) for other in others}
        held, keys = joined(former, origin, effects)
        is_renamed = self._rename(order, others, effects)
        self._index.follow(order)
        order.rejoin()
        anew = {exec_id for exec_id, key in keys.items() if key != order.key}
        changed = order.publish_fills(held, origin, effects, anew)
        if is_renamed:  # what stood under its key was derived from less
            order.derived, shown = NOTHING, {}
        order.refresh(changed, origin, effects, Before(shown, terms.get(order.key)))
        if is_renamed and not order.missing_quantity:  # `NOTHING` has no gap that could close
            effects.append(GapClosed(order))
        self._changed(order, origin, effects)

    def _rename(self, order: Order, others: list[Order], effects: list[Effect]) -> bool:
        """Put the join of these orders under its key; returns whether any key shows another order.

        Its version is then to rise above each of theirs, and so above each tombstone's.
        """
        root = order.own.root()
        retired = {one.key: one.version + 1 for one in (order, *others)}
        order.inherit(others)
        for key in retired:
            self._index.drop(key)
        self._unattributed.follow(others, order)
        order.key = adopted_order_key(self.account, order.product, order.symbol, root)
        self._index.put(order)
        for key in (*retired, order.key):
            self.dirty |= {key, *fill_records.changed_keys(key, order.own.fills, None)}
        retired.pop(order.key, None)
        effects.extend(KeyRetired(key, order, version) for key, version in sorted(retired.items()))
        return bool(retired)

    # ---- state

    def state(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """The state records that changed since the last call; None: it is no more."""
        below = len(self.account) + 1
        for key in self.take_dirty():
            document = self.dump_order(key)
            yield f"{ORDER}/{key[below:]}", None if document is None else {"order": document}

    def restore(self, _kind: str, document: dict[str, Any]) -> None:
        """Take back one state record; `finish_load` after all."""
        self.load_order(document["order"])

    def take_dirty(self) -> list[str]:
        """The keys of the state records that changed since the last call, in order."""
        keys = sorted(self.dirty)
        self.dirty.clear()
        self._index.look(keys)
        return keys

    def state_keys(self) -> list[str]:
        """The keys of all state records."""
        fills = (
            key
            for order in self._index.all()
            for key in fill_records.changed_keys(order.key, order.own.fills, None)
        )
        kept = (*self._unattributed.keys(), *self._sparse.keys())
        return sorted({*self._index.keys(), *kept, *fills})

    def dump_order(self, key: str) -> dict[str, Any] | None:
        """The complete state of one record, JSON-ready; None if there is none (any more)."""
        unattributed = self._unattributed.with_key(key)
        if unattributed is not None:
            stored = stored_order.dumped(unattributed.order)
            return stored | {"unattributed": list(unattributed.handle)}
        order_key, exec_id = fill_records.parsed_key(key)
        order = self._index.get(order_key)
        if order is None:
            return self._sparse.dumped(key)
        if exec_id is not None:
            return fill_records.dumped(key, exec_id, order.own.fills)
        is_small = len(order.own.fills) <= fill_records.INLINE_MAX
        return stored_order.dumped(order, with_fills=is_small) | self.lists.row_of(key)

    def load_order(self, document: dict[str, Any]) -> None:
        """Take back one record that `dump_order` gave out, in any order; `finish_load` after all.

        Raises:
            UnknownOrderFormat: the record has a format version that this code does not know.
        """
        order_key, exec_id = fill_records.parsed_key(document["key"])
        if exec_id is not None:
            self._pieces.take(order_key, self._index.get(order_key), document)
            return
        if "sparse" in document:
            self._sparse.load(document)
            return
        order = stored_order.loaded(document, self.profiles)
        if "unattributed" in document:
            product, symbol, kind, name = document["unattributed"]
            found = [
                self._unattributed.load((product, symbol, kind, name), order, self._index.all())
            ]
        else:
            self._know(order)
            self.lists.load_row(order, document)
            self._pieces.join(order)
            found = list(self._unattributed.related(order))
        self._settle_in(found)

    def finish_load(self) -> None:
        """All records are back; ValueError if an order's own lacks: derive what is of several."""
        for order in self._pieces.finish():
            self._settle_in(list(self._unattributed.related(order)))
        self.lists.finish_load()
        self._index.look(self._index.keys())

    def _settle_in(self, found: list[Unattributed]) -> None:
        for one in found:  # hosts are a function of the evidence: find them, publishing nothing
            one.settle_in()
            self._index.drop(one.order.key)
            if one.is_shown:
                self._index.put(one.order)

    def _know(self, order: Order) -> None:
        self._index.know(order)
        for client_order_id in order.own.client_ids:
            self._unattributed.know(order, client_order_id)
