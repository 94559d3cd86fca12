"""A part of a state as it is after a restart."""

import orjson

from processors.account.saved import Saved


def take_back(part: Saved, saved: Saved) -> None:
    """Let `part` take back what `saved` gives out, by way of its bytes."""
    for path, document in saved.state():
        if document is not None:
            part.restore(path.partition("/")[0], orjson.loads(orjson.dumps(document)))
