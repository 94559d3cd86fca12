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
UNKNOWN, DUPLICATE_ID = ReplyClass.UNKNOWN, ReplyClass.DUPLICATE_ID
BOTH = ("spot", "linear")
GONE = "Unknown order sent."
RESTRICTED = "Order was not canceled due to cancel restrictions."
OVERLOADED = "Request throttled by system-level protection. Please try again."
STATUSES = (200, 201, 400, 401, 403, 404, 408, 409, 418, 429, 500, 502, 503, 504)

Known = dict[tuple[int, int, str], tuple[tuple[str, ...], ReplyClass]]
LINEAR = ("linear",)
KEYS = (-1002, -1022, -2014, -2015, -2017)
OF_EVERY_VERB: Known = {
    **{(400, code, "*"): (BOTH, REFUSED) for code in KEYS},
    **{(401, code, "*"): (BOTH, REFUSED) for code in KEYS},
    **{(400, code, "*"): (BOTH, REFUSED) for code in range(-1124, -1101)},
    **{(400, code, "*"): (BOTH, REFUSED) for code in range(-1130, -1125)},
    (400, -1021, "*"): (BOTH, NOT_EXECUTED),
    (429, -1003, "*"): (BOTH, NOT_EXECUTED),
    (418, -1003, "*"): (BOTH, NOT_EXECUTED),
    (503, -1000, "Service Unavailable."): (LINEAR, NOT_EXECUTED),
    (503, -1008, OVERLOADED): (LINEAR, NOT_EXECUTED),
}
LINEAR_TERMS = (
    -4001, -4002, -4003, -4004, -4005, -4006, -4007, -4008, -4009, -4010, -4011, -4012, -4013,
    -4014, -4015, -4016, -4017, -4018, -4019, -4020, -4021, -4022, -4023, -4024, -4061, -4062,
    -4087, -4088, -4105, -4106, -4107, -4118, -4131, -4164, -4189, -4400, -4401, -4531, -2018,
    -2019, -2020, -2022, -2023, -2024, -2025, -2026, -2027, -2028,
)  # fmt: skip
OF_TERMS: Known = {
    (400, -1013, "*"): (BOTH, REFUSED),
    (429, -1015, "*"): (BOTH, NOT_EXECUTED),
    (400, -5028, "*"): (LINEAR, NOT_EXECUTED),
    **{(400, code, "*"): (LINEAR, REFUSED) for code in LINEAR_TERMS},
}
POOR = "Account has insufficient balance for requested action."
TAKES = "Order would immediately match and take."
CLOSED = "Market is closed."
TAKEN = "Duplicate order sent."
BY_HAND: dict[Verb, Known] = {
    Verb.CANCEL: {
        **OF_EVERY_VERB,
        (400, -2011, GONE): (BOTH, NOT_FOUND),
        (400, -2011, RESTRICTED): (("spot",), REFUSED),
        (400, -2013, "*"): (BOTH, NOT_FOUND),
        (400, -2039, "*"): (("spot",), NOT_FOUND),
    },
    Verb.PLACE: {
        **OF_EVERY_VERB,
        **OF_TERMS,
        **{(400, -2010, text): (BOTH, REFUSED) for text in (POOR, TAKES, CLOSED)},
        **{(400, -1010, text): (BOTH, REFUSED) for text in (POOR, TAKES, CLOSED)},
        (400, -2010, TAKEN): (BOTH, DUPLICATE_ID),
        (400, -1010, TAKEN): (BOTH, DUPLICATE_ID),
        (400, -4116, "*"): (LINEAR, DUPLICATE_ID),
        (400, -2016, "*"): (BOTH, REFUSED),
        **{(400, code, "*"): (LINEAR, REFUSED) for code in (-4120, -5021, -5022, -5041)},
    },
    Verb.AMEND: {
        **OF_EVERY_VERB,
        **OF_TERMS,
        (400, -2013, "*"): (BOTH, NOT_FOUND),
        (400, -2039, "*"): (("spot",), NOT_FOUND),
        (400, -2038, "*"): (("spot",), REFUSED),
        **{(400, code, "*"): (LINEAR, REFUSED) for code in (-5024, -5025, -5026, -5027, -5047)},
        (400, -5043, "*"): (LINEAR, NOT_EXECUTED),
    },
}
EVERY_CODE = sorted({code for known in BY_HAND.values() for _, code, _ in known})
TEXTS = (
    "",
    "anything",
    GONE,
    RESTRICTED,
    OVERLOADED,
    "Service Unavailable.",
    POOR,
    TAKES,
    CLOSED,
    TAKEN,
)


def judged(
    status: int, document: Any, product: str = "spot", verb: Verb = Verb.CANCEL
) -> Judgement:
    return judge(verb, product, status, orjson.dumps(document))


def refusal(code: Any, text: Any = "a text") -> dict[str, Any]:
    return {"code": code, "msg": text}


def expected(verb: Verb, answer: tuple[int, int, str], product: str) -> ReplyClass:
    status, code, text = answer
    for key in ((status, code, text), (status, code, "*")):
        products, reply = BY_HAND[verb].get(key, ((), UNKNOWN))
        if product in products:
            return reply
    return UNKNOWN


@pytest.mark.parametrize("product", BOTH)
@pytest.mark.parametrize("verb", Verb)
def test_each_refusal_means_what_the_list_says_and_any_other_nothing(
    verb: Verb, product: str
) -> None:
    for status in STATUSES:
        for code in EVERY_CODE:
            for text in TEXTS:
                reply = expected(verb, (status, code, text), product)
                got = judged(status, refusal(code, text), product, verb)
                assert got == Judgement(reply, str(code)), (status, code, text)
    for code in set(range(-6000, 300)) - set(EVERY_CODE):
        for text in ("a text", GONE, TAKEN):
            got = judged(400, refusal(code, text), product, verb)
            assert got == Judgement(UNKNOWN, str(code)), (code, text)


@given(
    verb=st.sampled_from(Verb),
    status=st.sampled_from(STATUSES) | st.integers(100, 599),
    code=st.sampled_from(EVERY_CODE) | st.integers(-6000, 300),
    text=st.sampled_from(TEXTS) | st.text(max_size=20),
    product=st.sampled_from(BOTH),
)
def test_a_refusal_is_unknown_unless_it_is_in_the_list(
    verb: Verb, status: int, code: int, text: str, product: str
) -> None:
    reply = expected(verb, (status, code, text.strip()), product)
    assert judged(status, refusal(code, text), product, verb).reply is reply


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


PLACED = {
    "symbol": "SOLUSDT", "orderId": 7700123, "orderListId": -1, "clientOrderId": "osp-17",
    "transactTime": 1793000001004,
}  # fmt: skip
LINEAR_PLACED = LINEAR_CANCEL | {"status": "NEW"}
SPOT_AMENDED = {"transactTime": 1793000001004, "executionId": 15501133, "amendedOrder": PLACED}
ACKS = (
    (Verb.CANCEL, "spot", SPOT_CANCEL),
    (Verb.CANCEL, "linear", LINEAR_CANCEL),
    (Verb.PLACE, "spot", PLACED),
    (Verb.PLACE, "linear", LINEAR_PLACED),
    (Verb.AMEND, "spot", SPOT_AMENDED),
    (Verb.AMEND, "linear", LINEAR_PLACED),
)


@pytest.mark.parametrize(("verb", "product", "answer"), ACKS)
def test_what_was_taken_is_acked_with_status_200_alone(
    verb: Verb, product: str, answer: dict[str, Any]
) -> None:
    for status in STATUSES:
        reply = ACKED if status == 200 else UNKNOWN
        assert judged(status, answer, product, verb) == Judgement(reply)
    for other in ({}, {"code": -2011}, {"msg": "a text"}):
        assert judged(200, other, product, verb).reply is UNKNOWN


@pytest.mark.parametrize("wrong", [None, "", 0, -1, [7], True, {"a": 1}])
def test_an_answer_that_names_no_order_is_unknown(wrong: Any) -> None:
    for name in ("orderId", "symbol"):
        assert judged(200, PLACED | {name: wrong}, "spot", Verb.PLACE).reply is UNKNOWN
        for verb in (Verb.PLACE, Verb.AMEND):
            assert judged(200, LINEAR_PLACED | {name: wrong}, "linear", verb).reply is UNKNOWN
        amended = SPOT_AMENDED | {"amendedOrder": PLACED | {name: wrong}}
        assert judged(200, amended, "spot", Verb.AMEND).reply is UNKNOWN
    for name in ("executionId", "amendedOrder"):
        assert judged(200, SPOT_AMENDED | {name: wrong}, "spot", Verb.AMEND).reply is UNKNOWN


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
