"""What every venue's refusals have in common: a code, a text, an HTTP status. Pure.

The engine says by a name of `simulator/engine/` what is wrong (`lot`, `no_funds`); the venue's
table has its code and text for that name.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

LIMITS = frozenset({"busy", "banned", "too_many_orders"})
"""The names of refusals for a rate limit; at some venues their answers have status 200."""
Row = tuple[int | str, str] | tuple[int | str, str, int]
"""Code and text, and the HTTP status where it is not the usual one."""


class Refused(Exception):
    """The venue says no; each venue's own refusal knows which HTTP status is usual there."""

    usual_status: ClassVar[int] = 400

    def __init__(
        self, code: int | str, message: str, status: int = 0, data: dict[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status or self.usual_status
        self.data = data
        self.is_limit = False
        """Whether a rate limit, or a ban for one, is the cause."""


class Refusals:
    """A venue's refusals by name; `{word}` in a text is filled in by who refuses."""

    def __init__(self, kind: type[Refused], rows: Mapping[str, Row]) -> None:
        self._kind = kind
        self._rows = rows

    def __call__(self, name: str, /, **words: object) -> Refused:
        """The refusal of this name; KeyError where the venue has none."""
        row = self._rows[name]
        refusal = self._kind(row[0], row[1].format(**words), row[2] if len(row) > 2 else 0)
        refusal.is_limit = name in LIMITS
        return refusal
