"""Documents and their readers: exact, bounded, and never silent."""

import zlib
from decimal import Decimal

import pytest

from venues import document
from venues.document import (
    DEPTH_MAX,
    FRAME_BYTES_MAX,
    MILLISECONDS_MAX,
    amount,
    blank_decimal,
    choice,
    decimal,
    flag,
    identifier,
    inflated,
    integer,
    lenient_choice,
    needed_amount,
    needed_decimal,
    note_unknown,
    parse,
    text,
    time_ns,
)
from venues.venue import BadFrame


def test_numbers_keep_the_digits_that_the_venue_wrote() -> None:
    parsed = parse(b'{"a":1.50,"b":12345678901234567890123,"c":0.1,"d":1e2,"e":-0}')
    assert str(parsed["a"]) == "1.50"
    assert parsed["b"] == 12345678901234567890123
    assert parsed["c"] == Decimal("0.1")
    assert parsed["d"] == Decimal("1E+2")
    assert parsed["e"] == 0


def test_no_float_is_ever_made() -> None:
    parsed = parse(b"[1.5, 1e5, 18446744073709551616, 0.1]")
    assert not [value for value in parsed if isinstance(value, float)]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"pong", b"{", b'{"a":', b"{'a':1}", b'{"a":NaN}', b"[1,]", b'{"a":1}{', b"\xff",
        b'"\xff"', b'"\\ud800"', b"\xef\xbb\xbf{}", b'{"a":1e999999999999999999999}',
        b"9" * 5000, b"\x00", '{"a":1}'.encode("utf-16"),
    ],
)  # fmt: skip
def test_what_is_no_json_is_a_bad_frame_with_a_reason(body: bytes) -> None:
    with pytest.raises(BadFrame) as raised:
        parse(body)
    assert raised.value.args[0]


def test_nesting_is_bounded_whatever_stands_around_it() -> None:
    assert parse(b"[" * DEPTH_MAX + b"]" * DEPTH_MAX)
    for depth in (DEPTH_MAX + 1, 5_000, 1_000_000):
        with pytest.raises(BadFrame, match="deeper"):
            parse(b"[" * depth + b"]" * depth)
        with pytest.raises(BadFrame, match="deeper"):
            parse(b'{"rows":' * depth + b"1" + b"}" * depth)


def test_a_wide_document_is_not_a_deep_one() -> None:
    assert len(parse(b"[" + b"{}," * 100_000 + b"[]]")) == 100_001


def test_size_is_bounded() -> None:
    body = b'"' + b"x" * FRAME_BYTES_MAX + b'"'
    with pytest.raises(BadFrame, match="bytes"):
        parse(body)
    assert len(parse(body[:-3] + b'"')) == FRAME_BYTES_MAX - 2


@pytest.mark.parametrize(
    ("value", "number"),
    [("1.50", "1.50"), ("-0.001", "-0.001"), (7, "7"), (Decimal("0.1"), "0.1"), ("1e3", "1E+3")],
)
def test_a_decimal_may_be_written_in_several_ways(value: object, number: str) -> None:
    assert decimal({"a": value}, "a") == Decimal(number)


@pytest.mark.parametrize(
    "value",
    ["", " 1", "1_0", "NaN", "Infinity", "٣", "1,5", "0x1", "9" * 41, "1e31", True, [], {}, 1.5],
)
def test_what_is_no_decimal_names_its_field(value: object) -> None:
    with pytest.raises(BadFrame, match="price"):
        decimal({"price": value}, "price")


def test_an_absent_field_says_nothing_unless_it_is_needed() -> None:
    assert decimal({}, "a") is None
    assert decimal({"a": None}, "a") is None
    assert blank_decimal({"a": ""}, "a") is None
    assert text({"a": ""}, "a") is None
    assert integer({}, "a") is None
    assert flag({}, "a") is None
    with pytest.raises(BadFrame, match="a: missing"):
        needed_decimal({}, "a")


@pytest.mark.parametrize("value", [True, "7", 2**63, Decimal("7.0"), [7]])
def test_an_integer_is_an_integer(value: object) -> None:
    with pytest.raises(BadFrame, match="i:"):
        integer({"i": value}, "i")


@pytest.mark.parametrize("value", [-1, True, "-1", "abc", "1" * 20, 2**64, Decimal(7), "٣"])
def test_an_id_is_digits(value: object) -> None:
    with pytest.raises(BadFrame, match="i:"):
        identifier({"i": value}, "i")
    assert identifier({"i": 7}, "i") == identifier({"i": "7"}, "i") == "7"


@pytest.mark.parametrize("value", [1, "true", [], "x" * 257])
def test_flags_and_texts_are_what_they_are(value: object) -> None:
    with pytest.raises(BadFrame, match="m:"):
        flag({"m": value}, "m")
    if value != "true":
        with pytest.raises(BadFrame, match="m:"):
            text({"m": value}, "m")


def test_a_new_word_is_refused_or_counted() -> None:
    words = {"BUY": 1, "NONE": None}
    unknown: list[str] = []
    assert choice({"S": "BUY"}, "S", words) == 1
    with pytest.raises(BadFrame, match="S:"):
        choice({"S": "HOLD"}, "S", words)
    with pytest.raises(BadFrame, match="S:"):
        choice({"S": []}, "S", words)
    assert lenient_choice({"S": "NONE"}, "S", words, unknown) is None
    assert unknown == []
    assert lenient_choice({"S": "HOLD"}, "S", words, unknown) is None
    assert unknown == ["S=HOLD"]
    with pytest.raises(BadFrame, match="S:"):
        lenient_choice({"S": 5}, "S", words, unknown)


def test_unknown_fields_are_noted_by_name() -> None:
    unknown: list[str] = []
    note_unknown({"a": 1, "b": 2}, document.names_in("a c"), unknown)
    assert unknown == ["field b"]


def test_a_bare_word_of_the_venue_is_itself_and_everything_else_is_parsed() -> None:
    words = frozenset({b"pong"})
    assert document.read(b"pong", words) == "pong"
    assert document.read(b"[1]", words) == [1]
    for body in (b"pong ", b"ping"):
        with pytest.raises(BadFrame):
            document.read(body, words)


def test_an_amount_is_blank_or_not_below_zero_and_a_needed_one_is_there() -> None:
    assert amount({"q": "0.10"}, "q") == Decimal("0.1")
    assert (amount({"q": ""}, "q"), amount({}, "q")) == (None, None)
    assert needed_amount({"q": "0"}, "q") == 0
    for document_, read in (({"q": "-1"}, amount), ({"q": ""}, needed_amount), ({}, needed_amount)):
        with pytest.raises(BadFrame):
            read(document_, "q")


@pytest.mark.parametrize("value", [1793000000508, "1793000000508"])
def test_a_time_in_milliseconds_is_a_number_or_its_text(value: object) -> None:
    assert time_ns({"t": value}, "t") == 1_793_000_000_508_000_000


def test_a_time_that_is_none_or_none_at_all_is_told_from_nonsense() -> None:
    assert [time_ns({"t": value}, "t") for value in (None, "", 0, "0")] == [None] * 4
    nonsense: tuple[object, ...] = (True, -1, "-1", "soon", "1.5", MILLISECONDS_MAX + 1, "\u0661")
    for value in nonsense:
        with pytest.raises(BadFrame):
            time_ns({"t": value}, "t")


def deflated(body: bytes, flush: int = zlib.Z_FINISH) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush(flush)


@pytest.mark.parametrize("flush", [zlib.Z_FINISH, zlib.Z_SYNC_FLUSH])
def test_compressed_data_are_unpacked(flush: int) -> None:
    assert inflated(deflated(b'{"a":1}' * 1000, flush)) == b'{"a":1}' * 1000


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xff",
        b'{"a":1}',
        deflated(b"[]") + b"more",
        zlib.compress(b"[]"),
        deflated(b" " * FRAME_BYTES_MAX),
        deflated(b"0" * 4 * FRAME_BYTES_MAX),
    ],
    ids=["garbage", "plain", "more behind it", "with a header", "all that may be", "a bomb"],
)
def test_what_is_not_compressed_or_holds_too_much_is_a_bad_frame(body: bytes) -> None:
    with pytest.raises(BadFrame):
        parse(inflated(body))


def test_half_of_compressed_data_is_no_document() -> None:
    half = deflated(bytes(range(256)) * 100)[:200]
    with pytest.raises(BadFrame):
        parse(inflated(half))
