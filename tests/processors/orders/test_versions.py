"""Each record of a key has a higher version than the one before, however orders are joined."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations, pairwise, permutations
from random import Random
from typing import Any

import orjson

from orderloom import topology
from orderloom.event import Execution
from orderloom.words import FillKind, Side, Status
from processors.orders.effects import (
    Effect,
    FillRecorded,
    GapClosed,
    GapOpened,
    KeyRetired,
    OrderChanged,
)
from processors.orders.fill_document import fill_document
from processors.orders.fill_effects import name_of
from processors.orders.orders import Orders
from tests.builders import ACCOUNT, a_report, an_execution, an_origin, some_orders, take
from tests.processors.partition_lab import Run, a_frame, a_partition, a_raw_record, live
from venues.venue import Profile

ALGO, CHILD = "2200441", 551200399
AT_MS = 1_793_000_500_000


def algo(state: str, at_ms: int, **fields: Any) -> dict[str, Any]:
    """ALGO_UPDATE of a stop limit order (docs/venues/binance.md)."""
    order = {
        "caid": "sl-31", "aid": int(ALGO), "at": "CONDITIONAL", "o": "STOP", "s": "BTCUSDT",
        "S": "BUY", "ps": "BOTH", "f": "GTC", "q": "0.030", "X": state, "ai": "", "ap": "0",
        "aq": "0", "act": "LIMIT", "tp": "95000", "p": "95100", "wt": "MARK_PRICE", "R": True,
    }  # fmt: skip
    at = AT_MS + at_ms
    return {"e": "ALGO_UPDATE", "E": at, "T": at, "o": order | fields}


def engine(execution: str, state: str, at_ms: int, **fields: Any) -> dict[str, Any]:
    """ORDER_TRADE_UPDATE of the order that it becomes."""
    order = {
        "s": "BTCUSDT", "c": "sl-31", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "0.030",
        "p": "95100", "sp": "95000", "x": execution, "X": state, "i": CHILD, "l": "0", "z": "0",
        "L": "0", "n": "0", "N": "USDT", "T": AT_MS + at_ms, "t": 0, "m": False, "R": True,
        "wt": "MARK_PRICE", "ot": "STOP", "ps": "BOTH", "cp": False, "rp": "0", "er": "0",
    }  # fmt: skip
    at = AT_MS + at_ms
    return {"e": "ORDER_TRADE_UPDATE", "E": at, "T": at, "o": order | fields}


WAITS = algo("NEW", 1)
TRIGGERED = algo("TRIGGERED", 4, ai=str(CHILD))
RESTS = engine("NEW", "NEW", 4)
TRADED = engine("TRADE", "PARTIALLY_FILLED", 5, l="0.010", z="0.010", L="95010", t=71)
CANCELED = engine("CANCELED", "CANCELED", 6, z="0.010")
STOP = (WAITS, algo("TRIGGERING", 3), TRIGGERED, RESTS, TRADED, CANCELED)


def versions(messages: tuple[dict[str, Any], ...]) -> dict[bytes, list[int]]:
    """The versions of each order key as they are published, a message a step."""
    run = Run(a_partition())
    run.step(a_raw_record(live("linear")))
    found: dict[bytes, list[int]] = {}
    for number, message in enumerate(messages, 1):
        frame = a_frame(orjson.dumps(message), number, "linear")
        for output in run.step(a_raw_record(frame, offset=number)):
            if output.topic is topology.ORDERS:
                fields = (
                    dict(output.headers) if output.value is None else orjson.loads(output.value)
                )
                found.setdefault(output.key, []).append(int(fields["version"]))
    return found


def rise(numbers: list[int]) -> bool:
    return all(one < other for one, other in pairwise(numbers))


def test_the_version_rises_as_a_stop_becomes_an_order_that_was_heard_of_before() -> None:
    found = versions((WAITS, RESTS, TRIGGERED))
    assert {key.rpartition(b"/")[2].decode(): seen for key, seen in found.items()} == {
        ALGO: [2, 3],
        str(CHILD): [2, 3],  # the latter is its tombstone's
    }


def test_the_versions_of_each_key_rise_in_every_order_of_arrival() -> None:
    for some in (3, 4):
        for messages in combinations(STOP, some):
            for arrival in permutations(messages):
                found = versions(arrival)
                assert found
                assert all(map(rise, found.values())), (found, [one["o"] for one in arrival])


class Reader:
    """Publishes the orders as an account does, at each step's end, and reads it as a consumer."""

    def __init__(self) -> None:
        self.versions: dict[str, int] = {}
        self.views: dict[str, dict[str, Any]] = {}

    def read(self, orders: Orders, effects: list[Effect]) -> None:
        changed: dict[str, None] = {}
        retired: dict[str, int] = {}
        with_fills = set()
        for effect in effects:
            if isinstance(effect, OrderChanged):
                changed[effect.order.key] = None
            elif isinstance(effect, KeyRetired):
                changed.pop(effect.key, None)
                retired[effect.key] = effect.version
            elif isinstance(effect, FillRecorded):
                with_fills.add(effect.order.key)
        for key, version in retired.items():
            self.rise(key, version)
            self.views.pop(key, None)
        for key in changed:
            order = orders.get(key)
            assert order is not None
            self.rise(key, order.version)
            self.views[key] = order.view()
        assert with_fills <= changed.keys() | retired.keys()
        assert self.views == {order.key: order.view() for order in orders.all()}

    def rise(self, key: str, version: int) -> None:
        assert version > self.versions.get(key, 0), key
        self.versions[key] = version


def test_what_is_shown_changes_only_with_a_higher_version() -> None:
    for seed in range(15):
        random, orders, reader = Random(seed), some_orders(), Reader()
        for _ in range(40):
            events = [any_evidence(random) for _ in range(random.randrange(1, 5))]
            reader.read(
                orders, [one for event in events for one in orders.apply(event, an_origin())]
            )


def any_evidence(random: Random) -> Any:
    """Of four orders that may be one, three client ids and a few executions."""
    ids = ["7", "8", "9", "10"]
    at = random.randrange(1, 50)
    named: dict[str, Any] = {
        "venue_order_id": random.choice([*ids, *ids, None]),
        "client_order_id": random.choice(["c1", "c2", "c3", None, None, None]),
        "venue_ns": at,
    }
    if random.random() < 0.6:
        return an_execution(
            str(random.randrange(100, 106)),
            random.randrange(1, 3),
            side=random.choice([Side.BUY, Side.BUY, None]),
            fee=random.choice([None, "0.1"]),
            kind=random.choice([*[FillKind.REAL] * 8, FillKind.CORRECTION, FillKind.BUST]),
            **named,
        )
    chain: dict[str, Any] = {}
    if named["venue_order_id"] is not None and random.random() < 0.6:
        chain = random.choice(
            [
                {"replaces": random.choice(ids)},
                {"alias_ids": (random.choice(ids),), "is_part": random.random() < 0.3},
            ]
        )
    return a_report(
        random.choice([Status.ACTIVE, Status.WAITING_TRIGGER, Status.CANCELED, None]),
        quantity=random.randrange(5, 60),
        filled_quantity=random.randrange(40),
        ordinal=(at, 0),
        **named | chain,
    )


def test_a_dispute_and_a_gap_are_asked_about_anew_under_the_key_that_stays() -> None:
    orders = some_orders()
    waits = a_report(Status.WAITING_TRIGGER, venue_order_id="1", quantity=None)
    take(orders, waits, a_report(venue_order_id="2", filled_quantity="3"))
    effects = take(orders, a_report(venue_order_id="2", alias_ids=("1",)))
    opened = [one.order.key for one in effects if isinstance(one, GapOpened)]
    assert opened == [f"{ACCOUNT}/spot/SOLUSDT/1"]


def test_a_gap_that_joining_closes_is_asked_about_no_more() -> None:
    orders = some_orders(Profile(carries_count=True))
    take(orders, a_report(venue_order_id="1", filled_quantity="1.5"))
    take(orders, an_execution(venue_order_id="2"))
    effects = take(orders, a_report(venue_order_id="2", replaces="1", filled_quantity="1.5"))
    closed = [one.order.key for one in effects if isinstance(one, GapClosed)]
    assert closed == [f"{ACCOUNT}/spot/SOLUSDT/1"]


def test_a_consumer_by_execution_key_holds_each_execution_once() -> None:
    for seed in range(30):
        random, orders = Random(seed), some_orders()
        held: dict[str, str | None] = {}
        for _ in range(60):
            event = any_evidence(random)
            for effect in orders.apply(event, an_origin()):
                if isinstance(effect, FillRecorded):
                    fill = fill_document(effect.order, effect, an_origin())
                    if effect.kind is FillKind.BUST:
                        held.pop(fill["execution_key"], None)
                    else:
                        held[fill["execution_key"]] = fill["quantity"]
            fills = [
                (f"spot/SOLUSDT/{fill.exec_id}/{name_of(order, fill)}", str(fill.last_quantity))
                for order in orders.all()
                for fill in order.fills()
                if not fill.is_busted
            ]
            assert held == dict(fills)
            assert len(held) == len(fills)


def held_after(events: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """The records of `fills` that a consumer holds at last; where each came from left out."""
    orders, held = some_orders(), dict[str, dict[str, Any]]()
    for event in events:
        effects = orders.apply(event, an_origin())
        for effect in effects:
            if isinstance(effect, FillRecorded):
                fill = fill_document(effect.order, effect, an_origin())
                key, kind = fill["execution_key"], fill.pop("kind")
                held.pop(key, None)
                if kind is not FillKind.BUST:
                    held[key] = fill
    return held


def known_once(event: Any) -> Any:
    """Without an order's id, no two orders have an execution of the same id."""
    if isinstance(event, Execution) and event.venue_order_id is None and event.client_order_id:
        return replace(event, exec_id=f"{event.exec_id}-{event.client_order_id}")
    return event


def test_what_is_held_of_each_execution_follows_from_the_evidence_whatever_came_first() -> None:
    for seed in range(60):
        random = Random(seed)
        events = [known_once(any_evidence(random)) for _ in range(random.randrange(3, 25))]
        straight = held_after(events)
        for _ in range(4):
            random.shuffle(events)
            assert held_after(events) == straight, seed


def test_what_is_published_of_evidence_that_was_hidden_is_the_same_after_a_restart() -> None:
    nameless = {"venue_order_id": None, "client_order_id": "c1"}
    straight, before = some_orders(), some_orders()
    for orders in (straight, before):
        take(orders, a_report(Status.CANCELED, filled_quantity="3", ordinal=(5, 0), **nameless))
    again = some_orders()
    for key in before.state_keys():
        document = before.dump_order(key)
        assert document is not None
        again.load_order(orjson.loads(orjson.dumps(document)))
    again.finish_load()
    shown = an_execution(**nameless)
    effects = [[type(one).__name__ for one in take(one, shown)] for one in (straight, again)]
    assert effects[0] == effects[1]
    assert "GapOpened" in effects[0]
