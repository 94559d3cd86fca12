"""A part of a state as it is after a restart."""

import orjson

from processors.account.positions import HeldPosition
from processors.account.saved import Saved
from processors.account.tail import Segments


def take_back(part: Saved, saved: Saved) -> None:
    """Let `part` take back what `saved` gives out, by way of its bytes."""
    for path, document in saved.state():
        if document is not None:
            part.restore(path.partition("/")[0], orjson.loads(orjson.dumps(document)))


def reloaded(position: HeldPosition) -> HeldPosition:
    """The position as it is after a restart, its segments in any order."""
    again = HeldPosition.load(orjson.loads(orjson.dumps(position.dump())))
    segments = Segments()
    for number, rows in sorted(position.segments.by_number.items(), reverse=True):
        segments.restore(orjson.loads(orjson.dumps({"number": number, "rows": rows})))
    again.load_tail(segments)
    return again
