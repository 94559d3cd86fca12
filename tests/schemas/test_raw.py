"""Records of `raw`: every byte survives, and what is no record is told in one way."""

import string
from contextlib import suppress
from dataclasses import fields
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderloom import raw
from orderloom.raw import BadRawRecord, RawRecord, decode, encode

times = st.integers(0, 2**63 - 1)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
documents = st.dictionaries(texts, texts | st.integers(-(2**53), 2**53) | st.none(), max_size=3)
BY_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "str": texts,
    "int": times,
    "bool": st.booleans(),
    "bytes": st.binary(max_size=200),
    "str | None": texts | st.none(),
    "int | None": times | st.none(),
    "dict[str, Any]": documents,
    "list[str]": st.lists(texts, max_size=3),
    "list[dict[str, Any]]": st.lists(documents, max_size=3),
}


def items_of(kind: type[raw.Item]) -> st.SearchStrategy[raw.Item]:
    """Any item of a kind, by the types of its fields."""
    made = {field.name: BY_TYPE[type_name(field.type)] for field in fields(kind)}
    return st.builds(kind, **made)


def type_name(annotation: Any) -> str:
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return name if name in BY_TYPE else str(annotation).replace("typing.", "")


items = st.one_of([items_of(kind) for kind in raw._KINDS.values()])
records = st.builds(RawRecord, texts, times, texts, st.lists(items, max_size=5).map(tuple))


@given(records)
def test_any_record_comes_back_as_it_was(record: RawRecord) -> None:
    assert decode(encode(record)) == record


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=6))
def test_bodies_of_any_bytes_survive_side_by_side(bodies: list[bytes]) -> None:
    frames = tuple(
        raw.Frame("c1", number, "spot", 1, body) for number, body in enumerate(bodies, 1)
    )
    decoded = decode(encode(RawRecord("lab:one", 1, "w", frames)))
    assert [getattr(item, "body", None) for item in decoded.items] == bodies


@given(st.binary(max_size=400))
def test_any_bytes_are_a_record_or_a_bad_record(value: bytes) -> None:
    with suppress(BadRawRecord):
        decode(value)


RECORD = RawRecord("lab:one", 7, "w1", (raw.Frame("c1", 1, "spot", 5, b'{"e":1}', "orders"),))


@given(records, st.data())
def test_a_damaged_record_is_a_bad_record_or_another(record: RawRecord, data: Any) -> None:
    value = bytearray(encode(record))
    at = data.draw(st.integers(0, len(value) - 1))
    value[at] = data.draw(st.integers(0, 255))
    with suppress(BadRawRecord):
        decode(bytes(value[: data.draw(st.integers(0, len(value)))]))


def with_header(**changes: Any) -> bytes:
    line, _, rest = encode(RECORD).partition(b"\n")
    return orjson.dumps(orjson.loads(line) | changes) + b"\n" + rest


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\n",
        b"[]",
        b"null\n",
        b'{"v":1}\n',
        encode(RECORD)[:-1],
        encode(RECORD) + b"x",
        with_header(v=2),
        with_header(items=[{"is": "nothing"}]),
        with_header(items=[{"is": "frame"}]),
        with_header(items=[{"is": "owner", "at_ns": 1, "extra": 2}]),
        with_header(items=7),
    ],
)
def test_what_is_no_record_is_refused_in_one_way(value: bytes) -> None:
    with pytest.raises(BadRawRecord):
        decode(value)


def test_a_record_of_another_format_names_both() -> None:
    with pytest.raises(BadRawRecord, match="raw format 2 is not 1"):
        decode(with_header(v=2))


def test_the_header_is_a_line_of_json_and_bodies_follow_as_they_were() -> None:
    body = b"\x00\xff\n{"
    record = RawRecord("lab:one", 7, "w1", (raw.Frame("c1", 1, "spot", 5, body),))
    line, _, rest = encode(record).partition(b"\n")
    header = orjson.loads(line)
    assert rest == body
    assert header["items"][0]["bytes"] == len(body)
    assert "body" not in header["items"][0]


def test_every_kind_of_item_has_a_word_of_its_own() -> None:
    words = [kind.KIND for kind in raw._KINDS.values()]
    assert len(set(words)) == len(words)
    assert all(set(word) <= set(string.ascii_lowercase) for word in words)
