"""The fields of one request, each read with the refusal that the venue gives. Pure."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import ClassVar, TypeVar

from simulator.instrument import ZERO
from simulator.refusal import Refusals

Word = TypeVar("Word")


class Fields:
    """Names to values; null and an empty text count as absent.

    A venue's own fields have its table of refusals, of which `missing` and `bad` are used here,
    and its limits of a page.
    """

    refused: ClassVar[Refusals]
    rows_usual: ClassVar[int]
    """How many rows a page has where the request does not say."""
    rows_max: ClassVar[int]

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def has(self, name: str) -> bool:
        """Whether the field was sent."""
        return bool(self.text(name))

    def text(self, name: str, default: str = "") -> str:
        """The field as text, or the default; booleans and numbers as JSON writes them."""
        value = self._values.get(name)
        if value is None or value == "":
            return default
        return str(value).lower() if isinstance(value, bool) else str(value)

    def needed(self, name: str) -> str:
        """The field; refused (`missing`) without it."""
        found = self.text(name)
        if not found:
            raise self.refused("missing", name=name)
        return found

    def whole(self, name: str) -> int | None:
        """The field as a whole number, None where absent; refused (`bad`) where it is none."""
        found = self.text(name)
        if not found:
            return None
        if not found.isdecimal():
            raise self.refused("bad", name=name)
        return int(found)

    def decimal(self, name: str) -> Decimal:
        """The field as an exact number, zero where absent; refused (`bad`) where it is none."""
        try:
            value = Decimal(self.text(name, "0"))
        except InvalidOperation:
            raise self.refused("bad", name=name) from None
        return value if value.is_finite() else ZERO

    def flag(self, name: str) -> bool:
        """Whether the field says true."""
        return self.text(name).lower() == "true"

    def word(self, name: str, words: Mapping[str, Word], default: str | None = None) -> Word:
        """What the field's word stands for; refused (`bad`) where the venue has no such word."""
        found = self.needed(name) if default is None else self.text(name, default)
        if found not in words:
            raise self.refused("bad", name=name)
        return words[found]

    def limit(self) -> int:
        """How many rows a page may have."""
        limit = self.whole("limit")
        return min(self.rows_usual if limit is None else limit, self.rows_max)
