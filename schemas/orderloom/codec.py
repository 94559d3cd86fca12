"""Message <-> bytes, by topic. Pure.

The writers make their bytes from plain dictionaries (it is their inner loop); tests hold what they
write to these models. Consumers read with `read`.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import orjson
from pydantic import BaseModel, ValidationError

from orderloom import topology
from orderloom.account import AccountState
from orderloom.answer import IntentAnswer
from orderloom.fill import Fill
from orderloom.instrument import Instrument
from orderloom.order import OrderState
from orderloom.position import Position
from orderloom.trouble import DeadLetter, Difference

MESSAGES: Final[dict[str, type[BaseModel]]] = {
    topology.ORDERS.kind: OrderState,
    topology.FILLS.kind: Fill,
    topology.POSITIONS.kind: Position,
    topology.ACCOUNTS.kind: AccountState,
    topology.INSTRUMENTS.kind: Instrument,
    topology.DEAD_LETTERS.kind: DeadLetter,
    topology.DIFFERENCES.kind: Difference,
    topology.ANSWERS.kind: IntentAnswer,
}
INTEGER_END: Final = 1 << 63
PLACES_MAX: Final = 400
"""As many digits as our sums may have; written out, what has more could fill any memory."""
WRONG_FIELDS_NAMED: Final = 3
_NO_NUMBERS: Final = frozenset({str, bool, type(None)})


class UnreadableMessage(Exception):
    """A message of another schema version, or not of this contract; one line says what is wrong."""


def pack(document: dict[str, Any]) -> bytes:
    """The bytes of one message."""
    return orjson.dumps(document)


def read(topic: topology.Topic, value: bytes) -> BaseModel:
    """The message that `value` holds, by the model of its topic.

    Raises:
        UnreadableMessage: no JSON, another version, a field missing or of a wrong type, a number
            that no table could hold.
    """
    try:
        # New fields are passed over, another `v` is refused (docs/contract.md, rule 10).
        message = MESSAGES[topic.kind].model_validate(orjson.loads(value))
    except ValidationError as error:
        raise UnreadableMessage(f"{topic.kind}: {_line_of(error)}") from None
    except orjson.JSONDecodeError as error:
        raise UnreadableMessage(f"{topic.kind}: {error}") from None
    if not _is_in_range(message.__dict__.values()):
        raise UnreadableMessage(f"{topic.kind}: a number is out of range")
    return message


def _line_of(error: ValidationError) -> str:
    """The first few wrong fields; pydantic says all of them, in many lines."""
    wrong = error.errors(include_url=False, include_context=False, include_input=False)
    named = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in wrong]
    more = f" and {len(named) - WRONG_FIELDS_NAMED} more" if len(named) > WRONG_FIELDS_NAMED else ""
    words = "; ".join(named[:WRONG_FIELDS_NAMED]) + more
    # Keys of foreign documents stand in it, which may be anything.
    return " ".join(words.split())


def _is_in_range(values: Iterable[Any]) -> bool:
    """Whether every number in it is one that a ledger may have written."""
    for value in values:
        # By the very type, the frequent ones first: a reader does this for each record.
        kind = type(value)
        if kind in _NO_NUMBERS:
            continue
        if kind is Decimal:
            if value and abs(value.adjusted()) > PLACES_MAX:
                return False
        elif kind is int:
            if not -INTEGER_END <= value < INTEGER_END:
                return False
        elif (parts := _parts(value)) and not _is_in_range(parts):
            return False
    return True


def _parts(value: object) -> Iterable[object]:
    """What it holds, if it holds anything that may be a number."""
    match value:
        case str():  # an enumeration's word
            return ()
        case BaseModel():
            return value.__dict__.values()
        case dict():
            return value.values()
        case list() | tuple():
            return value
    return ()
