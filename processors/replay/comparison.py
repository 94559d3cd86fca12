"""Whose published records two folds of the same steps make differently. Pure.

Where in its series a record stands is no difference: one record more shifts all that follow. How
often something is said is one, and so is the order of the records that a consumer finds under one
key.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson

from orderloom.topology import FILLS, ORDERS

OF_SERIES: Final = ("sequence", "epoch")


class PublishedRecord(NamedTuple):
    """One published record: the topic's kind, and what was written."""

    kind: str
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Content(NamedTuple):
    """What a record says of an order, or of another key; without its number."""

    name: str
    account: str
    is_tombstone: bool
    text: bytes


@dataclass(slots=True)
class Changed:
    """What is published otherwise of one order (or of another key): where, and since which step."""

    account: str
    step: int
    records: int = 0
    topics: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Comparison:
    """By order key, or by topic and key where a record is of no order."""

    changed: dict[str, Changed] = field(default_factory=dict)

    def take(
        self, step: int, ours: Iterable[PublishedRecord], theirs: Iterable[PublishedRecord]
    ) -> None:
        """Compare what one step publishes by either fold."""
        one, other = _by_key(ours), _by_key(theirs)
        for place in sorted(one.keys() | other.keys()):
            mine, yours = one.get(place, []), other.get(place, [])
            # Nearly all are equal byte for byte, and then none is parsed.
            if mine != yours:
                self._compare(step, place, [*map(_content, mine)], [*map(_content, yours)])

    def _compare(
        self, step: int, place: tuple[str, bytes], mine: list[Content], yours: list[Content]
    ) -> None:
        if mine == yours:
            return
        kind, key = place
        names = {content.name: content.account for content in (*mine, *yours)}
        one, other = _by_name(mine), _by_name(yours)
        changed = [name for name in names if one.get(name) != other.get(name)]
        for name in changed:
            count = _differing(one.get(name, []), other.get(name, []))
            self._note(name, names[name], step, kind, count)
        # Of `fills`, say: each order has what it had, and the account's come in another order.
        if not changed:
            text = key.decode(errors="replace")
            account = mine[0].account
            self._note(f"{kind} {text}", account, step, kind, _differing(mine, yours))

    def _note(self, name: str, account: str, step: int, kind: str, records: int) -> None:
        changed = self.changed.setdefault(name, Changed(account, step))
        changed.topics.add(kind)
        changed.records += records


def _by_key(records: Iterable[PublishedRecord]) -> dict[tuple[str, bytes], list[PublishedRecord]]:
    found: dict[tuple[str, bytes], list[PublishedRecord]] = {}
    for record in records:
        found.setdefault((record.kind, record.key), []).append(record)
    return found


def _by_name(contents: Iterable[Content]) -> dict[str, list[Content]]:
    found: dict[str, list[Content]] = {}
    for content in contents:
        found.setdefault(content.name, []).append(content)
    return found


def _differing(mine: Sequence[Content], yours: Sequence[Content]) -> int:
    """How many records only one of them has; where each has all, how many stand elsewhere."""
    one, other = Counter(mine), Counter(yours)
    only_one = (one - other).total() + (other - one).total()
    return only_one or sum(a != b for a, b in zip(mine, yours, strict=True))


def _content(record: PublishedRecord) -> Content:
    fields = _fields(record.value)
    # A tombstone has no value: what it says stands in its headers.
    headers = {name: _parsed(value) for name, value in record.headers}
    text = orjson.dumps([fields, _without_number(headers)], option=orjson.OPT_SORT_KEYS)
    key = record.key.decode(errors="replace")
    # Some records do not name their account, a question for one; every key begins with it.
    account = str(fields.get("account") or headers.get("account") or key.partition("/")[0])
    name = _name_of(record.kind, key, fields)
    return Content(name, account, record.value is None, text)


def _fields(value: bytes | None) -> dict[str, Any]:
    document = _parsed(value or b"{}")
    return _without_number(document) if isinstance(document, dict) else {"": document}


def _parsed(value: bytes) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value.hex()


def _without_number(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: field for name, field in fields.items() if name not in OF_SERIES}


def _name_of(kind: str, key: str, fields: dict[str, Any]) -> str:
    if kind == ORDERS.kind:
        return key
    if kind == FILLS.kind and "order_key" in fields:
        return str(fields["order_key"])
    return f"{kind} {key}"
