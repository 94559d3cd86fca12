"""A record of the ledger's own topics with its types checked: anybody may have written there.

Pure. What is wrong is refused where it is read. Further on it would raise anywhere, and end a
worker or a repair.
"""

from typing import Annotated, Any, Final, TypeVar

import orjson
from pydantic import Field, TypeAdapter, ValidationError

WHOLE_END: Final = 1 << 63
"""One more can still be written as JSON."""
Whole = Annotated[int, Field(ge=0, lt=WHOLE_END)]
Count = Annotated[int, Field(ge=0, lt=1 << 53)]
"""What rises by one with a step or a transaction: far more than there will be."""
RARE_END: Final = 1_000_000
Rare = Annotated[int, Field(ge=0, lt=RARE_END)]
"""What a person begins, or a process dies of, each time: there are never so many."""
Time = Annotated[int, Field(ge=0, lt=1 << 62)]
"""Nanoseconds, to the year 2116: what is counted on from it can still be written."""
Kind = TypeVar("Kind")
_READERS: Final[dict[type, TypeAdapter[Any]]] = {}


def typed(kind: type[Kind], document: dict[str, Any]) -> Kind:
    """The dataclass `kind` from what its record says.

    Raises:
        ValueError: in one line, which field is missing, unknown or of another type.
    """
    if unknown := document.keys() - kind.__annotations__.keys():
        raise ValueError(f"unknown: {', '.join(sorted(map(repr, unknown))):.80}")
    if kind not in _READERS:
        _READERS[kind] = TypeAdapter(kind)
    try:
        # As JSON, of which a strict reader makes tuples of lists, and no number of a text.
        found: Kind = _READERS[kind].validate_json(orjson.dumps(document), strict=True)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        raise ValueError(f"{first['loc']!r:.80}: {first['msg']:.80}") from None
    return found
