"""The fields of one request, each read with the refusal that OKX gives. Pure."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import cast

from simulator.instrument import ZERO, Side
from simulator.okx.refusals import refused
from simulator.okx.words import ORDER_TYPES, POSITION_SIDES, SELF_TRADE_MODES, SIDES

LIMIT_MAX = 100


class Fields:
    """Names to values; an empty text counts as absent."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def text(self, name: str, default: str = "") -> str:
        """The field as text, or the default; booleans and numbers as JSON writes them."""
        value = self._values.get(name)
        if value is None or value == "":
            return default
        return str(value).lower() if isinstance(value, bool) else str(value)

    def needed(self, name: str) -> str:
        """The field; `Refusal` 50014 without it."""
        found = self.text(name)
        if not found:
            raise refused("missing", name=name)
        return found

    def whole(self, name: str) -> int | None:
        """The field as a whole number, None where absent."""
        found = self.text(name)
        if not found:
            return None
        if not found.isdecimal():
            raise refused("bad", name=name)
        return int(found)

    def decimal(self, name: str) -> Decimal:
        """The field as an exact number, zero where absent."""
        try:
            value = Decimal(self.text(name, "0"))
        except InvalidOperation:
            raise refused("bad", name=name) from None
        return value if value.is_finite() else ZERO

    def flag(self, name: str) -> bool:
        """Whether the field says true."""
        return self.text(name) == "true"

    def side(self) -> Side:
        """`side`."""
        side = SIDES.get(self.needed("side"))
        if side is None:
            raise refused("bad", name="side")
        return cast(Side, side)

    def order_type(self) -> tuple[str, str]:
        """`ordType`, as type and time in force."""
        words = ORDER_TYPES.get(self.needed("ordType"))
        if words is None:
            raise refused("bad", name="ordType")
        return words

    def position_side(self) -> str:
        """`posSide`."""
        side = POSITION_SIDES.get(self.text("posSide"))
        if side is None:
            raise refused("bad", name="posSide")
        return side

    def self_trade_mode(self) -> str:
        """`stpMode`; cancel_maker where absent."""
        mode = SELF_TRADE_MODES.get(self.text("stpMode", "cancel_maker"))
        if mode is None:
            raise refused("bad", name="stpMode")
        return mode

    def named_order(self) -> tuple[int | None, str]:
        """`ordId`, None where absent and zero where it is nobody's, and `clOrdId`."""
        order_id, client_id = self.text("ordId"), self.text("clOrdId")
        if not order_id:
            return (None, client_id or self.needed("ordId"))
        return (int(order_id) if order_id.isdecimal() else 0, client_id)

    def limit(self) -> int:
        """How many rows a page may have, at most 100."""
        limit = self.whole("limit")
        return min(LIMIT_MAX if limit is None else limit, LIMIT_MAX)
