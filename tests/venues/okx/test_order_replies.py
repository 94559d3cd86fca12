"""What OKX's answers mean for order requests: each known one by hand, and nothing else."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderloom.claim import Verb
from orderloom.words import ReplyClass
from venues.okx.order_replies import judge
from venues.order_entry import Judgement

ACKED, REFUSED = ReplyClass.ACKED, ReplyClass.REFUSED
NOT_EXECUTED, NOT_FOUND = ReplyClass.NOT_EXECUTED, ReplyClass.NOT_FOUND
UNKNOWN, DUPLICATE_ID = ReplyClass.UNKNOWN, ReplyClass.DUPLICATE_ID
STATUSES = (200, 201, 400, 401, 403, 404, 408, 410, 429, 500, 502, 503, 504)

BAD_ITEM = (
    51000, 51001, 51003, 51010, 51014, 51015, 51021, 51022, 51024, 51027, 51155, 54092,
)  # fmt: skip
BAD_TERMS = (
    51008, 51127, 51131, 51502, 51004, 51101, 51102, 51103, 51104, 51105, 51106, 51107, 51174,
    51187, 51025, 54030, 54031, 51005, 51006, 51020, 51031, 51116, 51120, 51121, 51122, 51135,
    51136, 51137, 51138, 51150, 51201, 51202, 51203, 51112, 51169, 51170, 51205, 51206,
)  # fmt: skip
FROZEN = (50017, 50018, 50019, 50020, 50021, 50022, 50023)
OF_EVERY_VERB: dict[int, ReplyClass] = {
    0: ACKED,
    **dict.fromkeys(BAD_ITEM, REFUSED),
    **dict.fromkeys((50011, 50040, 51028, 51029, 51030), NOT_EXECUTED),
}
OF_TERMS: dict[int, ReplyClass] = {
    **dict.fromkeys(BAD_TERMS, REFUSED),
    **dict.fromkeys((50036, 50037, 50061, *FROZEN), NOT_EXECUTED),
}
ITEMS_BY_HAND: dict[Verb, dict[int, ReplyClass]] = {
    Verb.CANCEL: {
        **OF_EVERY_VERB,
        **dict.fromkeys((51063, 51400, 51401, 51402, 51405, 51603), NOT_FOUND),
        51416: REFUSED,
        54048: NOT_EXECUTED,
    },
    Verb.PLACE: {
        **OF_EVERY_VERB,
        **OF_TERMS,
        **dict.fromkeys((50042, 50071, 51011, 51016), DUPLICATE_ID),
        **dict.fromkeys((54036, 54084, 54085), REFUSED),
    },
    Verb.AMEND: {
        **OF_EVERY_VERB,
        **OF_TERMS,
        **dict.fromkeys((51063, 51503, 51509, 51510, 51603), NOT_FOUND),
        51511: REFUSED,
        **dict.fromkeys((51513, 54047), NOT_EXECUTED),
    },
}
KEYS = (
    50007, 50008, 50009, 50012, 50027, 50028, 50029, 50030, 50035, 50038, 50100, 50101, 50103,
    50104, 50105, 50106, 50107, 50108, 50109, 50110, 50111, 50113, 50114, 50119, 50120, 50121,
)  # fmt: skip
MALFORMED = (50002, 50006, 50014, 50015, 50016, 50024, 50025)
CANCELS_BY_HAND: dict[tuple[int, int], ReplyClass] = {
    **{(status, code): REFUSED for status in (200, 400, 401) for code in KEYS},
    **{(status, code): NOT_EXECUTED for status in (200, 400, 401) for code in (50102, 50112)},
    **{(status, code): REFUSED for status in (200, 400) for code in (*MALFORMED, *BAD_ITEM)},
    **{(status, code): NOT_EXECUTED for status in (200, 429) for code in (50011, 50040)},
}
CHANGES_BY_HAND: dict[tuple[int, int], ReplyClass] = {
    **CANCELS_BY_HAND,
    **{(status, 50061): NOT_EXECUTED for status in (200, 429)},
    **{(status, code): NOT_EXECUTED for status in (200, 400) for code in (50036, 50037)},
}
ANSWERS_BY_HAND = {
    Verb.CANCEL: CANCELS_BY_HAND,
    Verb.PLACE: CHANGES_BY_HAND,
    Verb.AMEND: CHANGES_BY_HAND,
}
EVERY_ITEM = sorted({code for known in ITEMS_BY_HAND.values() for code in known})
EVERY_CODE = (*range(1000), *range(49000, 65000))


def judged(
    status: int, document: Any, product: str = "linear", verb: Verb = Verb.CANCEL
) -> Judgement:
    return judge(verb, product, status, orjson.dumps(document))


def items(*codes: Any, code: Any = "1", **changes: Any) -> dict[str, Any]:
    """An answer of the shape that a cancel has, with an item for each code."""
    rows = [
        {"ordId": "2710000000000000001", "clOrdId": "desk1", "ts": "1793000000508", "sCode": one,
         "sMsg": "a text", "subCode": ""}
        for one in codes
    ]  # fmt: skip
    return {"code": code, "msg": "", "data": rows, "inTime": "1", "outTime": "2"} | changes


def refusal(code: Any) -> dict[str, Any]:
    return {"code": code, "msg": "a text", "data": []}


@pytest.mark.parametrize("verb", Verb)
def test_each_code_of_an_item_means_what_the_list_says_and_any_other_nothing(verb: Verb) -> None:
    for code in EVERY_CODE:
        reply = ITEMS_BY_HAND[verb].get(code, UNKNOWN)
        assert judged(200, items(str(code)), verb=verb) == Judgement(reply, str(code)), code


@pytest.mark.parametrize("verb", Verb)
def test_each_code_of_a_whole_answer_means_what_the_list_says_and_any_other_nothing(
    verb: Verb,
) -> None:
    by_hand = ANSWERS_BY_HAND[verb]
    known = {code for _, code in CHANGES_BY_HAND}
    for status in STATUSES:
        for code in known | {1, 2, 50001, 50004, 50013, 50026, 51054, 51149, 51400, 64007}:
            expected = Judgement(by_hand.get((status, code), UNKNOWN), str(code))
            assert judged(status, refusal(str(code)), verb=verb) == expected, (status, code)
    for code in set(EVERY_CODE) - known:
        assert judged(200, refusal(str(code)), verb=verb) == Judgement(UNKNOWN, str(code)), code


@given(
    verb=st.sampled_from(Verb),
    status=st.sampled_from(STATUSES) | st.integers(100, 599),
    code=st.sampled_from(["0", "1", "2", "50011", "50013"]) | st.integers(0, 65000).map(str),
    item=st.sampled_from(EVERY_ITEM).map(str) | st.integers(0, 65000).map(str),
    product=st.sampled_from(["spot", "linear", "inverse"]),
)
def test_an_item_is_unknown_unless_it_is_in_the_list_of_an_answer_that_has_items(
    verb: Verb, status: int, code: str, item: str, product: str
) -> None:
    reply = UNKNOWN
    if status == 200 and code in ("0", "1", "2"):
        reply = ITEMS_BY_HAND[verb].get(int(item), UNKNOWN)
    assert judged(status, items(item, code=code), product, verb) == Judgement(reply, item)


@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize(
    "answer",
    [
        refusal("0"),
        refusal("1"),
        {"code": "0", "msg": ""},
        {"code": 50011, "msg": ""},
        items("0", "0"),
        items("0", "51400"),
        items(0),
        items(None),
        items([]),
        items("0", code=None),
        items("0", code=["0"]),
        items("0", code=0),
        items("0", code="50013"),
        {"code": "0", "data": ["0"]},
        {"code": "0", "data": {"sCode": "0"}},
        {"code": "0", "data": "0"},
    ],
)
def test_an_answer_of_another_shape_is_unknown(verb: Verb, answer: dict[str, Any]) -> None:
    assert judged(200, answer, verb=verb).reply is UNKNOWN


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (429, refusal("50013")),
        (200, refusal("50013")),
        (200, items("50013")),
        (503, refusal("50001")),
        (400, refusal("50004")),
        (500, refusal("50026")),
        (500, refusal("51054")),
        (500, refusal("51149")),
        (200, items("51410")),
        (200, items("51412")),
        (200, items("51149")),
        (429, items("0", code="0")),
        (500, items("51400")),
        (429, {}),
    ],
)
def test_what_the_venue_says_without_being_sure_leaves_it_open(
    status: int, answer: dict[str, Any]
) -> None:
    for verb in Verb:
        assert judged(status, answer, verb=verb).reply is UNKNOWN
