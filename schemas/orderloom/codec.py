"""Message <-> bytes, by topic. Pure.

The writers make their bytes from plain dictionaries (it is their inner loop); tests hold what they
write to these models. Consumers read with `read`.
"""

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


class UnreadableMessage(Exception):
    """A message of another schema version, or not of this contract; it names what is wrong."""


def pack(document: dict[str, Any]) -> bytes:
    """The bytes of one message."""
    return orjson.dumps(document)


def read(topic: topology.Topic, value: bytes) -> BaseModel:
    """The message that `value` holds, by the model of its topic.

    Raises:
        UnreadableMessage: no JSON, another version, or a field missing or of a wrong type.
    """
    try:
        # New fields are passed over, another `v` is refused (docs/contract.md, rule 10).
        return MESSAGES[topic.kind].model_validate(orjson.loads(value))
    except (orjson.JSONDecodeError, ValidationError) as error:
        raise UnreadableMessage(f"{topic.kind}: {error}") from None
