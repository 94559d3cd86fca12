"""Records of `raw`: every byte survives, and what is no record is refused in one way."""

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
}
BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "question": st.builds(lambda document, name: document | {"id": name}, documents, texts),
    "connections": st.lists(
        st.fixed_dictionaries({"account": texts, "connection": texts, "heard_ns": times}),
        max_size=3,
    ),
}


def items_of(kind: type[raw.Item]) -> st.SearchStrategy[raw.Item]:
    """Any item of a kind, by the types of its fields."""
    made = {
        field.name: BY_NAME[field.name] if field.name in BY_NAME else BY_TYPE[type_name(field.type)]
        for field in fields(kind)
    }
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


RECORD = RawRecord("lab:one", 7, "w1", (raw.Frame("c1", 1, "spot", 5, b'{"e":1}'),))


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


def test_a_frame_of_an_older_record_is_read_without_its_channel() -> None:
    line, _, rest = encode(RECORD).partition(b"\n")
    older = orjson.loads(line)
    older["items"][0]["channel"] = None
    assert decode(orjson.dumps(older) + b"\n" + rest) == RECORD


def test_every_kind_of_item_has_a_word_of_its_own() -> None:
    words = [kind.KIND for kind in raw._KINDS.values()]
    assert len(set(words)) == len(words)
    assert all(set(word) <= set(string.ascii_lowercase) for word in words)


WRONG: tuple[object, ...] = (
    None, True, -1, 2**63, 2**70, 1.5, "x", "x" * 300, [], [1], [{}], {}, {"id": 1}, [None],
)  # fmt: skip


@given(records.filter(lambda record: record.items), st.data())
def test_a_value_of_a_wrong_type_or_size_is_refused_or_means_what_it_says(
    record: RawRecord, data: st.DataObject
) -> None:
    """Nothing but BadRawRecord is raised, here and where the types are relied on later."""
    line, _, bodies = encode(record).partition(b"\n")
    header = orjson.loads(line)
    target = data.draw(st.sampled_from([header, *header["items"]]))
    target[data.draw(st.sampled_from(sorted(target)))] = data.draw(st.sampled_from(WRONG[:3]))
    with suppress(BadRawRecord):
        decoded = decode(orjson.dumps(header) + b"\n" + bodies)
        assert decode(encode(decoded)) == decoded


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
@pytest.mark.parametrize(
    ("item", "name"),
    [
        (raw.Frame("c1", 1, "spot", 1, b"{}"), "connection"),
        (raw.Frame("c1", 1, "spot", 1, b"{}"), "number"),
        (raw.Frame("c1", 1, "spot", 1, b"{}"), "bytes"),
        (raw.ConnectionChange("c1", "spot", "LIVE", 1), "others"),
        (raw.Liveness(1, []), "connections"),
        (raw.OwnerChange(1), "at_ns"),
        (raw.Failure({"id": "q1"}, "", 1, 2), "question"),
    ],
    ids=lambda case: case if isinstance(case, str) else case.KIND,
)
def test_no_field_takes_what_is_not_its_own(item: raw.Item, name: str, wrong: Any) -> None:
    line, _, bodies = encode(RawRecord("lab:one", 1, "w", (item,))).partition(b"\n")
    header = orjson.loads(line)
    (fields_of_it,) = header["items"]
    fits = {"connection": "x", "others": [], "connections": []}
    if name in fits and wrong == fits[name]:
        return
    try:
        fields_of_it[name] = wrong
        value = orjson.dumps(header) + b"\n" + bodies
    except orjson.JSONEncodeError:  # a number that JSON's readers cannot hold
        header_text = orjson.dumps(header | {"items": []})[:-2].decode()
        del fields_of_it[name]
        rest = orjson.dumps(fields_of_it)[:-1].decode()
        value = f'{header_text}{rest},"{name}":{wrong}}}]}}\n'.encode() + bodies
    with pytest.raises(BadRawRecord):
        decode(value)


@pytest.mark.parametrize("generation", [None, "1", -1, 2**63, 1.0, True])
def test_a_generation_is_a_whole_number_that_fits(generation: Any) -> None:
    header = {"v": 1, "account": "lab:one", "generation": generation, "owner": "w", "items": []}
    with pytest.raises(BadRawRecord, match="generation"):
        decode(orjson.dumps(header) + b"\n")
