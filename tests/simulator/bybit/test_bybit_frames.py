"""What the simulated venue sends beside the examples: the same keys, the same JSON types.

The examples are of the shape that the venue's manual shows (docs/venues/bybit.md).
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from simulator.bybit.rest import envelope
from tests.simulator.bybit.bybit_box import INVERSE, INVERSE_PRICE, PRICE, SYMBOL, Box, an_order
from tests.simulator.bybit.bybit_client import a_client
from tests.simulator.shapes import shape

EXAMPLES = Path(__file__).parent / "examples"
Document = dict[str, Any]
ON_SOCKETS = {
    "auth", "subscribe", "pong", "trade_auth", "trade_pong", "socket_create",
    "socket_cancel_refused",
}  # fmt: skip
WISH = {"category": "linear", "symbol": SYMBOL, "side": "Buy", "orderType": "Limit", "qty": "4"}


def example(name: str) -> Any:
    return orjson.loads((EXAMPLES / f"{name}.json").read_bytes())


def partial_fill(**changes: Any) -> Box:
    box = Box()
    box.linear.place(box.one, an_order(client_order_id="desk1-000001", **changes))
    box.linear.place_anonymous(an_order("SELL", "1.2"))
    return box


def new() -> Box:
    box = Box()
    box.linear.place(box.one, an_order())
    return box


def amended() -> Box:
    box = Box()
    order = box.linear.place(box.one, an_order())
    box.linear.amend(box.one, order, PRICE - 1, Decimal(0))
    return box


def full_fill() -> Box:
    box = partial_fill()
    box.linear.place_anonymous(an_order("SELL", "2.8"))
    return box


def canceled() -> Box:
    box = partial_fill()
    box.linear.cancel(box.one, box.linear.open_orders(box.one)[0])
    return box


def post_only() -> Box:
    box = Box()
    box.linear.place_anonymous(an_order("SELL"))
    box.linear.place(box.one, an_order(time_in_force="GTX"))
    return box


def ioc() -> Box:
    box = Box()
    box.linear.place(box.one, an_order(time_in_force="IOC"))
    return box


def rest_refused() -> Box:
    """`Rejected` by the engine, here with fills."""
    box = partial_fill()
    box.linear.expire(box.one, box.linear.open_orders(box.one)[0], "VENUE")
    return box


def spot_canceled() -> Box:
    box = Box()
    order = box.spot.place(box.one, an_order())
    box.spot.place_anonymous(an_order("SELL", "1"))
    box.spot.cancel(box.one, order)
    return box


def liquidated(kind: str = "LIQUIDATION", seed: int = 3) -> Box:
    box = Box(seed=seed)
    box.linear.place_anonymous(an_order("SELL", "2"))
    box.linear.place(box.one, an_order("BUY", "2"))
    assert box.linear.force_close(box.one, SYMBOL, "BOTH", kind)
    return box


ORDERS: dict[str, tuple[Callable[[], Box], tuple[str, str, str]]] = {
    "order_new": (new, ("New", "UNKNOWN", "EC_NoError")),
    "order_amended": (amended, ("New", "UNKNOWN", "EC_NoError")),
    "order_partial_fill": (partial_fill, ("PartiallyFilled", "UNKNOWN", "EC_NoError")),
    "order_full_fill": (full_fill, ("Filled", "UNKNOWN", "EC_NoError")),
    "order_canceled": (canceled, ("Cancelled", "CancelByUser", "EC_PerCancelRequest")),
    "order_post_only": (post_only, ("Cancelled", "UNKNOWN", "EC_PostOnlyWillTakeLiquidity")),
    "order_ioc": (ioc, ("Cancelled", "UNKNOWN", "EC_NoImmediateQtyToFill")),
    "order_rejected": (rest_refused, ("Rejected", "UNKNOWN", "EC_ReachRiskPriceLimit")),
    "order_spot_canceled": (
        spot_canceled, ("PartiallyFilledCanceled", "CancelByUser", "EC_PerCancelRequest"),
    ),
    "order_liquidated": (liquidated, ("Filled", "UNKNOWN", "EC_NoError")),
}  # fmt: skip


def plain(row: Document) -> Document:
    """Without what each order has of its own: coins of fees."""
    return {key: value for key, value in row.items() if key != "cumFeeDetail"}


@pytest.mark.parametrize("name", ORDERS)
def test_an_order_has_the_keys_types_and_words_of_its_example(name: str) -> None:
    make, words = ORDERS[name]
    told, [wanted] = make().items("order")[-1], example(name)["data"]
    assert shape(plain(told)) == shape(plain(wanted))
    for row in (told, wanted):
        assert (row["orderStatus"], row["cancelType"], row["rejectReason"]) == words
        assert all(isinstance(fee, str) for fee in row["cumFeeDetail"].values())


@pytest.mark.parametrize("topic", ["execution", "position", "wallet"])
def test_a_push_has_the_keys_and_types_of_its_example(topic: str) -> None:
    told, wanted = partial_fill().items(topic)[-1], example(topic)["data"][0]
    assert shape(told) == shape(wanted)


def test_a_row_of_a_list_has_the_keys_of_its_example_and_no_category() -> None:
    answer = partial_fill().ask("order/realtime", category="linear", symbol=SYMBOL)
    found, wanted = envelope(0, "OK", answer, 1), example("order_rows")
    assert found.keys() == wanted.keys()
    assert found["result"].keys() == wanted["result"].keys()
    [row], [like] = found["result"]["list"], wanted["result"]["list"]
    assert {key: shape(row[key]) for key in like} == shape(like)
    assert "category" not in row


def test_the_clock_has_the_shape_of_its_example() -> None:
    answer = envelope(0, "OK", Box().ask("market/time"), 1)
    assert shape(answer) == shape(example("server_time"))


async def test_what_a_socket_answers_has_the_shape_of_its_example() -> None:
    async with a_client() as client:
        async with await client.open() as stream:
            await stream.say(client.sign_in())
            found = {"auth": await stream.next()}
            await stream.say({"req_id": "s1", "op": "subscribe", "args": ["order.linear"]})
            found["subscribe"] = await stream.next()
            await stream.say({"req_id": "p1", "op": "ping"})
            found["pong"] = await stream.next()
        async with await client.open("trade") as stream:
            await stream.say(client.sign_in("reqId"))
            found["trade_auth"] = await stream.next()
            await stream.say({"op": "ping"})
            found["trade_pong"] = await stream.next()
            found["socket_create"] = await stream.call("order.create", WISH | {"price": "150"})
            nobody = {"category": "linear", "symbol": SYMBOL, "orderLinkId": "nobody"}
            found["socket_cancel_refused"] = await stream.call("order.cancel", nobody, "r2")
    assert found.keys() == ON_SOCKETS
    assert {name: shape(row) for name, row in found.items()} == {
        name: shape(example(name)) for name in ON_SOCKETS
    }


async def test_an_envelope_of_each_topic_is_that_of_its_example() -> None:
    topics = ("order", "execution", "position", "wallet")
    async with a_client() as client, await client.stream(*topics) as stream:
        await client.post("order/create", **WISH, price="150")
        other = type(client)(
            client.server, list(client.server.box.venue.accounts.values())[1].config, client.http
        )
        await other.post("order/create", **(WISH | {"side": "Sell"}), price="150")
        seen: dict[str, set[str]] = {}
        while seen.keys() != set(topics):
            push = await stream.next()
            seen[push["topic"]] = set(push)
    assert seen == {name: set(example(name if name != "order" else "order_new")) for name in topics}


def test_every_example_is_compared_with_something() -> None:
    compared = ORDERS.keys() | ON_SOCKETS | {"execution", "position", "wallet"}
    assert {path.stem for path in EXAMPLES.glob("*.json")} == compared | {
        "order_rows", "server_time",
    }  # fmt: skip


def test_values_and_fees_of_an_inverse_contract_are_in_coin() -> None:
    box = Box()
    wish = {"symbol": INVERSE, "price": INVERSE_PRICE}
    box.inverse.place_anonymous(an_order("SELL", "91000", **wish))
    box.inverse.place(box.one, an_order("BUY", "91000", **wish))
    [told] = box.items("execution")
    assert (told["execValue"], told["execFee"], told["feeCurrency"]) == ("1", "0.00055", "BTC")
    order = box.items("order")[-1]
    assert (order["cumExecValue"], order["avgPrice"]) == ("1", "91000")


def test_ids_are_uuids_of_contracts_and_digits_of_coins() -> None:
    box = Box()
    numbers = {
        product: str(getattr(box, product).place(box.one, an_order()).order_id)
        for product in ("spot", "linear")
    }
    assert numbers["spot"].isdecimal()
    assert [len(part) for part in numbers["linear"].split("-")] == [8, 4, 4, 4, 12]
    assert [row["orderId"] for row in box.items("order")] == list(numbers.values())
    found = [
        box.rows("order/realtime", category=name, symbol=SYMBOL, orderId=number)[0]["orderId"]
        for name, number in numbers.items()
    ]
    assert found == list(numbers.values())
