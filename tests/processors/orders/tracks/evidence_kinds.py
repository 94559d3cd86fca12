"""Twenty-two kinds of evidence about one order of quantity 2, and an oracle of what they mean.

The oracle is written from the rules, not from the product: it knows sets of names, no registers.
The look-up that proves absence began at 10; evidence named `..._new` is valid at 20, the rest at 1.
"""

import itertools
from collections.abc import Iterator
from typing import Any

from orderloom.words import Lifecycle, Reason, Source, Status
from processors.orders.order import Order
from processors.orders.orders import Orders
from processors.orders.tracks.lifecycle import Kind
from tests.builders import ORDER_KEY, a_bust, a_report, an_execution, an_origin, some_orders

ABSENT_NS = 10
OLD = {"venue_ns": 1}
NEW = {"venue_ns": 20}
ANONYMOUS = {"client_order_id": None, "side": None, "price": None, "quantity": None}

BASE = (a_report(None, client_order_id=None, quantity="2"), an_origin(Source.REPLY))


def _claim(status: Status | None, **fields: Any) -> Any:
    return a_report(status, **ANONYMOUS | fields)


def _match(exec_id: str, **fields: Any) -> Any:
    return an_execution(exec_id, "1", **fields)


EVIDENCE: dict[str, tuple[Kind, Any]] = {
    "live": (Kind.LIVE, _claim(Status.ACTIVE, ordinal=(1_000_000, 0), **OLD)),
    "live_new": (Kind.LIVE, _claim(Status.ACTIVE, ordinal=(20_000_000, 0), **NEW)),
    "untriggered": (Kind.UNTRIGGERED, _claim(Status.WAITING_TRIGGER, **OLD)),
    "untriggered_new": (Kind.UNTRIGGERED, _claim(Status.WAITING_TRIGGER, **NEW)),
    "execution_a": (Kind.EXECUTION, _match("a", **OLD)),
    "execution_b": (Kind.EXECUTION, _match("b", **OLD)),
    "execution_c": (Kind.EXECUTION, _match("c", **OLD)),
    "execution_d_new": (Kind.EXECUTION, _match("d", **NEW)),
    "cumulative": (Kind.EXECUTION, _claim(None, filled_quantity="1", **OLD)),
    "cumulative_new": (Kind.EXECUTION, _claim(None, filled_quantity="2", **NEW)),
    "amend": (
        Kind.AMENDED,
        _claim(None, is_amendment=True, quantity="3", ordinal=(1_000_000, 0), **OLD),
    ),
    "amend_new": (
        Kind.AMENDED,
        _claim(None, is_amendment=True, quantity="4", ordinal=(20_000_000, 0), **NEW),
    ),
    "amend_lowered_new": (
        Kind.AMENDED,
        _claim(None, is_amendment=True, quantity="1", ordinal=(21_000_000, 0), **NEW),
    ),
    "bust_a": (Kind.BUST, a_bust("a")),
    "bust_d_new": (Kind.BUST, a_bust("d", **NEW)),
    "FILLED": (Kind.FILLED, _claim(Status.FILLED)),
    "CANCELED": (Kind.CANCELED, _claim(Status.CANCELED, ordinal=(5_000_000, 0))),
    "EXPIRED": (Kind.EXPIRED, _claim(Status.EXPIRED)),
    "REJECTED": (Kind.REJECTED, _claim(Status.REJECTED)),
    "liquidation": (Kind.CANCELED, _claim(Status.CANCELED, reason=Reason.LIQUIDATION)),
    "ENDED": (Kind.ENDED, _claim(None, is_ended=True, ordinal=(5_000_000, 0))),
    "ABSENT": (Kind.ABSENT, None),
}


def take(orders: Orders, name: str) -> None:
    """Fold one kind of evidence."""
    _, event = EVIDENCE[name]
    if event is None:
        orders.absent(ORDER_KEY, ABSENT_NS)
    else:
        orders.apply(event, an_origin(Source.REPLY))


def state_after(names: tuple[str, ...]) -> Order:
    """The order after these kinds of evidence, in this order of arrival."""
    orders = some_orders()
    orders.apply(*BASE)
    for name in names:
        take(orders, name)
    order = orders.get(ORDER_KEY)
    assert order is not None
    return order


def print_of(order: Order) -> Any:
    """The complete state of an order but for what arrival decides, as comparable values."""
    own = order.own
    links = {
        name: (
            *(link.terms.all(), link.words, link.reasons),
            *(link.claimed, link.claimed_quote, link.asked),
        )
        for name, link in own.links.items()
    }
    times = (own.first_ns, own.venue_ns, own.seen_ns, own.absent_ns, own.settled_ns)
    sums = [name for name in own.totals.__slots__ if not name.startswith("_")]
    totals = {name: getattr(own.totals, name) for name in (*sums, "fees", "digest")}
    return (links, own.fills, totals, own.client_ids, times, order.derived)


def sets_up_to(size: int) -> Iterator[tuple[str, ...]]:
    """Every set of up to `size` kinds."""
    for count in range(1, size + 1):
        yield from itertools.combinations(EVIDENCE, count)


NEWER_LIFE = {"live_new", "amend_new", "amend_lowered_new"}


def executed_and_quantity(names: set[str]) -> tuple[int, int]:
    """What is executed, after busts, and the quantity of the highest amendment."""
    matches = {name[10] for name in names if name.startswith("execution_")}
    busted = {name[5] for name in names if name.startswith("bust_")}
    claimed = 2 if "cumulative_new" in names else int("cumulative" in names)
    amended = {"amend_lowered_new": 1, "amend_new": 4, "amend": 3}
    quantity = next((amended[name] for name in amended if name in names), 2)
    whole = quantity if "FILLED" in names else 0  # it says no amount: then it means all
    return max(len(matches - busted), claimed, whole), quantity


def expected_lifecycle(names: set[str]) -> Lifecycle:  # noqa: PLR0911 - one return per rule
    """The rules of the lifecycle, one after the other."""
    executed, quantity = executed_and_quantity(names)
    alive = {"live", "amend", "cumulative", "execution", "bust"}
    if "FILLED" in names or executed >= quantity:
        return Lifecycle.FILLED
    if "CANCELED" in names or "liquidation" in names:
        return Lifecycle.CANCELED
    if "EXPIRED" in names:
        return Lifecycle.EXPIRED
    if "REJECTED" in names:
        return Lifecycle.CANCELED if executed else Lifecycle.REJECTED
    if "ABSENT" in names and not any(name.endswith("_new") for name in names):
        return Lifecycle.CANCELED
    if "ENDED" in names and not names & NEWER_LIFE:
        return Lifecycle.CANCELED
    if any(name.split("_")[0] in alive for name in names):
        return Lifecycle.ACTIVE
    if any(name.startswith("untriggered") for name in names):
        return Lifecycle.WAITING_TRIGGER
    return Lifecycle.NONE


def expected_disputes(names: set[str]) -> set[str]:
    """Which contradictions stand, in the words of decision 0401."""
    executed, quantity = executed_and_quantity(names)
    is_canceled = bool(names & {"CANCELED", "liquidation"})
    ends: set[str] = {name for name in ("FILLED", "EXPIRED", "REJECTED") if name in names}
    ends |= {"CANCELED"} if is_canceled else set()
    is_full = "FILLED" in ends or executed >= quantity
    found = set()
    if len(ends | ({"FILLED"} if is_full and ends else set())) > 1:
        found.add("terminals-differ")
    if "CANCELED" in names and not is_full and names & NEWER_LIFE:
        found.add("live-after-end")
    if "ENDED" in names and not ends and not is_full and names & NEWER_LIFE:
        found.add("live-after-end")
    if "REJECTED" in names and executed:
        found.add("rejected-with-fills")
    if executed > quantity:
        found.add("overfilled")
    if "ABSENT" in names:
        if "FILLED" in ends:
            found.add("absence-refuted")
        elif not ends and not is_full:
            is_voided = any(name.endswith("_new") for name in names)
            found.add("absence-voided" if is_voided else "absence-unproven")
    return found
