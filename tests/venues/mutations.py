"""What can happen to a message: operators that take a document and a seeded random source.

Each gives bytes. Nothing here knows what a venue's fields mean.
"""

from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

import orjson

from tests.venues.frames import body_of

Mutation = Callable[[Any, Random], bytes]
Place = tuple[Any, Any]
"""A container, and the key or index of one of its values."""

NEW_FIELD = "aFieldOfTomorrow"
OTHER_TYPES: tuple[Any, ...] = (None, True, 0, 7, "", "word", [], {}, [1], {"a": 1})
NUMBERS = (
    "-1", "1e400", "1E-400", "NaN", "Infinity", "9" * 60, "0." + "0" * 60 + "1", "1_000", "0x10",
    "٣", " 1", "1,5", "--1", "-0.00", str(2**63), str(-(2**70)),
)  # fmt: skip
OTHER_BODIES = (b"", b"pong", b"ping", b"null", b"[]", b"{}", b"0", b'"e"', b"\x00", b"{]", b"[[]]")


def places(document: Any) -> list[Place]:
    """Every value within `document`."""
    found: list[Place] = []
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict | list):
            keys = list(value) if isinstance(value, dict) else range(len(value))
            found.extend((value, key) for key in keys)
            waiting.extend(value[key] for key in keys)
    return found


def _changed(document: Any, random: Random, change: Callable[[Any], Any]) -> bytes:
    twin = deepcopy(document)
    found = places(twin)
    if not found:
        return b"null"
    container, key = random.choice(found)
    container[key] = change(container[key])
    return body_of(twin)


def truncated(document: Any, random: Random) -> bytes:
    """The connection broke in the middle."""
    body = body_of(document)
    return body[: random.randrange(len(body))]


def flipped(document: Any, random: Random) -> bytes:
    """Some bytes are others."""
    body = bytearray(body_of(document))
    for _ in range(random.randint(1, 4)):
        body[random.randrange(len(body))] ^= 1 << random.randrange(8)
    return bytes(body)


def retyped(document: Any, random: Random) -> bytes:
    """A value has another type."""
    return _changed(document, random, lambda _: random.choice(OTHER_TYPES))


def out_of_range(document: Any, random: Random) -> bytes:
    """A number is none, or beyond all sense, as text or as a number."""
    word = random.choice(NUMBERS)
    body = _changed(document, random, lambda _: "@number@")
    is_text = random.random() < 0.5
    return body.replace(b'"@number@"', f'"{word}"'.encode() if is_text else word.encode())


def extended(document: Any, random: Random) -> bytes:
    """An object has a field that nobody knows."""
    twin = deepcopy(document)
    objects = [twin] if isinstance(twin, dict) else []
    objects += [value[key] for value, key in places(twin) if isinstance(value[key], dict)]
    objects = [value for value in objects if value]
    if objects:
        random.choice(objects)[NEW_FIELD] = random.choice([1, "x", None, [1, {"b": 2}], {"c": []}])
    return body_of(twin)


def reworded(document: Any, random: Random) -> bytes:
    """A word is one that we have never heard."""
    twin = deepcopy(document)
    words = [(value, key) for value, key in places(twin) if isinstance(value[key], str)]
    if words:
        container, key = random.choice(words)
        container[key] = random.choice(["FROBNICATED", "new", "ÜBER", "x" * 200, "\u2028"])
    return body_of(twin)


def nested(document: Any, random: Random) -> bytes:
    """A value stands under very many brackets."""
    depth = random.choice([5, 100, 140, 2_000, 50_000])
    body = _changed(document, random, lambda _: "@deep@")
    opening, closing = random.choice([(b"[", b"]"), (b'{"a":', b"}")])
    return body.replace(b'"@deep@"', opening * depth + b"1" + closing * depth)


def swollen(document: Any, random: Random) -> bytes:
    """A text is huge."""
    return _changed(document, random, lambda _: "9" * random.choice([300, 5_000, 100_000]))


def shortened(document: Any, random: Random) -> bytes:
    """A field is missing."""
    twin = deepcopy(document)
    fields = [(value, key) for value, key in places(twin) if isinstance(value, dict)]
    if fields:
        container, key = random.choice(fields)
        del container[key]
    return body_of(twin)


def doubled(document: Any, random: Random) -> bytes:
    """A key stands twice, with different values."""
    body = body_of(document)
    keys = [key for value, key in places(document) if isinstance(value, dict)]
    if not keys:
        return body
    name = orjson.dumps(random.choice(keys)) + b":"
    return body.replace(name, name + random.choice([b"null,", b'"1",', b"7,"]) + name, 1)


def misencoded(document: Any, random: Random) -> bytes:
    """The bytes are no UTF-8, or another encoding."""
    body = body_of(document)
    at = random.randrange(len(body))
    return random.choice(
        [
            body.decode().encode("utf-16"),
            b"\xef\xbb\xbf" + body,
            body[:at] + b"\xff\xfe" + body[at:],
            body.replace(b":", b":\x00", 1),
            body + b"\n" + body,
        ]
    )


def replaced(_document: Any, random: Random) -> bytes:
    """Something else came."""
    return random.choice(OTHER_BODIES)


def wrapped(document: Any, random: Random) -> bytes:
    """The message stands within another, or in a list, once or too often."""
    for _ in range(random.choice([1, 2, 9])):
        document = random.choice(
            [
                [document],
                {"event": document},
                {"stream": "s", "data": document},
                {"id": 1, "status": 200, "result": document},
                {"data": document},
            ]
        )
    return body_of(document)


MUTATIONS: dict[str, Mutation] = {
    mutation.__name__: mutation
    for mutation in (
        truncated, flipped, retyped, out_of_range, extended, reworded, nested, swollen, shortened,
        doubled, misencoded, replaced, wrapped,
    )
}  # fmt: skip
