"""The fields of one request, each read with the refusal that OKX gives. Pure."""

from typing import ClassVar, cast

from simulator.instrument import Side
from simulator.okx.refusals import refused
from simulator.okx.words import ORDER_TYPES, POSITION_SIDES, SELF_TRADE_MODES, SIDES
from simulator.refusal import Refusals
from simulator.wire import fields


class Fields(fields.Fields):
    """Query, body or row of a request."""

    refused: ClassVar[Refusals] = refused
    rows_usual: ClassVar[int] = 100
    rows_max: ClassVar[int] = 100

    def side(self) -> Side:
        """`side`."""
        return cast(Side, self.word("side", SIDES))

    def order_type(self) -> tuple[str, str]:
        """`ordType`, as type and time in force."""
        return self.word("ordType", ORDER_TYPES)

    def position_side(self) -> str:
        """`posSide`."""
        return self.word("posSide", POSITION_SIDES, "")

    def self_trade_mode(self) -> str:
        """`stpMode`; cancel_maker where absent."""
        return self.word("stpMode", SELF_TRADE_MODES, "cancel_maker")

    def named(self, id_name: str, client_name: str) -> tuple[int | None, str]:
        """An order's id, None where absent and zero where it is nobody's, and its client id."""
        order_id, client_id = self.text(id_name), self.text(client_name)
        if not order_id:
            return (None, client_id or self.needed(id_name))
        return (int(order_id) if order_id.isdecimal() else 0, client_id)
