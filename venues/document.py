"""Bytes of a venue's message to a document, and typed readers of its fields. Pure.

A document is the parsed JSON, still in the venue's words, with every number exact: integers stay
integers of any size that a venue could mean, a number with a point becomes `Decimal` with the very
digits that stood there. What cannot be read is a `BadFrame` that names the field; a float is never
made. Readers take `None` and an absent field for the same: "this message does not say".
"""

import re
import zlib
from collections.abc import Mapping
from decimal import Decimal, DecimalException
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec

from orderloom.quantities import ZERO, decimal_of
from venues.venue import MILLISECOND_NS, BadFrame

FRAME_BYTES_MAX: Final = 16 * 1024 * 1024
DEPTH_MAX: Final = 128
TEXT_LENGTH_MAX: Final = 256
INTEGER_MAX: Final = 2**63 - 1
DECIMALS_REMEMBERED_MAX: Final = 16_384
MILLISECONDS_MAX: Final = 9_200_000_000_000  # the year 2261; nanoseconds stay within 63 bits

# Without the hook a number with a point becomes a float, which has other digits than the venue's.
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
# Within what `decimal_of` takes (40 digits, exponent 30), so nothing is left to check.
_PLAIN_DECIMAL: Final = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")
# `Decimal` itself also reads 1_000, NaN and Infinity: none is a number of a venue's.
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,60}(?:\.[0-9]{0,60})?(?:[eE][+-]?[0-9]{1,4})?")
# No longer than any code is: a longer number may be an echo of what we sent (decision 0513).
_CODE: Final = re.compile(r"-?[0-9]{1,9}")
_DIGITS: Final = re.compile(r"[0-9]{1,19}")
_Word = TypeVar("_Word")
Document = Mapping[str, Any]


def parse(body: bytes) -> Any:
    """The document that `body` holds.

    Raises:
        BadFrame: no JSON, no UTF-8, truncated, too large, too deep, or a number beyond reading.
    """
    if len(body) > FRAME_BYTES_MAX:
        raise BadFrame(f"{len(body)} bytes are more than {FRAME_BYTES_MAX}")
    try:
        document = _DECODER.decode(body)
    except RecursionError:
        raise BadFrame(f"nested deeper than {DEPTH_MAX}") from None
    except UnicodeDecodeError as error:
        raise BadFrame(f"not UTF-8: {error.reason}") from None
    except (msgspec.DecodeError, DecimalException, ValueError) as error:
        raise BadFrame(f"not JSON: {str(error)[:TEXT_LENGTH_MAX]}") from None
    # A body with few brackets cannot be deep: only large ones pay for the walk.
    if body.count(b"{") + body.count(b"[") > DEPTH_MAX and _is_too_deep(document):
        raise BadFrame(f"nested deeper than {DEPTH_MAX}")
    return document


def read(body: bytes, bare_words: frozenset[bytes]) -> Any:
    """As `parse`, but a body that is one of the venue's `bare_words` is that word, as a text."""
    return body.decode("ascii") if body in bare_words else parse(body)


def object_in(body: bytes) -> Document:
    """The object that `body` holds; an empty one where it is anything else, readable or not."""
    try:
        document = parse(body)
    except BadFrame:
        return {}
    return document if type(document) is dict else {}


def inflated(body: bytes) -> bytes:
    """What raw DEFLATE data (RFC 1951, without a header) hold, within the bounds of a frame.

    Raises:
        BadFrame: they are none, are followed by more, or hold too much.
    """
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        # A few bytes may hold gigabytes: no more is made of them than a frame may have.
        unpacked = stream.decompress(body, FRAME_BYTES_MAX)
    except zlib.error as error:
        raise BadFrame(f"not compressed: {error}") from None
    if stream.unconsumed_tail or len(unpacked) == FRAME_BYTES_MAX:
        raise BadFrame(f"{FRAME_BYTES_MAX} bytes or more when unpacked")
    if stream.unused_data:
        raise BadFrame("compressed data with more behind them")
    return unpacked  # data that end too early are no whole document, which is for `parse` to say


def _is_too_deep(document: Any) -> bool:
    level = [document]
    for _ in range(DEPTH_MAX):
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def fields_of(value: object, what: str) -> dict[str, Any]:
    """`value` itself, if it is an object."""
    if type(value) is not dict:
        raise BadFrame(f"{what}: not an object")
    return value


def rows_of(value: object, what: str) -> list[Any]:
    """`value` itself, if it is a list."""
    if type(value) is not list:
        raise BadFrame(f"{what}: not a list")
    return value


def text(document: Document, name: str) -> str | None:
    """The text of field `name`; None where it is absent or empty."""
    value = document.get(name)
    if value is None or value == "":
        return None
    if type(value) is not str or len(value) > TEXT_LENGTH_MAX or not value.isprintable():
        raise BadFrame(f"{name}: not a text: {value!r:.80}")
    return value


def needed_text(document: Document, name: str) -> str:
    """The text of field `name`, which must be there."""
    value = text(document, name)
    if value is None:
        raise BadFrame(f"{name}: missing")
    return value


def integer(document: Document, name: str) -> int | None:
    """The whole number of field `name`, of at most 63 bits; None where it is absent."""
    value = document.get(name)
    if value is None:
        return None
    # By type: to `isinstance`, true is an int.
    if type(value) is not int or not -INTEGER_MAX <= value <= INTEGER_MAX:
        raise BadFrame(f"{name}: not a whole number in range: {value!r:.80}")
    return value


def identifier(document: Document, name: str) -> str | None:
    """The id of field `name`, written as digits or as a number, as text; None where absent.

    Raises:
        BadFrame: anything else, a negative number included.
    """
    value = document.get(name)
    if value is None or value == "":
        return None
    # Binance writes its ids as numbers, OKX as texts: to us an id is a name.
    if type(value) is int and 0 <= value <= INTEGER_MAX:
        return str(value)
    if type(value) is str and _DIGITS.fullmatch(value):
        return value
    raise BadFrame(f"{name}: not an id: {value!r:.80}")


def needed_identifier(document: Document, name: str) -> str:
    """The id of field `name`, which must be there."""
    value = identifier(document, name)
    if value is None:
        raise BadFrame(f"{name}: missing")
    return value


def flag(document: Document, name: str) -> bool | None:
    """The truth value of field `name`; None where it is absent."""
    value = document.get(name)
    if value is None or type(value) is bool:
        return value
    raise BadFrame(f"{name}: neither true nor false: {value!r:.80}")


def decimal(document: Document, name: str) -> Decimal | None:
    """The exact number of field `name`; None where it is absent."""
    value = document.get(name)
    if value is None:
        return None
    try:
        return plain_decimal(value) if type(value) is str else decimal_of(value)
    except ValueError:
        raise BadFrame(f"{name}: not a decimal in range: {value!r:.80}") from None


def blank_decimal(document: Document, name: str) -> Decimal | None:
    """As `decimal`, for venues that write an empty text where there is no number."""
    return None if document.get(name) == "" else decimal(document, name)


def amount(document: Document, name: str) -> Decimal | None:
    """A quantity or price that cannot be negative; None where it is absent or blank."""
    value = blank_decimal(document, name)
    if value is not None and value < ZERO:
        raise BadFrame(f"{name}: negative: {value}")
    return value


def needed_amount(document: Document, name: str) -> Decimal:
    """A quantity or price that must be there, and cannot be negative."""
    value = amount(document, name)
    if value is None:
        raise BadFrame(f"{name}: missing")
    return value


def time_ns(document: Document, name: str) -> int | None:
    """The time of field `name` in ns, there in milliseconds as a number or its text; None if none.

    0 is no time.
    """
    value = document.get(name)
    if value is None or value == "":
        return None
    if type(value) is str and len(value) <= 16 and value.isdecimal() and value.isascii():
        value = int(value)
    if type(value) is not int or not 0 <= value <= MILLISECONDS_MAX:
        raise BadFrame(f"{name}: not a time: {value!r:.80}")
    return value * MILLISECOND_NS or None


def needed_decimal(document: Document, name: str) -> Decimal:
    """The exact number of field `name`, which must be there."""
    value = decimal(document, name)
    if value is None:
        raise BadFrame(f"{name}: missing")
    return value


@lru_cache(maxsize=DECIMALS_REMEMBERED_MAX)
def plain_decimal(value: str) -> Decimal:
    """The exact number that a text holds.

    Raises:
        ValueError: it holds none, or one out of range.
    """
    # The same few sizes and prices come again and again: a look-up is a tenth of the parsing.
    if _PLAIN_DECIMAL.fullmatch(value):
        return Decimal(value)
    if not _DECIMAL.fullmatch(value):
        raise ValueError(f"not a decimal: {value!r:.80}")
    return decimal_of(value)


def choice(document: Document, name: str, words: Mapping[str, _Word]) -> _Word | None:
    """Our word for the venue's in field `name`, where another word than these means no sense.

    Raises:
        BadFrame: a word that is not in the table.
    """
    value = document.get(name)
    if value is None or value == "":
        return None
    try:
        return words[value]
    # A side or leg is summed into a position: one that we do not know costs the whole message
    # (decision 0303). TypeError: an object or a list, which no table can be asked for.
    except (KeyError, TypeError):
        raise BadFrame(f"{name}: no word that we know: {value!r:.80}") from None


def lenient_choice(
    document: Document, name: str, words: Mapping[str, _Word], unknown: list[str]
) -> _Word | None:
    """Our word for the venue's in field `name`; a new word is None and noted in `unknown`.

    Raises:
        BadFrame: no word at all.
    """
    value = document.get(name)
    if value is None or value == "":
        return None
    if type(value) is not str or len(value) > TEXT_LENGTH_MAX:
        raise BadFrame(f"{name}: not a word: {value!r:.80}")
    if value in words:
        return words[value]
    # No claim, so the fold asks about the order (decision 0303): venues add words without notice.
    unknown.append(f"{name}={value}")
    return None


def said_code(value: object) -> str:
    """A venue's code as it may be shown, "code -2015"; a text may echo what was sent, a key too."""
    text = str(value) if type(value) in (int, str) else ""
    return f"code {text}" if _CODE.fullmatch(text) else "no code"


def names_in(words: str) -> frozenset[str]:
    """The field names in `words`, for `note_unknown`."""
    return frozenset(words.split())


def note_unknown(document: Document, known: frozenset[str], unknown: list[str]) -> None:
    """Note the names of fields that `known` lacks; they change nothing else."""
    if not document.keys() <= known:
        unknown.extend(f"field {name[:TEXT_LENGTH_MAX]}" for name in document.keys() - known)
