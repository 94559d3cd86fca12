"""The verdict: what the topics say beside the truth of the simulated venues.

Pure. `Published` is everything that consumers could read after the run; `truth` is the simulator's
document, which the product never sees. Nothing is excused: an execution that is missing, twice, or
differs in price, quantity or fee counts, and so does an order in a wrong state or one too many.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from orderloom.fill import Fill
from orderloom.identity import adopted_order_key
from orderloom.order import OrderState
from orderloom.position import Position
from orderloom.words import FillKind, Side, Source

FillKey = tuple[str, str, str, str, str | None]
Leg = tuple[str, str, str, str]
"""Account, product, symbol, position side: by what a position is compared with the venue's."""
STATUS: Final = {"NEW": "ACTIVE", "EXPIRED_IN_MATCH": "EXPIRED"}
"""The venue's words that our derived status spells otherwise."""


@dataclass(slots=True)
class Published:
    """What the topics hold at the end, read as a consumer reads them."""

    fills: dict[FillKey, Fill] = field(default_factory=dict)
    first: dict[FillKey, Fill] = field(default_factory=dict)
    doubled: list[FillKey] = field(default_factory=list)
    orders: dict[str, OrderState] = field(default_factory=dict)
    positions: dict[Leg, Position] = field(default_factory=dict)
    modes: dict[Leg, dict[str | None, Position]] = field(default_factory=dict)
    position_records: list[Position] = field(default_factory=list)
    open_blind: int = 0
    dead_letters: Counter[str] = field(default_factory=Counter)

    def take_fill(self, fill: Fill) -> None:
        """One record of `fills`: a REAL must be the first of its execution, others not."""
        key = (fill.account, fill.product, fill.symbol, fill.exec_id, fill.venue_order_id)
        if fill.kind is FillKind.REAL and key in self.first:
            self.doubled.append(key)
        self.first.setdefault(key, fill)
        if fill.kind is FillKind.BUST:
            self.fills.pop(key, None)
        else:
            self.fills[key] = fill

    def take_position(self, position: Position) -> None:
        """One record of `positions`; all are kept for the check of the bands.

        A leg has a position for each margin mode (and one for executions whose message named none,
        until their order does): what is compared with the venue's is all of them together.
        """
        key = leg_of(position)
        modes = self.modes.setdefault(key, {})
        modes[position.margin_mode] = position
        whole = position if len(modes) == 1 else _together(position, modes.values())
        self.positions[key] = whole
        self.position_records.append(whole)


def leg_of(position: Position) -> Leg:
    """Which leg a position is of."""
    return (position.account, position.product, position.symbol, position.position_side)


def _together(newest: Position, positions: Collection[Position]) -> Position:
    """The positions of one leg as one; all else is that of the newest record."""
    nets, lows, highs = zip(*((one.net, one.low, one.high) for one in positions), strict=True)
    is_unbounded = any(one.unbounded for one in positions)
    amounts = {"net": sum(nets), "low": sum(lows), "high": sum(highs)}
    return newest.model_copy(update={**amounts, "unbounded": is_unbounded})


def judge(published: Published, truth: dict[str, Any]) -> dict[str, Any]:
    """Counts for the verdict, and under `details` what each count is made of."""
    details = {
        "fills_lost": list(lost_fills(published, truth)),
        "fills_invented": sorted(map(str, published.fills.keys() - _true_fills(truth).keys())),
        "fills_wrong": list(wrong_fills(published, truth)),
        "fills_doubled": [str(key) for key in published.doubled],
        "wrong_states": list(wrong_states(published, truth)),
        "wrong_positions": list(wrong_positions(published, truth)),
    }
    sources = Counter(fill.source for fill in published.first.values())
    return {
        "messages": truth["messages"],
        "orders": len(published.orders),
        "fills": len(published.fills),
        **{name: len(found) for name, found in details.items()},
        "open_blind_intervals": published.open_blind,
        "dead_letters": published.dead_letters.total(),
        "from_stream": sources[Source.STREAM],
        "healed": len(published.first) - sources[Source.STREAM],
        "healed_by_cause": dict(healed_by_cause(published, truth)),
        "details": details,
    }


def healed_by_cause(published: Published, truth: dict[str, Any]) -> Counter[str]:
    """Why the stream did not report the executions that were asked for, by the venue's account.

    `dropped` by a fault, `blind` with nobody subscribed, `in_flight` when the connection ended (or
    its reader was killed), `nameless` where the venue's push has no id for it; `late` was
    delivered, but after the answer.
    """
    rows = _true_fills(truth)
    healed = (key for key, fill in published.first.items() if fill.source is not Source.STREAM)
    reasons = ("dropped", "blind", "in_flight", "nameless")
    return Counter(
        next((reason for reason in reasons if rows.get(key, {}).get(reason)), "late")
        for key in healed
    )


def is_clean(verdict: dict[str, Any]) -> bool:
    """Nothing lost, doubled, invented or wrong, and nothing left that we could not see."""
    faults = (
        "fills_lost", "fills_invented", "fills_wrong", "fills_doubled", "wrong_states",
        "wrong_positions", "broken_bands", "open_blind_intervals", "dead_letters",
    )  # fmt: skip
    return verdict["fills"] > 0 and not any(verdict.get(name, 0) for name in faults)


def lost_fills(published: Published, truth: dict[str, Any]) -> Iterator[str]:
    """Executions at the venue that no record of `fills` names."""
    for key in _true_fills(truth).keys() - published.fills.keys():
        yield str(key)


def wrong_fills(published: Published, truth: dict[str, Any]) -> Iterator[str]:
    """Executions that both know and whose price, quantity or fee differ."""
    for key, row in _true_fills(truth).items():
        fill = published.fills.get(key)
        if fill is None:
            continue
        ours = (fill.price, fill.quantity, fill.fee, fill.fee_currency, fill.side)
        fee: tuple[Any, ...] = (Decimal(row["fee"]), row["fee_currency"])
        if row.get("unpriced") and fill.fee is None and fill.source is not Source.STREAM:
            fee = (None, None)  # no answer of this venue's says it: to claim none is right
        theirs = (Decimal(row["price"]), Decimal(row["quantity"]), *fee, row["side"])
        if ours != theirs:
            yield f"{key}: ours {ours}, theirs {theirs}"


def wrong_states(published: Published, truth: dict[str, Any]) -> Iterator[str]:
    """Orders whose final state or filled quantity differs, is missing, or that never were."""
    known = set()
    for account, true in truth["accounts"].items():
        for row in true["orders"]:
            key = adopted_order_key(account, row["product"], row["symbol"], row["venue_order_id"])
            known.add(key)
            theirs = (STATUS.get(row["status"], row["status"]), Decimal(row["filled"]))
            order = published.orders.get(key)
            ours = order and (order.status.value, order.filled_quantity)
            if ours != theirs:
                yield f"{key}: ours {ours}, theirs {theirs}"
    for key in published.orders.keys() - known:
        yield f"{key}: the venue has no such order"


def wrong_positions(published: Published, truth: dict[str, Any]) -> Iterator[str]:
    """Positions whose net is not the sum of the venue's executions, or not its own figure."""
    nets = true_nets(row for row in _rows(truth, "fills"))
    for account, true in truth["accounts"].items():
        for row in true["positions"]:
            key = (account, row["product"], row["symbol"], _leg(row["position_side"]))
            if nets.get(key, Decimal(0)) != Decimal(row["quantity"]):
                yield f"{key}: the venue's own figures disagree: {row['quantity']}, {nets.get(key)}"
    for key in nets.keys() | published.positions.keys():
        position = published.positions.get(key)
        ours = position.net if position else None
        theirs = nets.get(key, Decimal(0))
        if (ours or Decimal(0)) != theirs:
            yield f"{key}: ours {ours}, theirs {theirs}"
        elif position and not position.unbounded and not position.low <= theirs <= position.high:
            yield f"{key}: {theirs} is outside [{position.low}, {position.high}]"


def true_nets(
    rows: Iterable[tuple[str, dict[str, Any]]],
) -> dict[tuple[str, str, str, str], Decimal]:
    """Signed sums of executions by (account, product, symbol, position side)."""
    nets: dict[tuple[str, str, str, str], Decimal] = {}
    for account, row in rows:
        key = (account, row["product"], row["symbol"], _leg(row["position_side"]))
        quantity = Decimal(row["quantity"])
        nets[key] = nets.get(key, Decimal(0)) + (quantity if row["side"] == Side.BUY else -quantity)
    return nets


def _true_fills(truth: dict[str, Any]) -> dict[FillKey, dict[str, Any]]:
    return {fill_key(account, row): row for account, row in _rows(truth, "fills")}


def fill_key(account: str, row: dict[str, Any]) -> FillKey:
    """Which execution a row of the venue's fills is."""
    return (account, row["product"], row["symbol"], row["exec_id"], row["venue_order_id"])


def _rows(truth: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for account, true in truth["accounts"].items():
        for row in true[name]:
            yield account, row


def _leg(position_side: str | None) -> str:
    return "NET" if position_side in (None, "BOTH", "") else position_side
