r"""One record of `raw`: what ingest received and did, in order, with every byte kept.

Pure. A record is one line of JSON (the header), a line feed, then the bodies end to end; each item
of the header says how many bytes of body are its own, so bytes that are no text survive exactly.

    {"v":1,"account":"binance:main","generation":7,"owner":"w1-12","items":[{"is":"frame",...},...]}\n...

Times are ns UTC on the ingest worker's clock. `number` counts the frames of one connection, dense
from 1: a gap in it is a loss, never a guess.
"""

from dataclasses import dataclass, field, fields
from types import NoneType
from typing import Any, ClassVar, Final

import orjson

FORMAT: Final = 1
NUMBER_MAX: Final = 2**63 - 1
"""No number in a record is larger, nor below 0: times are ns UTC, the rest are counts."""
NAME_CHARS_MAX: Final = 256
GENERATION_LEAD_SECONDS: Final = 600
"""How far a generation, which is a time in seconds (decision 0503), may lie ahead of the append."""


class BadRawRecord(Exception):
    """A record of `raw` that does not hold to this format; the caller keeps its bytes."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message from a private stream, exactly as received."""

    KIND: ClassVar = "frame"
    connection: str
    number: int
    product: str
    received_ns: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of the answer to a question (`question` is its document).

    `page` counts from 1. `asked_ns` is when the *first* page's request left, `sent_ns` when this
    page's did. `is_last` with `status` 200 on every page is the proof of completeness. A body
    larger than a record may be comes as a Failure instead.
    """

    KIND: ClassVar = "answer"
    question: dict[str, Any]
    channel: str
    page: int
    is_last: bool
    status: int
    asked_ns: int
    sent_ns: int
    received_ns: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """A question that got no usable answer: timeout, broken transport, refusal to ask."""

    KIND: ClassVar = "failure"
    question: dict[str, Any]
    reason: str
    asked_ns: int
    at_ns: int
    status: int | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class ConnectionChange:
    """A change of one private connection: CONNECTING, OPEN, LIVE, CLOSED or REFUSED.

    LIVE: signed in and subscribed; what the venue pushes from here on arrives or is lost with the
    connection. `last_number` is the number of the last frame that was received on it. `others` are
    further products whose facts come on it; `feed` distinguishes connections that carry different
    facts about the same products: a product is seen while each of its feeds has a LIVE one.
    """

    KIND: ClassVar = "connection"
    connection: str
    product: str
    change: str
    at_ns: int
    reason: str = ""
    last_number: int = 0
    others: list[str] = field(default_factory=list)
    feed: str = ""


@dataclass(frozen=True, slots=True)
class Liveness:
    """Once a second per owned partition: `connections` that are LIVE, by account.

    Each is {"account", "connection", "product", "last_number", "heard_ns"}.
    """

    KIND: ClassVar = "liveness"
    at_ns: int
    connections: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ClockSample:
    """The venue's clock beside ours: it read `venue_ns` between `sent_ns` and `received_ns`."""

    KIND: ClassVar = "clock"
    product: str
    venue_ns: int
    sent_ns: int
    received_ns: int


@dataclass(frozen=True, slots=True)
class OwnerChange:
    """A new ingest worker took the partition over; older owners' connections are gone."""

    KIND: ClassVar = "owner"
    at_ns: int


@dataclass(frozen=True, slots=True)
class Oversize:
    """A frame larger than a record may be: its hash, length and head (`body`)."""

    KIND: ClassVar = "oversize"
    connection: str
    number: int
    product: str
    received_ns: int
    length: int
    sha256: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Attempt:
    """A command that is about to be handed to its transport, written before it is.

    `command` is its document, `request` what is sent without key, time and signature, `sha256` of
    that text. What became of it an `AttemptOutcome` says, if anybody lived to say it.
    """

    KIND: ClassVar = "attempt"
    command_id: str
    command: dict[str, Any]
    transport: str
    request: str
    sha256: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class AttemptOutcome:
    """What became of a command here: the venue's answer, or why there is none.

    `is_unsent`: surely no byte of it left from here; whether another worker sent a placement the
    claim log says alone. Else, without a `status`, it may have arrived.
    """

    KIND: ClassVar = "outcome"
    command_id: str
    verb: str
    product: str
    sent_ns: int
    received_ns: int
    is_unsent: bool
    status: int | None = None
    reason: str = ""
    body: bytes = b""


Item = (
    Frame | Answer | Failure | ConnectionChange | Liveness | ClockSample | OwnerChange | Oversize
    | Attempt | AttemptOutcome
)  # fmt: skip
_KINDS: Final[dict[str, type[Item]]] = {
    kind.KIND: kind
    for kind in (
        Frame, Answer, Failure, ConnectionChange, Liveness, ClockSample, OwnerChange, Oversize,
        Attempt, AttemptOutcome,
    )
}  # fmt: skip
_FIELDS: Final = {
    kind: tuple(name for name in kind.__slots__ if name != "body") for kind in _KINDS.values()
}
_HAS_BODY: Final = frozenset(kind for kind in _KINDS.values() if "body" in kind.__slots__)
_TYPES: Final[dict[Any, tuple[type, ...]]] = {
    int: (int,),
    str: (str,),
    bool: (bool,),
    bytes: (bytes,),
    str | None: (str, NoneType),
    int | None: (int, NoneType),
    dict[str, Any]: (dict,),
    list[str]: (list,),
    list[dict[str, Any]]: (list,),
}
_NAMES: Final = frozenset({"connection", "product", "feed", "change", "command_id", "verb"})
"""Texts that become keys of the state: no longer than `NAME_CHARS_MAX`."""
_SHAPES: Final = {
    kind: tuple((one.name, _TYPES[one.type], one.name in _NAMES) for one in fields(kind))
    for kind in _KINDS.values()
}


@dataclass(frozen=True, slots=True)
class RawRecord:
    """The items that one worker wrote at once for one account (or ``venue`` for a partition)."""

    account: str
    generation: int
    owner: str
    items: tuple[Item, ...]


def encode(record: RawRecord) -> bytes:
    """The bytes of `record`, as they stand in the topic."""
    bodies: list[bytes] = []
    items = [_header_of(item, bodies) for item in record.items]
    header = {
        "v": FORMAT,
        "account": record.account,
        "generation": record.generation,
        "owner": record.owner,
        "items": items,
    }
    # The bytes as they came: base64 costs a third more space, and a copy (decision 0001).
    return b"\n".join((orjson.dumps(header), b"".join(bodies)))


def _header_of(item: Item, bodies: list[bytes]) -> dict[str, Any]:
    kind = type(item)
    header = {"is": kind.KIND} | {name: getattr(item, name) for name in _FIELDS[kind]}
    if kind in _HAS_BODY:
        body: bytes = item.body  # type: ignore[union-attr] # _HAS_BODY says that it has one
        header["bytes"] = len(body)
        bodies.append(body)
    return header


def decode(value: bytes) -> RawRecord:
    """The record that `value` holds.

    Raises:
        BadRawRecord: another format version, or bytes that are not this format.
    """
    line, _, rest = value.partition(b"\n")
    try:
        header = orjson.loads(line)
        if header["v"] != FORMAT:
            raise BadRawRecord(f"raw format {header['v']!s:.40} is not {FORMAT}")
        items, at = [], 0
        for given in header["items"]:
            kind = _KINDS[given.pop("is")]
            if kind is Frame:
                given.pop("channel", None)  # a field of older records, always null
            if kind in _HAS_BODY:
                length = _number("bytes", given.pop("bytes"))
                # May come short: the sum of all lengths is held against the bytes below.
                given["body"] = rest[at : at + length]
                at += length
            item = kind(**given)
            if not (type(item) is Frame and _is_right(item)):
                _check(item)
            items.append(item)
        account, owner = _name("account", header["account"]), _name("owner", header["owner"])
        record = RawRecord(
            account, _number("generation", header["generation"]), owner, tuple(items)
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadRawRecord(f"not a raw record: {error!s:.200}") from None
    if at != len(rest):
        raise BadRawRecord(f"bodies are {len(rest)} bytes, their header says {at}")
    return record


def _is_right(frame: Frame) -> bool:
    """What `_check` looks at, spelt out: frames are nearly all there is, and it took 1 us each."""
    number, received_ns = frame.number, frame.received_ns
    connection, product = frame.connection, frame.product
    return (
        type(number) is type(received_ns) is int
        and type(connection) is type(product) is str
        and 0 <= number <= NUMBER_MAX
        and 0 <= received_ns <= NUMBER_MAX
        and len(connection) <= NAME_CHARS_MAX
        and len(product) <= NAME_CHARS_MAX
    )


def _check(item: Item) -> None:
    """Hold an item to the types and sizes of its fields; what is folded later relies on them."""
    for name, types, is_name in _SHAPES[type(item)]:
        value = getattr(item, name)
        kind = type(value)
        # By type: to `isinstance` true is a number.
        if kind not in types:
            raise TypeError(f"{name} is a {kind.__name__}")
        if kind is int:
            _number(name, value)
        elif is_name:
            _name(name, value)
    if type(item) is Liveness:
        for entry in item.connections:
            _name("connection", entry["connection"])
            _name("account", entry["account"])
            _number("heard_ns", entry["heard_ns"])
    elif type(item) is ConnectionChange:
        for product in item.others:
            _name("others", product)
    elif type(item) is Answer or type(item) is Failure:
        _name("question", item.question["id"])


def _number(name: str, value: object) -> int:
    if type(value) is not int or not 0 <= value <= NUMBER_MAX:
        raise ValueError(f"{name} is {value!s:.40}")
    return value


def _name(name: str, value: object) -> str:
    if type(value) is not str or len(value) > NAME_CHARS_MAX:
        raise ValueError(f"{name} is {value!s:.40}")
    return value
