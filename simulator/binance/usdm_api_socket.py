"""The USD-M WS API: order entry, a few questions, listenKeys; it pushes nothing.

docs/venues/binance.md 8.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from simulator.binance.api_socket import ApiSession, ApiSocket, ApiWire, Kind
from simulator.binance.listen_keys import PATH, listen_key_calls
from simulator.binance.refusals import refused
from simulator.binance.usdm_calls import USDM_CALLS
from simulator.sockets import Sockets
from simulator.wire.calls import Call
from simulator.wire.tickets import Tickets

USDM_API = Kind("linear-api", "linear", "linear-api", connect_weight=5)
DECIMALS = frozenset({"price", "quantity", "triggerPrice", "activatePrice", "callbackRate"})
"""What must be sent as a text."""
USDM_METHODS = {
    "order.place": ("POST", "/fapi/v1/order"),
    "order.modify": ("PUT", "/fapi/v1/order"),
    "order.cancel": ("DELETE", "/fapi/v1/order"),
    "order.status": ("GET", "/fapi/v1/order"),
    "algoOrder.place": ("POST", "/fapi/v1/algoOrder"),
    "algoOrder.cancel": ("DELETE", "/fapi/v1/algoOrder"),
    "account.position": ("GET", "/fapi/v2/positionRisk"),
    "v2/account.position": ("GET", "/fapi/v3/positionRisk"),
    "account.balance": ("GET", "/fapi/v2/balance"),
    "v2/account.balance": ("GET", "/fapi/v3/balance"),
    "account.status": ("GET", "/fapi/v2/account"),
    "v2/account.status": ("GET", "/fapi/v3/account"),
    "userDataStream.start": ("POST", PATH),
    "userDataStream.ping": ("PUT", PATH),
    "userDataStream.stop": ("DELETE", PATH),
}
"""By the REST call that each equals; there is none that cancels all, or lists what is open."""


class UsdmApiSession(ApiSession):
    """One connection's requests."""

    kind: ClassVar[Kind] = USDM_API

    def __init__(self, calls: Mapping[tuple[str, str], Call], *wire: Any, **options: Any) -> None:
        super().__init__(*wire, **options)
        self._calls = calls

    def call_of(self, method: str) -> Call | None:
        """By the table of methods."""
        return self._calls[USDM_METHODS[method]] if method in USDM_METHODS else None

    def check_form(self, params: Mapping[str, object]) -> None:
        """Decimal numbers are texts (docs/venues/binance.md 2.3)."""
        for name in DECIMALS & params.keys():
            if not isinstance(params[name], str):
                raise refused("bad", name=name)


def usdm_api(wire: ApiWire, sockets: Sockets, keys: Tickets) -> ApiSocket:
    """What serves `/ws-fapi/v1`, with the listenKeys of the box."""
    make = partial(UsdmApiSession, USDM_CALLS | listen_key_calls(keys))
    return ApiSocket(wire, sockets, USDM_API, make)
