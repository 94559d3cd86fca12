"""The fields of one request, each read with the refusal that its system gives. Pure."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, cast

from simulator.instrument import ZERO, Side
from simulator.kraken.refusals import futures_refused, spot_refused
from simulator.kraken.words import number_of_txid
from simulator.refusal import Refusals
from simulator.wire.fields import Fields

SIDES = {"buy": "BUY", "sell": "SELL"}
SPOT_TYPES = {"limit": "LIMIT", "iceberg": "LIMIT", "market": "MARKET"}
SPOT_TIMES = {name: name for name in ("GTC", "IOC", "FOK")}
SELF_TRADE_MODES = {
    "cancel-newest": "EXPIRE_TAKER",
    "cancel-oldest": "EXPIRE_MAKER",
    "cancel-both": "EXPIRE_BOTH",
}
SOCKET_NAMES = {
    "order_type": "ordertype", "side": "type", "order_qty": "volume", "symbol": "pair",
    "limit_price": "price", "time_in_force": "timeinforce", "stp_type": "stptype",
    "order_userref": "userref",
}  # fmt: skip


class SpotFields(Fields):
    """The form, or the object, of a request to Spot."""

    refused: ClassVar[Refusals] = spot_refused
    rows_usual: ClassVar[int] = 50
    rows_max: ClassVar[int] = 50

    @classmethod
    def of_socket(cls, params: Mapping[str, object]) -> "SpotFields":
        """The same wish as it stands on the socket, in the names and words of REST."""
        named = {SOCKET_NAMES.get(name, name): value for name, value in params.items()}
        for name in ("timeinforce", "stptype"):
            if isinstance(value := named.get(name), str):
                named[name] = value.upper() if name == "timeinforce" else value.replace("_", "-")
        if named.get("cash_order_qty") is not None:
            named |= {"volume": named["cash_order_qty"], "oflags": "viqc"}
        elif named.get("post_only"):
            named["oflags"] = "post"
        return cls(named)

    def side(self) -> Side:
        """`type`."""
        return cast(Side, self.word("type", SIDES))

    def has_flag(self, name: str) -> bool:
        """Whether `oflags` has the word."""
        return name in self.text("oflags").split(",")

    def moment(self, name: str) -> Decimal | None:
        """A time in seconds; None where there is none, or an id stands there."""
        said = self.text(name)
        return None if not said or number_of_txid(said) else self.decimal(name)

    def is_late(self, now_ms: int) -> bool:
        """Whether `deadline` is over."""
        if not (said := self.text("deadline")):
            return False
        try:
            return datetime.fromisoformat(said).timestamp() * 1000 < now_ms
        except ValueError:
            raise spot_refused("bad", name="deadline") from None


FUTURES_TYPES = {
    "lmt": ("LIMIT", "GTC"),
    "post": ("LIMIT", "GTX"),
    "ioc": ("LIMIT", "IOC"),
    "fok": ("LIMIT", "FOK"),
    "mkt": ("MARKET", "GTC"),
}


class FuturesFields(Fields):
    """The parameters of a request to Futures."""

    refused: ClassVar[Refusals] = futures_refused
    rows_usual: ClassVar[int] = 50
    rows_max: ClassVar[int] = 1000

    def side(self) -> Side:
        """`side`."""
        return cast(Side, self.word("side", SIDES))

    def order_type(self) -> tuple[str, str]:
        """`orderType`, as type and time in force."""
        return self.word("orderType", FUTURES_TYPES)

    def listed(self, name: str) -> list[str]:
        """A parameter that may come several times."""
        value = self._values.get(name)
        return (
            [str(one) for one in value] if isinstance(value, list) else self.text(name).split(",")
        )

    def size(self) -> Decimal:
        """`size`; refused without it."""
        return self.decimal("size") if self.needed("size") else ZERO
