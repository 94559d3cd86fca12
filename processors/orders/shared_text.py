"""One object for equal texts that many orders hold: symbols, margin modes. Pure.

Each message brings its texts anew; of 100,000 orders each would keep its own.
"""

from functools import lru_cache
from typing import Final

REMEMBERED_MAX: Final = 10_000


@lru_cache(maxsize=REMEMBERED_MAX)
def shared(text: str) -> str:
    """An equal text: the one that was given first."""
    return text
