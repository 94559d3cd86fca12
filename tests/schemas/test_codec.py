"""Messages <-> bytes, and the golden files: what is released stays readable, word for word.

Each file of `golden/` is a list of messages of one kind: the first as full as it can be, the second
as bare. They freeze with the release of the contract; until then a change here is a change of it.
"""

import ast
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import BaseModel

import orderloom
from orderloom import topology
from orderloom.codec import MESSAGES, UnreadableMessage, pack, read
from orderloom.topology import TOPICS, Topic
from tests.source_tree import ROOT

GOLDEN = Path(__file__).parent / "golden"
BY_KIND = {topic.kind: topic for topic in TOPICS}
KINDS = sorted(MESSAGES)


def golden(kind: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = orjson.loads((GOLDEN / f"{kind}.json").read_bytes())
    return messages


def test_there_is_a_golden_file_for_each_kind_of_message_and_no_other() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.json")) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_golden_messages_are_read(kind: str) -> None:
    full, bare = (read(BY_KIND[kind], orjson.dumps(message)) for message in golden(kind))
    assert isinstance(full, MESSAGES[kind])
    unset = set(MESSAGES[kind].model_fields) - full.model_fields_set
    assert not unset, f"{kind}: the full golden message leaves {unset} out"
    required = {n for n, field in MESSAGES[kind].model_fields.items() if field.is_required()}
    assert bare.model_fields_set == required


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_read_says_what_was_written(kind: str) -> None:
    for message in golden(kind):
        model = read(BY_KIND[kind], orjson.dumps(message))
        assert {name: plain(model)[name] for name in message} == message


def plain(model: BaseModel) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(model.model_dump_json())
    return document


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_of_a_later_release_does_not_disturb(kind: str) -> None:
    message = golden(kind)[0] | {"of_a_later_release": {"any": ["thing"]}}
    assert read(BY_KIND[kind], orjson.dumps(message)) == read(
        BY_KIND[kind], orjson.dumps(golden(kind)[0])
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "value", [b"", b"null", b"[]", b'{"v":1}', b"\xff", b"{", b'{"v":2}'], ids=repr
)
def test_what_is_no_such_message_is_unreadable_and_named(kind: str, value: bytes) -> None:
    with pytest.raises(UnreadableMessage, match=f"^{kind}: "):
        read(BY_KIND[kind], value)


def test_what_is_unreadable_is_said_in_one_line_however_much_is_wrong() -> None:
    with pytest.raises(UnreadableMessage, match=r"and \d+ more") as raised:
        read(topology.ORDERS, orjson.dumps({"v": 1, "fees": {"a\nb": "x"}}))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("fills", "quantity", "1E+9999999999"),
        ("fills", "more_fees", {"SOL": "1E-9999999999"}),
        ("fills", "received_ns", 1 << 63),
        ("accounts", "covered_ns", {"spot": 1 << 63}),
    ],
)
def test_a_number_that_no_table_could_hold_is_unreadable(
    kind: str, field: str, value: object
) -> None:
    with pytest.raises(UnreadableMessage, match=r"out of range|int"):
        read(BY_KIND[kind], orjson.dumps(golden(kind)[0] | {field: value}))


@pytest.mark.parametrize("kind", KINDS)
def test_another_version_is_refused(kind: str) -> None:
    with pytest.raises(UnreadableMessage, match="v"):
        read(BY_KIND[kind], orjson.dumps(golden(kind)[1] | {"v": 2}))


@pytest.mark.parametrize("kind", KINDS)
def test_messages_are_never_changed_once_made(kind: str) -> None:
    model: Any = read(BY_KIND[kind], orjson.dumps(golden(kind)[0]))
    with pytest.raises(ValueError, match="frozen"):
        model.v = 1


def test_amounts_are_exact() -> None:
    order: Any = read(topology.ORDERS, orjson.dumps(golden("orders")[0]))
    assert order.price == Decimal("150.100000000000000001")
    assert isinstance(order.fees["SOL"], Decimal)


def test_packing_is_json() -> None:
    assert orjson.loads(pack({"v": 1, "text": "ü"})) == {"v": 1, "text": "ü"}


@pytest.mark.parametrize("topic", [topology.ORDERS, topology.FILLS, topology.POSITIONS])
def test_numbered_messages_have_account_epoch_and_sequence(topic: Topic) -> None:
    required = {n for n, f in MESSAGES[topic.kind].model_fields.items() if f.is_required()}
    assert {"account", "epoch", "sequence", "cause"} <= required


def test_public_names_exist_and_are_listed_once() -> None:
    assert sorted(set(orderloom.__all__)) == sorted(orderloom.__all__)
    assert all(hasattr(orderloom, name) for name in orderloom.__all__)


def test_the_package_needs_nothing_but_what_it_declares() -> None:
    allowed = {"orderloom", "orjson", "pydantic", *sys.stdlib_module_names}
    paths = list((ROOT / "schemas" / "orderloom").glob("*.py"))
    assert len(paths) > 10
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert {name.partition(".")[0] for name in names} <= allowed, path.name
