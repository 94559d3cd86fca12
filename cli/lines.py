"""The input of `normalize` and `fold`: one message per line of JSON. Pure but for reading stdin.

Each line yields one `Line`, whatever it holds. A line that is no JSON, no UTF-8, too large or too
deeply nested has `ref` null; one whose envelope is wrong keeps its `ref`. Both are dead letters.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import msgspec
import orjson

from orderloom.identity import checked_account
from orderloom.words import Source
from venues.document import FRAME_BYTES_MAX, parse, read
from venues.venue import BadFrame, Inbound

LINE_BYTES_MAX: Final = FRAME_BYTES_MAX
TIME_NS_MAX: Final = 2**63 - 1
NULL: Final = b"null"

_TEXTS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_CHANGING: Final = ("POST", "PUT", "DELETE")
_NO_WORDS: Final[frozenset[bytes]] = frozenset()


@dataclass(frozen=True, slots=True)
class Line:
    """One input line: a message, or the reason why it is a dead letter; never both.

    `ref` is the JSON text of the line's own `ref`, just as it stood. Times are None where the line
    does not say; `account` None stands for `<venue>:main`.
    """

    ref: bytes = NULL
    inbound: Inbound | None = None
    dead_letter: str | None = None
    account: str | None = None
    received_ns: int | None = None
    asked_ns: int | None = None


def read_lines(stdin: BinaryIO, bare_words: frozenset[bytes] = _NO_WORDS) -> Iterator[Line]:
    """One `Line` per line of `stdin`, in order, each read when it is asked for.

    `bare_words` are those of the venue (see `Venue`).
    """
    while chunk := stdin.readline(LINE_BYTES_MAX + 1):
        if len(chunk) > LINE_BYTES_MAX and not chunk.endswith(b"\n"):
            _skip_to_line_end(stdin)
            yield Line(dead_letter=f"the line is longer than {LINE_BYTES_MAX} bytes")
        else:
            yield line_of(chunk, bare_words)


def _skip_to_line_end(stdin: BinaryIO) -> None:
    while (chunk := stdin.readline(LINE_BYTES_MAX)) and not chunk.endswith(b"\n"):
        pass


def line_of(line: bytes, bare_words: frozenset[bytes] = _NO_WORDS) -> Line:
    """What one input line holds; never raises for what stands in it."""
    try:
        document = parse(line)
    except BadFrame as error:
        return Line(dead_letter=str(error.args[0]))
    if type(document) is not dict:
        return Line(dead_letter="the line is no object")
    ref = _ref_of(document, line)
    try:
        return _message_of(document, ref, bare_words)
    except (BadFrame, ValueError) as error:
        return Line(ref=ref, dead_letter=str(error.args[0]))


def output_line(ref: bytes, fields: dict[str, Any]) -> bytes:
    """One line of output: `ref` as it came, then `fields` (at least one), and a line feed."""
    return b'{"ref":' + ref + b"," + orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)[1:]


def _ref_of(document: dict[str, Any], line: bytes) -> bytes:
    ref = document.get("ref")
    if ref is None:
        return NULL
    if type(ref) is str:
        return orjson.dumps(ref)
    # Numbers keep their digits; a carriage return can only stand between tokens here.
    return bytes(_TEXTS.decode(line)["ref"]).strip().replace(b"\r", b" ")


def _message_of(document: dict[str, Any], ref: bytes, bare_words: frozenset[bytes]) -> Line:
    if "raw" not in document:
        raise BadFrame("the line has no raw")
    raw = document["raw"]
    channel = _optional_text(document, "channel")
    account = _optional_text(document, "account")
    _optional_text(document, "kind")  # a hint that no venue needs so far; a wrong one is reported
    return Line(
        ref=ref,
        inbound=Inbound(
            document=read(raw.encode(), bare_words) if type(raw) is str else raw,
            source=_source_of(document, channel),
            product=_optional_text(document, "product"),
        ),
        account=None if account is None else checked_account(account),
        received_ns=_optional_time(document, "received_ns"),
        asked_ns=_optional_time(document, "asked_ns"),
    )


def _source_of(document: dict[str, Any], channel: str | None) -> Source:
    word = document.get("source")
    if word == "stream" or word is None:
        return Source.STREAM
    if word != "rest":
        raise BadFrame(f"source: write stream or rest, not {word!r:.80}")
    is_request = channel is not None and channel.partition(" ")[0] in _CHANGING
    return Source.REPLY if is_request else Source.QUERY


def _optional_text(document: dict[str, Any], name: str) -> str | None:
    value = document.get(name)
    if value is None or type(value) is str:
        return value
    raise BadFrame(f"{name}: not a text: {value!r:.80}")


def _optional_time(document: dict[str, Any], name: str) -> int | None:
    value = document.get(name)
    if value is None:
        return None
    if type(value) is int and 0 <= value <= TIME_NS_MAX:
        return value
    raise BadFrame(f"{name}: not a time in ns: {value!r:.80}")
