"""Orders of several parts against an oracle: every set of evidence, in every order of arrival."""

from dataclasses import replace
from decimal import Decimal
from itertools import combinations, permutations
from typing import Any

import pytest

from orderloom.words import Lifecycle, Reason, Status
from processors.account.targets import GAP, GHOST
from processors.account.venue_place import place_of
from processors.orders.order import Order
from processors.orders.orders import Orders
from tests.builders import a_report, an_execution, some_orders, take
from tests.histories import content_of, evidence_of

X, A, B = "10", "11", "12"
BARE = {"client_order_id": None, "price": None}


def a_part(name: str, status: Status, quantity: str, filled: str, **fields: Any) -> Any:
    said = {"quantity": quantity, "filled_quantity": filled, **BARE, **fields}
    return a_report(status, venue_order_id=name, alias_ids=(X,), is_part=True, **said)


EVIDENCE: dict[str, Any] = {
    "waiting": a_report(Status.WAITING_TRIGGER, venue_order_id=X, quantity="10", **BARE),
    "a live": a_part(A, Status.ACTIVE, "6", "0"),
    "a filled": a_part(A, Status.FILLED, "6", "6"),
    "a canceled": a_part(A, Status.CANCELED, "6", "1", reason=Reason.POST_ONLY),
    "b live": a_part(B, Status.ACTIVE, "4", "0"),
    "b filled": a_part(B, Status.FILLED, "4", "4"),
    "b trade": an_execution("b", "4", venue_order_id=B),
    "x canceled": a_report(Status.CANCELED, venue_order_id=X, quantity=None, **BARE),
    "only b": a_report(venue_order_id=B, alias_ids=(X,), quantity="4", **BARE),
}


def folded(names: tuple[str, ...]) -> Orders:
    orders = some_orders()
    take(orders, *(EVIDENCE[name] for name in names))
    return orders


def parts_in(names: set[str]) -> dict[str, tuple[int, int, str]]:
    """By part: its quantity, what is executed of it, and its end ("" while it lives)."""
    found = {}
    if {"a live", "a filled", "a canceled"} & names:
        done = 6 if "a filled" in names else int("a canceled" in names)
        end = "FILLED" if done == 6 else "CANCELED" if "a canceled" in names else ""
        found[A] = (6, done, end)
    if {"b live", "b filled", "only b"} & names:
        done = 4 if {"b filled", "b trade"} & names else 0
        found[B] = (4, done, "FILLED" if done else "")
    return found


def expected(names: set[str]) -> tuple[Lifecycle, int, int | None]:
    """Lifecycle, what is executed, and what may still be; None where that is unbounded."""
    parts = parts_in(names)
    done = sum(part[1] for part in parts.values())
    live = sum(part[0] - part[1] for part in parts.values() if not part[2])
    known = sum(part[0] for part in parts.values())
    has_ended = bool({"x canceled", "only b"} & names)
    lacking = max(0, 10 - known) if "waiting" in names and not has_ended else 0
    if not parts:
        return (Lifecycle.CANCELED if has_ended else Lifecycle.WAITING_TRIGGER, 0, 10)
    if live or lacking:
        return Lifecycle.ACTIVE, done, live + lacking
    ends = {part[2] for part in parts.values()}
    return (Lifecycle.FILLED if ends == {"FILLED"} else Lifecycle.CANCELED), done, 0


def the_order(orders: Orders) -> Order:
    (order,) = orders.all()
    return order


def test_every_set_of_evidence_is_as_the_rules_say_in_every_order_of_arrival() -> None:
    for size in range(1, 5):
        for names in combinations(EVIDENCE, size):
            if "b trade" in names and not {"b live", "b filled", "only b"} & set(names):
                continue  # an execution alone does not say what it is a part of
            first, *others = [folded(arrival) for arrival in permutations(names)]
            for other in others:
                assert content_of(other) == content_of(first), names
                assert evidence_of(other) == evidence_of(first), names
            order = the_order(first)
            lifecycle, done, leaves = expected(set(names))
            assert (order.lifecycle, order.executed) == (lifecycle, Decimal(done)), names
            assert order.is_closed or order.leaves() == leaves, names
            disputes = {"terminals-differ"} if {"a filled", "a canceled"} <= set(names) else set()
            assert set(order.derived.disputes) == disputes, names


@pytest.mark.parametrize("sized", [{"close_position": True}, {"quote_quantity": "1000"}])
def test_parts_of_what_nobody_said_the_extent_of_may_be_followed_by_others(sized: Any) -> None:
    """A part that is filled says nothing of the rest, which is as much as is held, or as buys."""
    whole = a_report(Status.WAITING_TRIGGER, venue_order_id=X, quantity=None, **sized, **BARE)
    waits, lives = ("a filled", "b filled"), ("a live", "b filled")
    cases = [(waits[:1], True), (waits, True), (lives, True), ((*waits, "only b"), False)]
    cases.append(((*waits, "x canceled"), False))
    for names, is_open in cases:
        for arrival in permutations([whole, *(EVIDENCE[name] for name in names)]):
            orders = some_orders()
            take(orders, *arrival)
            order = the_order(orders)
            assert order.executed == sum(part[1] for part in parts_in(set(names)).values())
            assert (order.is_open, order.leaves()) == (is_open, None if is_open else 0), names


@pytest.mark.parametrize("name", ["09", "99"])  # before and behind the part's, as text
def test_a_part_that_is_all_of_it_ends_it_whatever_their_ids(name: str) -> None:
    whole = a_report(Status.WAITING_TRIGGER, venue_order_id=name, quantity="6", **BARE)
    part = replace(EVIDENCE["a filled"], alias_ids=(name,))
    for arrival in permutations([whole, part]):
        orders = some_orders()
        take(orders, *arrival)
        order = the_order(orders)
        assert (order.lifecycle, order.venue_order_id) == (Lifecycle.FILLED, A)


def test_it_is_asked_about_where_it_lives() -> None:
    places = {
        ("waiting", "a live", "b filled"): A,
        ("waiting", "a filled", "b live"): B,
        ("waiting", "b filled"): X,
        ("waiting", "b filled", "only b"): B,
    }
    for names, place in places.items():
        order = the_order(folded(names))
        assert (order.venue_order_id, order.is_conditional) == (place, place == X), names


def test_of_several_ends_the_reason_is_that_of_the_end_that_counts() -> None:
    order = the_order(folded(("waiting", "a canceled", "b filled")))
    assert (order.lifecycle, order.derived.reason) == (Lifecycle.CANCELED, Reason.POST_ONLY)
    assert (order.quantity, order.executed) == (Decimal(10), Decimal(5))


def test_a_split_order_is_the_same_after_a_restart() -> None:
    names = ("waiting", "a live", "b live", "b trade")
    before = folded(names[:2])
    loaded = Orders(before.account, before.profiles)
    for key in before.state_keys():
        document = before.dump_order(key)
        assert document is not None
        loaded.load_order(document)
    loaded.finish_load()
    take(loaded, *(EVIDENCE[name] for name in names[2:]))
    assert content_of(loaded) == content_of(folded(names))


def test_what_executions_lack_is_asked_of_the_part_that_claims_them() -> None:
    """The other part rests; the trades of its id, or of the conditional order's, have none."""
    order = the_order(folded(("waiting", "a filled", "b live")))
    assert order.venue_order_id == B
    assert place_of(order, GAP).venue_order_id == A
    assert not place_of(order, GAP).is_conditional
    assert place_of(order, GHOST).venue_order_id == B
    both = the_order(folded(("waiting", "a filled", "b filled", "b trade")))
    assert place_of(both, GAP).venue_order_id == A


def test_what_names_only_an_alias_ends_the_same_part_whichever_came_first() -> None:
    parts = [
        a_part(A, Status.ACTIVE, "6", "0", client_alias_ids=("c1", "c2")),
        a_part(B, Status.ACTIVE, "4", "0"),
    ]
    said = [
        a_report(status, venue_order_id=None, client_order_id=name, quantity=None, price=price)
        for status, name, price in ((Status.CANCELED, "c1", "7"), (Status.EXPIRED, "c2", "8"))
    ]
    ends = []
    for arrival in permutations(said):
        orders = some_orders()
        take(orders, *parts, *arrival)
        ends.append(content_of(orders))
    assert ends[0] == ends[1]


def test_a_part_of_which_only_an_execution_without_a_quantity_is_known_raises_nothing() -> None:
    waits, lean = EVIDENCE["waiting"], an_execution("5", None, venue_order_id=B)
    for arrival in permutations([waits, EVIDENCE["a canceled"], lean, EVIDENCE["b filled"]]):
        take(some_orders(), *arrival)
