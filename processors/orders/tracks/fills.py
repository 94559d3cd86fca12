"""The fills track: a set of executions, joined field by field, and what the venue claims in sum.

Pure. Rules (docs/state-model.md 3.7, 3.9, 4.1): an execution is known by its id, within its order.
An absent field is filled in by a source that has it; where two sources differ the larger value is
kept, whatever came first, and the field is a conflict. A correction by the venue overrides without
conflict, the latest correction wins. A bust is final. A repetition changes nothing, so no memory
of what was seen is needed beside the set itself.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Context, Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import orjson

from orderloom.event import Execution, Fee
from orderloom.quantities import EXACT, ZERO, Unit, text_of, text_or_none
from orderloom.words import Completeness, FillKind, Liquidity, PositionSide, Reason, Side
from processors.digest import hash_of
from processors.orders.shared_text import shared

QUOTIENT: Final = Context(prec=28)
"""Average prices are the only numbers that are ever rounded."""


class HeldFill(NamedTuple):
    """One execution in its present form: what all sources together say of it.

    `conflicts` names the fields on which sources differ; `corrected` holds, for each field that
    the venue corrected, the venue time of that correction in ns.
    """

    exec_id: str
    venue_order_id: str | None = None
    side: Side | None = None
    last_price: Decimal | None = None
    last_quantity: Decimal | None = None
    fee: Decimal | None = None
    fee_currency: str | None = None
    liquidity: Liquidity | None = None
    position_side: PositionSide | None = None
    margin_mode: str | None = None
    reason: Reason | None = None
    venue_ns: int | None = None
    quantity_unit: Unit = Unit.BASE
    is_busted: bool = False
    conflicts: tuple[str, ...] = ()
    corrected: tuple[tuple[str, int], ...] = ()
    more_fees: tuple[Fee, ...] | None = None

    def fees(self) -> Iterator[Fee]:
        """Every fee that it bears; the currency of its own is "" while nobody said it."""
        if self.fee is not None:
            yield Fee(self.fee_currency or "", self.fee)
        yield from self.more_fees or ()

    def view(self) -> dict[str, Any]:
        """What consumers see of it, JSON-ready."""
        return {
            "exec_id": self.exec_id,
            "venue_order_id": self.venue_order_id,
            "side": self.side,
            "last_price": text_or_none(self.last_price),
            "last_quantity": text_or_none(self.last_quantity),
            "quantity_unit": self.quantity_unit,
            "fee": text_or_none(self.fee),
            "fee_currency": self.fee_currency,
            "liquidity": self.liquidity,
            "position_side": self.position_side,
            "margin_mode": self.margin_mode,
            "reason": self.reason,
            "venue_ns": self.venue_ns,
            "is_busted": self.is_busted,
            "conflicts": list(self.conflicts),
            "more_fees": [[currency, text_of(fee)] for currency, fee in self.more_fees or ()],
        }

    def content(self) -> bytes:
        """Canonical bytes of what it is: the same for every arrival of the same evidence."""
        return orjson.dumps(self.dump())

    def dump(self) -> list[Any]:
        """Its complete state, JSON-ready; `HeldFill.load` takes it back."""
        document: list[Any] = list(self)
        for place in DECIMALS:
            if document[place] is not None:
                document[place] = text_of(document[place])
        more_fees = document.pop()
        # Nearly no execution has any, and what was saved before there were is read as ever.
        if more_fees is not None:
            document.append([[currency, text_of(amount)] for currency, amount in more_fees])
        return document

    @classmethod
    def load(cls, document: list[Any]) -> "HeldFill":
        """The fill that `dump` gave out."""
        fields = zip(cls._fields, document, strict=False)
        return cls(*(READERS.get(name, _same)(value) for name, value in fields))


def _same(value: Any) -> Any:
    return value


def _optional(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else make(value)


READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "side": _optional(Side),
    "last_price": _optional(Decimal),
    "last_quantity": _optional(Decimal),
    "fee": _optional(Decimal),
    "liquidity": _optional(Liquidity),
    "position_side": _optional(PositionSide),
    "reason": _optional(Reason),
    "quantity_unit": Unit,
    "conflicts": tuple,
    "corrected": lambda rows: tuple((name, stamp) for name, stamp in rows),
    "more_fees": lambda rows: tuple(Fee(currency, Decimal(amount)) for currency, amount in rows),
}
DECIMALS: Final = tuple(map(HeldFill._fields.index, ("last_price", "last_quantity", "fee")))
BUSTED: Final = HeldFill._fields.index("is_busted")
CONFLICTS: Final = HeldFill._fields.index("conflicts")
JOINED: Final = (*HeldFill._fields[1:13], "more_fees")
"""The fields that are joined one by one."""
PLACES: Final = tuple((HeldFill._fields.index(name), name) for name in JOINED)
UNCONTESTED: Final = frozenset(
    {"venue_order_id", "margin_mode", "reason", "venue_ns", "quantity_unit"}
)
"""Fields that sources write with other precision or under another name of the same order: the
larger is kept (a time in microseconds over the same in milliseconds), and nothing is a conflict."""


def fill_of(event: Execution, exec_id: str, order_id: str | None = None) -> HeldFill:
    """The fill that one execution event alone makes.

    `order_id`: an equal text of its order's id that is kept already; each message brings its own.
    """
    fill = HeldFill(
        exec_id,
        order_id or event.venue_order_id,
        event.side,
        event.last_price,
        event.last_quantity,
        event.fee,
        None if event.fee_currency is None else shared(event.fee_currency),
        event.liquidity,
        event.position_side,
        event.margin_mode,
        event.reason,
        event.venue_ns,
        event.quantity_unit,
    )
    if event.more_fees is not None:  # sorted: a venue may list them in another order elsewhere
        fill = fill._replace(more_fees=tuple(sorted(event.more_fees)))
    if event.kind is FillKind.REAL:
        return fill
    if event.kind is FillKind.BUST:
        return fill._replace(is_busted=True)
    # Without a time it still overrides what nobody corrected, which stands at -1.
    stamp = event.venue_ns or 0
    present = (name for name in JOINED if getattr(fill, name) is not None)
    return fill._replace(corrected=tuple((name, stamp) for name in present))


def joined_fill(held: HeldFill, other: HeldFill) -> HeldFill:
    """The join of two fills of the same execution: commutative, associative, idempotent."""
    if held == other:
        return held
    if not held.corrected and not other.corrected:
        return _joined_plainly(held, other)
    conflicts: set[str] = set()
    stamps_held, stamps_other = dict(held.corrected), dict(other.corrected)
    values = {
        name: _joined_field(
            (stamps_held.get(name, -1), held[place], name in held.conflicts),
            (stamps_other.get(name, -1), other[place], name in other.conflicts),
            name,
            conflicts,
        )
        for place, name in PLACES
    }
    stamps = {
        name: max(stamps_held.get(name, -1), stamps_other.get(name, -1))
        for name in stamps_held | stamps_other
    }
    return held._replace(
        **values,
        is_busted=held.is_busted or other.is_busted,
        conflicts=tuple(sorted(conflicts)),
        corrected=tuple(sorted(stamps.items())),
    )


def _joined_plainly(held: HeldFill, other: HeldFill) -> HeldFill:
    """The join where the venue corrected nothing: the same, and most fills' way."""
    values: list[Any] = list(held)
    conflicts = {*held.conflicts, *other.conflicts}
    for place, name in PLACES:
        mine, theirs = held[place], other[place]
        if theirs is None or mine == theirs:
            continue
        # The larger and not the later, so that arrival does not show (docs/state-model.md 3.9).
        values[place] = theirs if mine is None else max(mine, theirs)
        if mine is not None and name not in UNCONTESTED:
            conflicts.add(name)
    values[CONFLICTS] = tuple(sorted(conflicts))
    values[BUSTED] = held.is_busted or other.is_busted
    return HeldFill._make(values)


def _joined_field(
    mine: tuple[int, Any, bool], theirs: tuple[int, Any, bool], name: str, conflicts: set[str]
) -> Any:
    """One field of the join; (stamp of its correction, value, whether sources differ on it)."""
    if mine[1] is None or theirs[1] is None:
        _, value, is_contested = theirs if mine[1] is None else mine
    elif mine[0] != theirs[0]:
        # The venue's latest correction decides, and is no conflict (decision 0404).
        _, value, is_contested = max(mine, theirs, key=lambda entry: entry[0])
    else:
        value = max(mine[1], theirs[1])
        is_contested = mine[2] or theirs[2] or mine[1] != theirs[1]
    if is_contested and name not in UNCONTESTED:
        conflicts.add(name)
    return value


UNIT_PLACE: Final = {unit: place for place, unit in enumerate(Unit)}


@lru_cache(maxsize=1024)
def units_of(*counts: int) -> tuple[int, ...]:
    """How many executions count in each unit, in the order of `Unit`: equal counts are one object,
    as nearly every order has few executions, all in one unit."""
    return counts


NO_UNITS: Final = units_of(*(0 for _ in Unit))
NO_FEES: Final[Mapping[str, Decimal]] = MappingProxyType({})


class Totals:
    """Exact sums over the fills that were not busted, kept as the set changes.

    `quantity`, `bought`, `sold`, `unsided` in native units; `notional` is price times quantity over
    the fills that have a price, `unpriced` how many have none.
    """

    __slots__ = (
        "_currency",
        "_digest",
        "_fee",
        "_several_fees",
        "_unhashed",
        "_units",
        "bought",
        "busted",
        "busted_quantity",
        "conflicted",
        "corrected",
        "notional",
        "quantity",
        "sold",
        "unpriced",
        "unsided",
    )

    def __init__(self) -> None:
        self.quantity = self.notional = self.bought = self.sold = self.unsided = ZERO
        self.busted_quantity = ZERO
        self.unpriced = self.busted = self.conflicted = self.corrected = self._digest = 0
        self._unhashed: list[tuple[int, HeldFill]] | None = None
        self._units = NO_UNITS
        self._currency: str | None = None
        self._fee = ZERO
        self._several_fees: Mapping[str, Decimal] = NO_FEES

    def replace(self, before: HeldFill | None, after: HeldFill) -> None:
        """Take `before` out of the sums and put `after` in."""
        if self._unhashed is None:
            self._unhashed = []
        if before is not None:
            self._count(before, -1)
            self._unhashed.append((-1, before))
        self._count(after, 1)
        self._unhashed.append((1, after))

    def add(self, fill: HeldFill, real: Decimal) -> None:
        """Put in a fill of one unit with the others, with price, quantity and side, by which the
        sum of all quantities is `real`; as `replace` does."""
        if self._unhashed is None:
            self._unhashed = []
        self._unhashed.append((1, fill))
        before, quantity, price = self.quantity, fill.last_quantity, fill.last_price
        assert quantity is not None
        assert price is not None
        self.quantity = real
        if fill.side is Side.BUY:
            self.bought = real if self.bought is before else EXACT.add(self.bought, quantity)
        else:
            self.sold = real if self.sold is before else EXACT.add(self.sold, quantity)
        self.notional = EXACT.fma(quantity, price, self.notional)
        if fill.fee is not None:
            self._count_fee(fill.fee, fill.fee_currency or "")
        counts = list(self._units)
        counts[UNIT_PLACE[fill.quantity_unit]] += 1
        self._units = units_of(*counts)

    @property
    def fees(self) -> Mapping[str, Decimal]:
        """The sum of the fees by currency ("" unknown)."""
        if self._currency is None:
            return self._several_fees
        return {self._currency: self._fee}

    def counts_only(self, unit: Any) -> bool:
        """Whether no execution counts anything else."""
        place, counted = UNIT_PLACE.get(unit), sum(self._units)
        return not counted or (place is not None and self._units[place] == counted)

    @property
    def digest(self) -> int:
        """The sum of the hashes of all fills, busted ones included: it stands for the set."""
        # Hashed only when a step says the content: most do not (decision 0214).
        if self._unhashed is not None:
            self._digest += sum(sign * hash_of(fill.content()) for sign, fill in self._unhashed)
            self._unhashed = None
        return self._digest

    def _count(self, fill: HeldFill, sign: int) -> None:
        self.conflicted += sign * bool(fill.conflicts)
        self.corrected += sign * bool(fill.corrected)
        if fill.is_busted:
            self.busted += sign
            amount = fill.last_quantity or ZERO
            # Kept apart: what the venue claimed before the bust includes it.
            self.busted_quantity = EXACT.add(
                self.busted_quantity, amount if sign > 0 else amount.copy_negate()
            )
            return
        for currency, fee in fill.fees():
            self._count_fee(fee if sign > 0 else fee.copy_negate(), currency)
        if fill.last_quantity is not None:
            self._count_quantity(fill, fill.last_quantity, sign)

    def _count_fee(self, fee: Decimal, currency: str) -> None:
        # Gone, not zero: fees that cancel out leave no trace of what came first.
        if currency == self._currency:
            self._fee = EXACT.add(self._fee, fee)
            if not self._fee:
                self._currency = None
            return
        fees = {**self.fees}
        held = fees.pop(currency, None)
        if total := fee if held is None else EXACT.add(held, fee):
            fees[currency] = total
        # Of nearly every order all are in one currency: without a dict of its own.
        self._currency, self._fee = fees.popitem() if len(fees) == 1 else (None, ZERO)
        self._several_fees = fees or NO_FEES

    def _side_sum(self, held: Decimal, before: Decimal, amount: Decimal) -> Decimal:
        # Of nearly every order all is on one side: its sum is that of all, and is kept once.
        return self.quantity if held is before else EXACT.add(held, amount)

    def _count_quantity(self, fill: HeldFill, last_quantity: Decimal, sign: int) -> None:
        # Not `-last_quantity`, which rounds to 28 digits.
        amount = last_quantity if sign > 0 else last_quantity.copy_negate()
        before = self.quantity
        self.quantity = EXACT.add(before, amount) if before else amount
        if fill.side is Side.BUY:
            self.bought = self._side_sum(self.bought, before, amount)
        elif fill.side is Side.SELL:
            self.sold = self._side_sum(self.sold, before, amount)
        else:
            self.unsided = self._side_sum(self.unsided, before, amount)
        if fill.last_price is None:
            self.unpriced += sign
        else:
            self.notional = EXACT.add(self.notional, EXACT.multiply(amount, fill.last_price))
        place = UNIT_PLACE[fill.quantity_unit]
        counts = list(self._units)
        counts[place] += sign
        self._units = units_of(*counts)


def completeness(real: Decimal, missing: Decimal, quantity: Decimal | None) -> Completeness:
    """Does the set of executions (`real`) explain what the venue claims, within the quantity?"""
    if quantity is not None and real > quantity:
        return Completeness.EXCESS
    return Completeness.GAP if missing else Completeness.COMPLETE
