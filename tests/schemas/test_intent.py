"""Intents and commands: what is read was written so, and all else is refused with its reason."""

from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderloom.claim import Command, Verb
from orderloom.command import BadCommand, CancelCommand, read_command
from orderloom.intent import BadIntent, Cancel, CancelAll, Intent, Submit, read_intent
from orderloom.words import OrderType, Product, Side, TimeInForce

ACCOUNT = "binance:main"
CANCEL = Cancel(account=ACCOUNT, strategy="quoter", key="k1", order=f"{ACCOUNT}/spot/BTCUSDT/1")
ALL = CancelAll(account=ACCOUNT, strategy="s", key="k2", product=Product.LINEAR, symbol="BTCUSDT")
COMMAND = CancelCommand(
    command=Command(
        id="c1", verb=Verb.CANCEL, account=ACCOUNT, strategy="s", product="spot", symbol="BTCUSDT",
        seen=0, send_by_ns=5,
    ),
    intent=7,
    order=f"{ACCOUNT}/spot/BTCUSDT/1",
    venue_order_id="1",
)  # fmt: skip


SUBMIT = Submit(
    account=ACCOUNT, strategy="s", key="k3", product=Product.SPOT, symbol="BTCUSDT", side=Side.BUY,
    order_type=OrderType.LIMIT, quantity=Decimal("1.50"), price=Decimal(100),
    time_in_force=TimeInForce.GTC,
)  # fmt: skip
INTENTS = [CANCEL, ALL, CancelAll(account=ACCOUNT, strategy="s", key="k"), SUBMIT]


@pytest.mark.parametrize("intent", INTENTS)
def test_an_intent_is_read_as_it_was_written(intent: Intent) -> None:
    assert read_intent(ACCOUNT.encode(), intent.encoded()) == intent


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"type": "SUBMIT"}, "SUBMIT"),
        ({"type": "MODIFY"}, "type"),
        ({"type": None}, "type"),
        ({"v": 2}, "v"),
        ({"strategy": "a/b"}, "strategy"),
        ({"key": ""}, "key"),
        ({"key": "x" * 65}, "key"),
        ({"key": "a\n"}, "key"),
        ({"order": ""}, "order"),
        ({"order": "x" * 513}, "order"),
        ({"within_ms": 0}, "within_ms"),
        ({"within_ms": 600_001}, "within_ms"),
        ({"withinms": 5}, "withinms"),
        ({"account": "binance:other"}, "its key"),
    ],
)
def test_what_is_no_intent_is_refused_with_its_reason(change: dict[str, Any], why: str) -> None:
    document = orjson.loads(CANCEL.encoded()) | change
    with pytest.raises(BadIntent, match=why):
        read_intent(ACCOUNT.encode(), orjson.dumps(document))


def test_a_symbol_is_of_a_product() -> None:
    lacking = CancelAll(account=ACCOUNT, strategy="s", key="k", symbol="BTCUSDT")
    with pytest.raises(BadIntent, match="without its product"):
        read_intent(ACCOUNT.encode(), lacking.encoded())


@given(st.one_of(st.none(), st.binary(max_size=60)), st.one_of(st.none(), st.binary(max_size=200)))
def test_garbage_is_refused_and_nothing_else_raised(key: bytes | None, value: bytes | None) -> None:
    with pytest.raises(BadIntent):
        read_intent(key, value)
    with pytest.raises(BadCommand):
        read_command(key, value)


def test_the_same_wish_has_the_same_fingerprint_and_another_has_another() -> None:
    same = Cancel.model_validate_json(CANCEL.encoded())
    assert same.fingerprint == CANCEL.fingerprint
    assert CANCEL.model_copy(update={"order": "x"}).fingerprint != CANCEL.fingerprint
    assert CANCEL.model_copy(update={"within_ms": 5}).fingerprint != CANCEL.fingerprint


def test_one_amount_is_one_wish_however_it_is_written() -> None:
    twin = SUBMIT.model_validate(SUBMIT.model_dump() | {"quantity": "1.5", "price": "1E+2"})
    assert twin.fingerprint == SUBMIT.fingerprint


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity", "1e99", "x", True])
def test_an_amount_is_above_zero_and_within_bounds(amount: object) -> None:
    document = orjson.loads(SUBMIT.encoded()) | {"quantity": amount}
    with pytest.raises(BadIntent, match="quantity"):
        read_intent(ACCOUNT.encode(), orjson.dumps(document))


def test_a_command_is_read_as_it_was_written() -> None:
    assert read_command(ACCOUNT.encode(), COMMAND.encoded()) == COMMAND


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"v": 2}, "v"),
        ({"venue_order_id": None}, "names no order"),
        ({"command": COMMAND.command.model_copy(update={"verb": Verb.PLACE})}, "verb is PLACE"),
        ({"command": COMMAND.command.model_copy(update={"account": "okx:a"})}, "its key"),
    ],
)
def test_what_is_no_command_is_refused_with_its_reason(change: dict[str, Any], why: str) -> None:
    value = COMMAND.model_copy(update=change).encoded()
    with pytest.raises(BadCommand, match=why):
        read_command(ACCOUNT.encode(), value)
