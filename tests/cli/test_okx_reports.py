"""Shapes that public bug reports about OKX showed, and what they must fold to, however they come.

Each file of `okx_reports/` is the input of one, in the order in which it was reported.
"""

from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from tests.cli.test_okx import folded, normalized

REPORTS = Path(__file__).parent / "okx_reports"
Lines = list[bytes]


def lines_of(number: str) -> Lines:
    """The messages of one report."""
    (path,) = REPORTS.glob(f"{number}-*.jsonl")
    return path.read_bytes().splitlines(keepends=True)


def changed(line: bytes, **fields: Any) -> bytes:
    """A message with other fields in its first row."""
    document = orjson.loads(line)
    document["raw"]["data"][0].update(fields)
    return orjson.dumps(document) + b"\n"


def in_any_order(lines: Lines, seeds: int = 30) -> dict[str, dict[str, Any]]:
    """The orders by the end of their key; arrival and repetition must do nothing."""
    orders, digest = folded(*lines)
    for seed in range(seeds):
        random = Random(seed)
        repeated = lines + random.choices(lines, k=2)
        assert folded(*random.sample(repeated, len(repeated))) == (orders, digest), seed
    return {order["order_key"].rpartition("/")[2]: order for order in orders}


# ---- 38: one conditional order became two


@pytest.mark.parametrize("number", ["38b", "38d"])
def test_row_38_a_split_order_of_which_one_part_rests_is_open_with_that_part(number: str) -> None:
    (order,) = in_any_order(lines_of(number)).values()
    assert (order["status"], order["disputed"]) == ("PARTIALLY_FILLED", False)
    assert (order["quantity"], order["filled_quantity"]) == ("10", "4")
    assert order["venue_order_id"] == "2710000000003800011"
    assert (order["trigger_price"], order["trigger_type"]) == ("60000", "LAST")


def test_row_38_a_part_that_is_not_known_yet_keeps_the_order_open() -> None:
    waiting, _, second, sold = lines_of("38b")
    (order,) = in_any_order([waiting, second, sold]).values()
    assert (order["status"], order["quantity"]) == ("PARTIALLY_FILLED", "10")
    assert order["venue_order_id"] == "2710000000003800001"  # where the other part is asked for


def test_row_38_the_order_ends_when_each_part_has_ended() -> None:
    waiting, rests, second, sold = lines_of("38b")
    ended = changed(rests, state="canceled", cancelSource="1", uTime="1793000009000")
    (order,) = in_any_order([waiting, rests, second, sold, ended]).values()
    assert (order["status"], order["reason"]) == ("CANCELED", "USER_CANCEL")
    assert (order["quantity"], order["filled_quantity"]) == ("10", "4")
    filled = changed(rests, state="filled", accFillSz="6", avgPx="60000", uTime="1793000009000")
    (order,) = in_any_order([waiting, rests, second, sold, filled]).values()
    assert (order["status"], order["filled_quantity"]) == ("FILLED", "10")


def test_row_38_a_trigger_that_names_its_only_order_waits_for_no_other() -> None:
    waiting, _, second, sold = lines_of("38b")
    part = "2710000000003800012"
    alone = changed(
        waiting, state="effective", ordId=part, ordIdList=[part], actualSz="4",
        triggerTime="1793000005000", uTime="1793000005001",
    )  # fmt: skip
    (order,) = in_any_order([waiting, second, sold, alone]).values()
    assert (order["status"], order["quantity"]) == ("FILLED", "4")


def test_row_38_a_trigger_that_names_several_orders_keeps_each() -> None:
    waiting, _, second, sold = lines_of("38b")
    both = changed(
        waiting, state="effective", ordId="2710000000003800012", actualSz="10",
        ordIdList=["2710000000003800011", "2710000000003800012"],
        triggerTime="1793000005000", uTime="1793000005001",
    )  # fmt: skip
    (order,) = in_any_order([waiting, second, sold, both]).values()
    assert (order["status"], order["quantity"]) == ("PARTIALLY_FILLED", "10")
    assert order["venue_order_id"] == "2710000000003800011"


def test_row_38_what_fails_of_a_split_order_is_waited_for_no_longer() -> None:
    waiting, _, second, sold = lines_of("38b")
    failed = changed(
        waiting, state="partially_failed", ordId="2710000000003800012", failCode="51008",
        ordIdList=["2710000000003800012"], triggerTime="1793000005000", uTime="1793000005001",
    )  # fmt: skip
    (order,) = in_any_order([waiting, second, sold, failed]).values()
    assert (order["status"], order["filled_quantity"]) == ("FILLED", "4")


# ---- 39: the same message again, with a later time


def test_row_39_a_copy_with_a_later_time_changes_nothing() -> None:
    orders = in_any_order(lines_of("39"))
    du1, du2, du3 = (orders[f"271000000000390000{number}"] for number in (1, 2, 3))
    assert (du1["status"], du1["disputed"]) == ("CANCELED", False)
    assert (du2["status"], du2["quantity"]) == ("PARTIALLY_FILLED", "4")
    assert (du3["status"], du3["quantity"]) == ("ACTIVE", "5")
    (answered,) = normalized(lines_of("39")[14])
    assert answered["events"][0]["price"] == "60500"


@pytest.mark.parametrize("number", range(1, 16))
def test_row_39_a_copy_of_any_message_changes_nothing(number: int) -> None:
    lines = lines_of("39")
    expected = folded(*lines)
    line = lines[number - 1]
    if orjson.loads(line).get("source") == "rest":
        return  # the manual's duplicates are of the stream
    copy = changed(line, uTime="1793000000999")
    assert folded(*lines, copy) == expected
    assert folded(copy, *lines) == expected


def test_row_39_a_copy_of_a_change_from_the_web_page_is_known_by_its_content() -> None:
    lines = [changed(line, reqId="") for line in lines_of("39")[10:14]]
    (order,) = in_any_order(lines).values()
    assert (order["quantity"], order["disputed"]) == ("5", False)
    ended = changed(lines[0], state="canceled", cancelSource="1", uTime="1793000000030")
    (order,) = in_any_order([*lines, ended]).values()
    assert (order["status"], order["disputed"]) == ("CANCELED", False)


def test_row_39_a_third_change_back_to_older_terms_is_no_copy() -> None:
    *_, new, first, second, _, _ = lines_of("39")
    back = changed(first, reqId="z3", uTime="1793000000050")
    (order,) = in_any_order([new, first, second, back]).values()
    assert order["quantity"] == "8"


def test_row_39_two_changes_with_one_id_are_two() -> None:
    *_, new, first, _, _, _ = lines_of("39")
    other = changed(first, px="60700", sz="6", uTime="1793000000050")
    (order,) = in_any_order([new, first, other]).values()
    assert order["quantity"] == "6"


# ---- 43, 51, and refusals


def test_row_43_the_owners_name_is_found_after_the_venue_named_the_order() -> None:
    (order,) = in_any_order(lines_of("43")).values()
    assert order["client_order_ids"] == ["stopA1", "e8gen0001"]
    assert (order["client_order_id"], order["reduce_only"]) == ("e8gen0001", True)
    (alone,) = in_any_order(lines_of("43")[1:]).values()
    assert alone["client_order_ids"] == ["stopA1", "e8gen0001"]


def test_row_51_no_user_canceled_the_half_that_the_venue_canceled() -> None:
    orders = in_any_order(lines_of("51"))
    gain, loss = orders["2710000000005100001"], orders["2710000000005100002"]
    assert (gain["status"], gain["filled_quantity"]) == ("FILLED", "2")
    assert (loss["status"], loss["reason"], loss["disputed"]) == ("CANCELED", None, False)
    assert loss["trigger_price"] == "59000"


@pytest.mark.parametrize(
    ("code", "reason"), [("51119", "INSUFFICIENT_BALANCE"), ("59999", "REFUSED")]
)
def test_an_item_with_another_code_than_0_was_refused(code: str, reason: str) -> None:
    item = {"clOrdId": "mine01", "ordId": "", "sCode": code, "sMsg": "no funds", "tag": ""}
    answer = {"code": "1", "msg": "", "data": [item]}
    (said,) = normalized(orjson.dumps({"source": "rest", "product": "spot", "raw": answer}))
    (event,) = said["events"]
    assert (event["type"], event["accepted"], event["reason"]) == ("reply", False, reason)


def test_a_whole_answer_with_a_code_of_tomorrow_says_nothing_definite() -> None:
    answer = {"code": "59999", "msg": "?", "data": []}
    (said,) = normalized(orjson.dumps({"source": "rest", "product": "spot", "raw": answer}))
    assert said["events"][0]["reason"] == "UNKNOWN_STATE"


def test_every_permutation_of_a_split_order_folds_the_same() -> None:
    lines = lines_of("38b")
    expected = folded(*lines)
    assert all(folded(*arrival) == expected for arrival in permutations(lines))
