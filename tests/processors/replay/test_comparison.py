"""What two folds publish differently, as it is listed."""

from collections.abc import Sequence
from typing import Any

import orjson

from processors.replay.comparison import Comparison, PublishedRecord

ACCOUNT = "binance:main"


def an_order(key: str, status: str = "NEW", sequence: int = 1) -> PublishedRecord:
    document = {"account": ACCOUNT, "sequence": sequence, "epoch": 0, "status": status}
    return PublishedRecord("orders", key.encode(), orjson.dumps(document))


def a_fill(order: str, sequence: int, quantity: str = "1") -> PublishedRecord:
    document = {"account": ACCOUNT, "order_key": order, "quantity": quantity}
    return PublishedRecord(
        "fills", ACCOUNT.encode(), orjson.dumps(document | {"sequence": sequence})
    )


def a_question(name: str) -> PublishedRecord:
    return PublishedRecord("dispatches", ACCOUNT.encode(), orjson.dumps({"question": {"id": name}}))


def a_tombstone(version: int, sequence: int = 1) -> PublishedRecord:
    said: dict[str, Any] = {"account": ACCOUNT, "sequence": sequence, "version": version}
    headers = tuple((name, orjson.dumps(value)) for name, value in said.items())
    return PublishedRecord("orders", b"k1", None, headers)


def listed(
    ours: Sequence[PublishedRecord], theirs: Sequence[PublishedRecord]
) -> dict[str, tuple[str, int]]:
    """The account, and how many records differ, by name."""
    found = Comparison()
    found.take(7, ours, theirs)
    return {name: (one.account, one.records) for name, one in found.changed.items()}


def test_records_are_compared_by_order_and_without_their_numbers() -> None:
    found = Comparison()
    found.take(7, [an_order("k1")], [an_order("k1", sequence=2)])
    assert found.changed == {}
    found.take(8, [an_order("k1"), a_fill("k2", 1)], [an_order("k1", "FILLED")])
    found.take(9, [a_tombstone(3)], [])
    garbage = PublishedRecord("accounts", ACCOUNT.encode(), b"not JSON")
    found.take(9, [garbage], [garbage._replace(value=b"{}")])
    shown = {
        name: (changed.account, changed.step, changed.records, sorted(changed.topics))
        for name, changed in found.changed.items()
    }
    assert shown == {
        "k1": (ACCOUNT, 8, 3, ["orders"]),
        "k2": (ACCOUNT, 8, 1, ["fills"]),
        f"accounts {ACCOUNT}": (ACCOUNT, 9, 2, ["accounts"]),
    }


def test_a_fill_less_of_one_order_lists_no_other_of_the_step() -> None:
    ours = [a_fill("A", 1), a_fill("B", 2), a_fill("C", 3)]
    assert listed(ours, [a_fill("B", 1), a_fill("C", 2)]) == {"A": (ACCOUNT, 1)}
    assert listed(ours, [a_fill("A", 1), a_fill("B", 2, "5"), a_fill("C", 3)]) == {
        "B": (ACCOUNT, 2)
    }


def test_what_is_said_twice_or_in_another_order_is_listed() -> None:
    name, one, other = f"dispatches {ACCOUNT}", a_question("q1"), a_question("q2")
    assert listed([one], [one, one]) == {name: (ACCOUNT, 1)}
    assert listed([one, other], [other, one]) == {name: (ACCOUNT, 2)}
    fills = [a_fill("A", 1), a_fill("B", 2)]
    assert listed(fills, [a_fill("B", 1), a_fill("A", 2)]) == {f"fills {ACCOUNT}": (ACCOUNT, 2)}


def test_a_tombstone_is_compared_by_its_headers_and_is_of_its_account() -> None:
    assert listed([a_tombstone(3)], [a_tombstone(3, sequence=2)]) == {}
    assert listed([a_tombstone(3)], [a_tombstone(9)]) == {"k1": (ACCOUNT, 2)}
    assert listed([a_tombstone(3)], []) == {"k1": (ACCOUNT, 1)}
    bare = PublishedRecord("orders", f"{ACCOUNT}/spot/X/1".encode(), None)
    assert listed([bare], []) == {f"{ACCOUNT}/spot/X/1": (ACCOUNT, 1)}
