"""What an account's orders mean for its positions: executions counted, and what may still come.

Pure. Each execution is counted in the position of its product, symbol, side and margin mode; each
order whose end is not proven adds its leaves quantity to that position's band. A correction that
changes only the fee moves only the fee; one that changes what was traded has the position computed
again, as an execution has that is older than the position's tail. Lists that come newest first
bring thousands of those at once: such a position is noted as stale, and computed once before
anybody looks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Final

from orderloom.identity import execution_key
from orderloom.quantities import EXACT
from orderloom.words import PositionSide, Side
from processors.account.leaves import Leaves, leaves_of, still_possible
from processors.account.lost_fills import LOST, LostFill, LostFills
from processors.account.position_sides import UnknownSides
from processors.account.positions import HeldPosition, PositionOpening, Sums, Traded
from processors.account.tail import Segments
from processors.orders.fill_effects import name_of
from processors.orders.order import Order
from processors.orders.tracks.fills import HeldFill

POSITION: Final = "p"
TAIL: Final = "y"
FLOORS: Final = "f"
"""The kinds of its state records: one position, some of its youngest executions, and how far
openings and answers reach."""


@dataclass(slots=True)
class Exposure:
    """The positions of one account, and what each open order adds to their bands."""

    KINDS: ClassVar[tuple[str, ...]] = (POSITION, TAIL, FLOORS, LOST)

    positions: dict[str, HeldPosition] = field(default_factory=dict)
    leaves: dict[str, Leaves] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    lost: LostFills = field(default_factory=LostFills)
    sides: UnknownSides = field(default_factory=UnknownSides)
    stale: set[str] = field(default_factory=set)
    """The positions that `refresh` must compute again before anybody looks at their sums."""
    floors: dict[str, int] = field(default_factory=dict)
    """By product whose openings are known: up to when (ns) they contain every execution."""
    contained: dict[str, int] = field(default_factory=dict)
    """By product: up to when (ns) the balances of first contact hold every execution."""
    dirty: set[str] = field(default_factory=set)
    """The positions to be saved: those that were made, and those that were shown anew."""
    brought: dict[str, int] = field(default_factory=dict)
    """By product: the venue time (ns) of the youngest execution that an answer brought."""
    are_floors_dirty: bool = False
    unlooked: set[str] = field(default_factory=set)
    """The positions that may be bounded otherwise than they were shown: see `look`."""
    _bounds: Any = None
    _tails: dict[str, Segments] = field(default_factory=dict)
    """While records come back: the segments by position, whose own record may come later."""

    def settle_home(self, order: Order) -> list[HeldPosition]:
        """Find the order's position; if its side became known late, move what was counted.

        The positions that are shown differently now.
        """
        waiting = self.sides.look(order)
        home = self.homes.get(order.key)
        held = None if home is None else self.positions[home]
        side, mode = order.term("position_side") or PositionSide.NET, order.term("margin_mode")
        if held is not None and (held.position_side, held.margin_mode) == (side, mode):
            position = held
        else:
            position = self.position_of(order)
            self.homes[order.key] = position.key
        if order.record.totals.unsided:  # they count on the order's side, which may be new
            self.stale.add(position.key)
        if held is None or held is position:
            return waiting
        self.stale |= {held.key, position.key}
        return [held, position, *waiting]

    def position_of(self, order: Order) -> HeldPosition:
        """The position that the order's executions belong to; made when first seen."""
        side = str(order.term("position_side") or PositionSide.NET)
        mode = order.term("margin_mode")
        key = f"{order.product}/{order.symbol}/{side}/{mode or ''}"
        position = self.positions.get(key)
        if position is None:
            unit = str(order.quantity_unit)
            position = self._make(HeldPosition(order.product, order.symbol, side, mode, unit))
        return position

    def _make(self, position: HeldPosition) -> HeldPosition:
        """A new position; where the product's openings are known, nothing was held there then."""
        position.contained_ns = self.contained.get(position.product, -1)
        floor_ns = self.floors.get(position.product)
        if floor_ns is not None:
            nothing = Sums(is_inverse=position.is_inverse)
            # What an opening contains counts in no position that is made later (decision 0009).
            contained = self._contained_in(position.product, position.symbol)
            position.begin(PositionOpening(floor_ns, nothing, floor_ns, contained))
        # The venue's figure is the sum of the margin modes: whether it differs is so for each.
        there = self.known_at(position.product, position.symbol, position.position_side)
        position.is_doubted = any(one.is_doubted for one in there)
        self.positions[position.key] = position
        self.sides.add(position)
        self.dirty.add(position.key)
        self.unlooked.add(position.key)
        return position

    def _contained_in(self, product: str, symbol: str) -> tuple[str, ...]:
        for key, position in self.positions.items():
            if key.startswith(f"{product}/{symbol}/") and position.opening is not None:
                return position.opening.contained
        return ()

    def _home_of(self, order: Order) -> HeldPosition:
        """The position that `settle_home` found last; `position_of` where it found none yet."""
        home = self.homes.get(order.key)
        return self.position_of(order) if home is None else self.positions[home]

    def at(self, product: str, symbol: str, position_side: str, unit: str) -> list[HeldPosition]:
        """The positions of one symbol and side; one is made where only the venue has any."""
        known = self.known_at(product, symbol, position_side)
        return known or [self._make(HeldPosition(product, symbol, position_side, None, unit))]

    def known_at(self, product: str, symbol: str, position_side: str) -> list[HeldPosition]:
        """The positions of one symbol and side, margin modes apart."""
        place = f"{product}/{symbol}/{position_side}/"
        return [one for key, one in sorted(self.positions.items()) if key.startswith(place)]

    def holds(self, product: str, symbol: str) -> bool:
        """Whether any position of a symbol holds something."""
        place = f"{product}/{symbol}/"
        return any(one.now.net for key, one in self.positions.items() if key.startswith(place))

    def open(
        self,
        product: str,
        floor_ns: int,
        held: dict[str, tuple[int, Sums]],
        orders: Iterable[Order],
    ) -> list[HeldPosition]:
        """The product's openings are known: what was `held` (by position: at a venue time, in ns).

        They contain what is known of up to then, and whatever becomes known later and is not
        younger than `floor_ns`.
        """
        self.floors[product] = floor_ns
        self.are_floors_dirty = True
        # By symbol: an execution whose margin mode becomes known late moves to another position,
        # and must not count a second time there (decision 0009).
        contained: dict[str, list[str]] = {}
        for order in orders:
            key = self.homes.get(order.key, "")
            if order.product == product and key in held:
                known = contained.setdefault(order.symbol, [])
                known += _keys_between(order, floor_ns, held[key][0])
        positions = [self.positions[key] for key in held]
        for position in positions:
            at_ns, sums = held[position.key]
            keys = tuple(sorted(contained.get(position.symbol, ())))
            position.begin(PositionOpening(at_ns, sums, floor_ns, keys))
        return positions

    def contain(self, product: str, at_ns: int, orders: Iterable[Order]) -> None:
        """The product's balances are known, and hold what was executed up to `at_ns` (ns, venue).

        Whenever that becomes known. `orders` are all of the account.
        """
        self.contained[product], self.are_floors_dirty = at_ns, True
        for key, position in self.positions.items():
            if position.product == product:
                position.contained_ns = at_ns
                self.stale.add(key)
                self.dirty.add(key)
        self.refresh(orders)

    def count(self, order: Order, fill: HeldFill | None, before: HeldFill | None) -> HeldPosition:
        """Count one execution as it is now (None: no more), instead of as it was `before`."""
        position = self._home_of(order)
        self._charge(position, before, -1)
        self._charge(position, fill, 1)
        if self.lost.known and fill is not None:
            self.lost.found(_key_of(order, fill))
        traded = fill and traded_of(order, fill)
        formerly = before and traded_of(order, before)
        if before is not None and before.side is None:  # it counted on the order's side of then
            self.stale.add(position.key)
        # A fee alone moves no quantity; what is stale is computed anew in any case.
        if traded == formerly or position.key in self.stale:
            return position
        # Entry price and result cannot be counted back: all is computed again, once, before a look.
        if formerly is not None or traded is None or not position.trade(traded):
            self.stale.add(position.key)
        return position

    def add(self, order: Order, fill: HeldFill) -> HeldPosition | None:
        """Count the next execution of an order that stands where it stood, and its band.

        None, and nothing changed: `count` and `weigh` see to it. The execution has all that counts.
        """
        key, side, price, quantity = order.key, fill.side, fill.last_price, fill.last_quantity
        home, was = self.homes.get(key), self.leaves.get(key)
        if home is None or was is None or self.lost.known:
            return None
        assert price is not None
        assert quantity is not None
        assert fill.venue_ns is not None
        assert was.quantity is not None
        position, is_buy = self.positions[home], side is Side.BUY
        moved = quantity if is_buy else quantity.copy_negate()
        traded = Traded(fill.venue_ns, f"{fill.exec_id}/{fill.venue_order_id}", moved, price)
        if not position.trade(traded):
            return None
        for currency, fee in fill.fees():
            position.charge(currency, fee, fill.venue_ns)
        left = still_possible(order)
        if left:
            less = EXACT.subtract(left, was.quantity)
            self.leaves[key] = Leaves(home, side, left)
        else:
            less = was.quantity.copy_negate()
            del self.leaves[key]
        if is_buy:
            position.open_buys = EXACT.add(position.open_buys, less)
        else:
            position.open_sells = EXACT.add(position.open_sells, less)
        return position

    def note_brought(self, product: str, venue_ns: int) -> None:
        """An answer brought an execution of that time, which no stream had."""
        if venue_ns > self.brought.get(product, 0):
            self.brought[product] = venue_ns
            self.are_floors_dirty = True

    def _charge(self, position: HeldPosition, fill: HeldFill | None, sign: int) -> None:
        if fill is None or fill.is_busted:
            return
        for currency, fee in fill.fees():
            position.charge(currency, _signed(fee, sign), fill.venue_ns or 0)

    def refresh(self, orders: Iterable[Order]) -> None:
        """Compute the stale positions from all executions of their orders, in one pass."""
        if not self.stale:
            return
        mine: dict[str, list[Order]] = {key: [] for key in sorted(self.stale)}
        for order in orders:
            home = self.homes.get(order.key)
            if home is not None and home in mine:
                mine[home].append(order)
        for key, found in mine.items():
            self._recompute(self.positions[key], found)
        self.stale.clear()

    def _recompute(self, position: HeldPosition, orders: Iterable[Order]) -> None:
        counted = [(order, fill) for order in orders for fill in order.record.fills.values()]
        traded = (traded_of(order, fill) for order, fill in counted)
        position.recompute(entry for entry in traded if entry is not None)
        position.fees.clear()
        for _, fill in counted:
            self._charge(position, fill, 1)

    def recount(self, order: Order) -> HeldPosition:
        """The order's position is to be computed again, as its key changed."""
        position = self.position_of(order)
        self.stale.add(position.key)
        return position

    def weigh(self, order: Order) -> list[HeldPosition]:
        """Put what the order may still do into its position's band; the positions that changed."""
        position = self._home_of(order)
        was, now = self.leaves.get(order.key), leaves_of(order, position.key)
        if was == now:
            return []
        # Out where it stood, in where it stands now: that may be another position.
        touched = [self._add(leaves, sign) for leaves, sign in ((was, -1), (now, 1)) if leaves]
        if now is None:
            self.leaves.pop(order.key, None)
        else:
            self.leaves[order.key] = now
        return touched

    def _add(self, leaves: Leaves, sign: int) -> HeldPosition:
        position = self.positions[leaves.position_key]
        # Counted and not summed: however many of them, they close no more than is held.
        if leaves.closes:
            position.closing_buys += sign * (leaves.side is Side.BUY)
            position.closing_sells += sign * (leaves.side is Side.SELL)
        elif leaves.quantity is None or leaves.side is None:
            position.unknown_leaves += sign
        elif leaves.side is Side.BUY:
            position.open_buys = EXACT.add(position.open_buys, _signed(leaves.quantity, sign))
        else:
            position.open_sells = EXACT.add(position.open_sells, _signed(leaves.quantity, sign))
        return position

    def retire(self, key: str) -> list[HeldPosition]:
        """An order's key is used no more: what it counted is counted under another."""
        leaves, home = self.leaves.pop(key, None), self.homes.pop(key, None)
        touched = [*self.sides.retire(key), *([self._add(leaves, -1)] if leaves else [])]
        if home is not None:
            # Its executions count under another key, and perhaps in another position: all anew.
            self.stale.add(home)
            touched.append(self.positions[home])
        return touched

    def look(self, bounds: Any) -> None:
        """Before the account is shown: `bounds` stand for all that bounds any position now.

        While they are as they were, only those need a look that were made or shown meanwhile.
        """
        if bounds != self._bounds:
            self._bounds = bounds
            self.unlooked.update(self.positions)

    def show(self, position: HeldPosition, *, is_unbounded: bool) -> dict[str, Any]:
        """The position's next view: that it was shown so is saved with it."""
        position.version += 1
        position.shown_unbounded = is_unbounded
        self.dirty.add(position.key)
        return position.view(unbounded=is_unbounded) | {"version": position.version}

    def state(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """The state records that changed since the last call."""
        for key in sorted(self.dirty):
            position = self.positions[key]
            yield f"{POSITION}/{key}", position.dump()
            for number, segment in position.segments.state():
                yield f"{TAIL}/{key}/{number}", segment and {"position": key, **segment}
        self.dirty.clear()
        if self.are_floors_dirty:
            reached = {"floors": self.floors, "brought": self.brought}
            yield FLOORS, reached | ({"contained": self.contained} if self.contained else {})
        self.are_floors_dirty = False
        yield from self.lost.state()

    def restore(self, kind: str, document: dict[str, Any]) -> None:
        """Take back one state record."""
        if kind == POSITION:
            position = HeldPosition.load(document)
            self.positions[position.key] = position
            self.sides.add(position)
            self._tails.setdefault(position.key, Segments())
        elif kind == TAIL:
            self._tails.setdefault(document["position"], Segments()).restore(document)
        elif kind == FLOORS:
            self.floors, self.brought = document["floors"], document["brought"]
            self.contained = document.get("contained", {})  # records of before lack it
        else:
            self.lost.restore(LostFill(**document))

    def finish_restore(self, orders: Iterable[Order]) -> None:
        """All records are back: the tails, and where each order counts."""
        for key, segments in self._tails.items():
            position = self.positions[key]
            position.load_tail(segments)
            position.contained_ns = self.contained.get(position.product, -1)
        self._tails.clear()
        for order in orders:
            self._restore_home(order)

    def _restore_home(self, order: Order) -> None:
        """Remember where a restored order counts, and what it adds to the band there."""
        self.sides.look(order)
        position = self.position_of(order)
        self.homes[order.key] = position.key
        # Remembered and not added: the sums were saved with the position.
        leaves = leaves_of(order, position.key)
        if leaves is not None:
            self.leaves[order.key] = leaves


def traded_of(order: Order, fill: HeldFill) -> Traded | None:
    """What one execution adds to a position; None while price, quantity or side is unknown."""
    side = fill.side or order.side
    if fill.is_busted or side is None or fill.last_price is None or fill.last_quantity is None:
        return None
    quantity = _signed(fill.last_quantity, 1 if side is Side.BUY else -1)
    # By the order's id as well: both sides of a self-trade may bear one execution id.
    key = f"{fill.exec_id}/{fill.venue_order_id or order.key}"  # the order's own key may change
    return Traded(fill.venue_ns or 0, key, quantity, fill.last_price)


def _keys_between(order: Order, floor_ns: int, at_ns: int) -> list[str]:
    """The keys of the order's executions younger than the floor, up to a time (ns)."""
    every = (traded_of(order, fill) for fill in order.record.fills.values())
    return [one.key for one in every if one is not None and floor_ns < one.venue_ns <= at_ns]


def _key_of(order: Order, fill: HeldFill) -> str:
    return execution_key(order.product, order.symbol, fill.exec_id, name_of(order, fill))


def _signed(number: Decimal, sign: int) -> Decimal:
    """`number` or its negative, to the last digit: `-number` would round to 28."""
    return number if sign > 0 else number.copy_negate()
