"""What Binance's answers mean for order requests: each known one by hand, and nothing else."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderloom.claim import Verb
from orderloom.words import ReplyClass
from venues.binance.order_replies import judge
from venues.order_entry import Judgement

ACKED, REFUSED = ReplyClass.ACKED, ReplyClass.REFUSED
NOT_EXECUTED, NOT_FOUND = ReplyClass.NOT_EXECUTED, ReplyClass.NOT_FOUND
UNKNOWN = ReplyClass.UNKNOWN
BOTH = ("spot", "linear")
GONE = "Unknown order sent."
RESTRICTED = "Order was not canceled due to cancel restrictions."
OVERLOADED = "Request throttled by system-level protection. Please try again."
STATUSES = (200, 201, 400, 401, 403, 404, 408, 409, 418, 429, 500, 502, 503, 504)

BY_HAND: dict[tuple[int, int, str], tuple[tuple[str, ...], ReplyClass]] = {
    **{(400, code, "*"): (BOTH, REFUSED) for code in (-1002, -1022, -2014, -2015, -2017)},
    **{(401, code, "*"): (BOTH, REFUSED) for code in (-1002, -1022, -2014, -2015, -2017)},
    **{(400, code, "*"): (BOTH, REFUSED) for code in range(-1124, -1101)},
    **{(400, code, "*"): (BOTH, REFUSED) for code in range(-1130, -1125)},
    (400, -1021, "*"): (BOTH, NOT_EXECUTED),
    (429, -1003, "*"): (BOTH, NOT_EXECUTED),
    (418, -1003, "*"): (BOTH, NOT_EXECUTED),
    (503, -1000, "Service Unavailable."): (("linear",), NOT_EXECUTED),
    (503, -1008, OVERLOADED): (("linear",), NOT_EXECUTED),
    (400, -2011, GONE): (BOTH, NOT_FOUND),
    (400, -2011, RESTRICTED): (("spot",), REFUSED),
    (400, -2013, "*"): (BOTH, NOT_FOUND),
    (400, -2039, "*"): (("spot",), NOT_FOUND),
}
TEXTS = ("", "anything", GONE, RESTRICTED, OVERLOADED, "Service Unavailable.", "Order is archived.")


def judged(
    status: int, document: Any, product: str = "spot", verb: Verb = Verb.CANCEL
) -> Judgement:
    return judge(verb, product, status, orjson.dumps(document))


def refusal(code: Any, text: Any = "a text") -> dict[str, Any]:
    return {"code": code, "msg": text}


def expected(status: int, code: int, text: str, product: str) -> ReplyClass:
    for key in ((status, code, text), (status, code, "*")):
        products, reply = BY_HAND.get(key, ((), UNKNOWN))
        if product in products:
            return reply
    return UNKNOWN


@pytest.mark.parametrize("product", BOTH)
def test_each_refusal_of_a_cancel_means_what_the_list_says_and_any_other_nothing(
    product: str,
) -> None:
    known = {code for _, code, _ in BY_HAND}
    for status in STATUSES:
        for code in known:
            for text in TEXTS:
                reply = expected(status, code, text, product)
                got = judged(status, refusal(code, text), product)
                assert got == Judgement(reply, str(code)), (status, code, text)
    for code in set(range(-6000, 300)) - known:
        for text in ("a text", GONE):
            got = judged(400, refusal(code, text), product)
            assert got == Judgement(UNKNOWN, str(code)), (code, text)


@given(
    status=st.sampled_from(STATUSES) | st.integers(100, 599),
    code=st.sampled_from(sorted({code for _, code, _ in BY_HAND})) | st.integers(-6000, 300),
    text=st.sampled_from(TEXTS) | st.text(max_size=20),
    product=st.sampled_from(BOTH),
)
def test_a_cancels_refusal_is_unknown_unless_it_is_in_the_list(
    status: int, code: int, text: str, product: str
) -> None:
    reply = expected(status, code, text.strip(), product)
    if "system-level protection" in text:
        reply = expected(status, code, OVERLOADED, product)
    assert judged(status, refusal(code, text), product).reply is reply


@pytest.mark.parametrize("code", ["-2011", -2011.0, None, True, [-2011], {"a": 1}, "-1121"])
def test_a_code_of_another_type_is_no_code(code: Any) -> None:
    assert judged(400, refusal(code, GONE)).reply is UNKNOWN


@pytest.mark.parametrize("text", [None, 7, [GONE], {"a": GONE}])
def test_a_refusal_without_its_text_is_unknown(text: Any) -> None:
    assert judged(400, refusal(-2011, text)).reply is UNKNOWN
    assert judged(400, {"code": -2011}).reply is UNKNOWN


SPOT_CANCEL = {
    "symbol": "SOLUSDT", "origClientOrderId": "osp-17", "orderId": 7700123, "orderListId": -1,
    "clientOrderId": "osp-17", "transactTime": 1793000005009, "price": "150.00",
    "origQty": "4.000", "executedQty": "1.500", "status": "CANCELED",
}  # fmt: skip
LINEAR_CANCEL = {
    "clientOrderId": "osp-f-31", "cumQty": "0", "executedQty": "0", "orderId": 551200341,
    "symbol": "BTCUSDT", "status": "CANCELED", "updateTime": 1793000011005,
}  # fmt: skip
ALGO_CANCEL = {"algoId": 2200441, "clientAlgoId": "sl-31", "code": "200", "msg": "success"}


def test_a_cancel_that_was_taken_is_acked() -> None:
    assert judged(200, SPOT_CANCEL) == Judgement(ACKED)
    assert judged(200, LINEAR_CANCEL, "linear") == Judgement(ACKED)
    assert judged(200, ALGO_CANCEL, "linear") == Judgement(ACKED, "200")


@pytest.mark.parametrize(
    ("product", "answer", "changed"),
    [
        ("spot", SPOT_CANCEL, {"status": "NEW"}),
        ("spot", SPOT_CANCEL, {"status": None}),
        ("spot", SPOT_CANCEL, {"orderId": None}),
        ("spot", SPOT_CANCEL, {"orderId": -1}),
        ("spot", SPOT_CANCEL, {"orderId": "7700123x"}),
        ("spot", SPOT_CANCEL, {"code": -2011}),
        ("spot", ALGO_CANCEL, {}),
        ("linear", LINEAR_CANCEL, {"status": "PARTIALLY_FILLED"}),
        ("linear", LINEAR_CANCEL, {"code": 200}),
        ("linear", ALGO_CANCEL, {"code": 200}),
        ("linear", ALGO_CANCEL, {"code": "400"}),
        ("linear", ALGO_CANCEL, {"algoId": None}),
        ("option", SPOT_CANCEL, {}),
    ],
)
def test_a_good_status_with_another_body_is_unknown(
    product: str, answer: dict[str, Any], changed: dict[str, Any]
) -> None:
    assert judged(200, answer | changed, product).reply is UNKNOWN


@pytest.mark.parametrize("status", [status for status in STATUSES if status != 200])
def test_a_cancel_with_another_status_is_not_acked(status: int) -> None:
    for product, answer in (("spot", SPOT_CANCEL), ("linear", LINEAR_CANCEL)):
        assert judged(status, answer, product) == Judgement(UNKNOWN)
    assert judged(status, ALGO_CANCEL, "linear").reply is UNKNOWN


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (503, -1008, "Server is currently overloaded with other requests."),
        (503, -1008, OVERLOADED),
        (429, -1008, OVERLOADED),
        (503, -1000, "Service Unavailable."),
        (503, -1000, "Unknown error, please check your request or try again later."),
        (500, -1001, "Internal error; unable to process your request. Please try again."),
        (400, -1006, "An unexpected response was received from the message bus."),
        (504, -1007, "Timeout waiting for response from backend server."),
        (409, -2021, "Order cancel-replace partially failed."),
        (400, -2022, "Order cancel-replace failed."),
        (503, -1016, "This service is no longer available."),
        (403, -1003, "Too many requests."),
        (400, -2011, "The market maker is busy."),
    ],
)
def test_what_spot_says_without_being_sure_leaves_a_cancel_open(
    status: int, code: int, text: str
) -> None:
    assert judged(status, refusal(code, text)) == Judgement(UNKNOWN, str(code))


def test_the_third_text_of_usd_ms_503_leaves_it_open() -> None:
    text = "Unknown error, please check your request or try again later."
    for code in (-1000, -1001, -1008):
        assert judged(503, refusal(code, text), "linear").reply is UNKNOWN
    assert judged(500, refusal(-1008, OVERLOADED), "linear").reply is UNKNOWN
