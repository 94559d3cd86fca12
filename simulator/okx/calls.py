"""Every REST call and socket operation, with its rate (docs/venues/okx.md 7 and 8)."""

from dataclasses import dataclass

from simulator.journal import Wish
from simulator.okx import algo_calls as algos
from simulator.okx import query_calls as queries
from simulator.okx import trade_calls as trades
from simulator.okx.limits import Rate
from simulator.okx.switch import cancel_all_after
from simulator.okx.trade_calls import Trade
from simulator.wire.calls import Call
from simulator.wire.wishes import Said

SYMBOL = ("instId",)
PLACED = Said("place", SYMBOL, ("clOrdId",), (), ("side",), ("px",), ("sz",))
AMENDED = Said("amend", SYMBOL, ("clOrdId",), ("ordId",), (), ("newPx",), ("newSz",))
CANCELED = Said("cancel", SYMBOL, ("clOrdId",), ("ordId",), (), (), ())
COUNTDOWN = Said("countdown", (), (), (), (), (), ("timeOut",))
PLACED_ALGO = Said(
    "place", SYMBOL, ("algoClOrdId",), (), ("side",),
    ("triggerPx", "slTriggerPx", "tpTriggerPx", "callbackRatio"), ("sz",), is_conditional=True,
)  # fmt: skip
CANCELED_ALGO = Said(
    "cancel", SYMBOL, ("algoClOrdId",), ("algoId",), (), (), (), is_conditional=True
)


@dataclass(frozen=True, slots=True)
class Operation:
    """A wish that changes orders; REST and the socket share its counter."""

    name: str
    act: Trade
    is_batch: bool = False
    has_deadline: bool = False
    """Whether `expTime` counts."""
    makes_orders: bool = False
    """Whether it counts to the limit of new and amended orders."""
    is_algo: bool = False
    """Whether it is about conditional orders, which have limits of their own."""
    is_timer: bool = False
    """Whether it is the dead man's switch."""
    said: Said = PLACED
    """Where its rows say what they are about."""

    def nothing(self, account: str) -> Wish:
        """A wish that cannot be read."""
        return Wish(self.said.verb, account)

    @property
    def rate(self) -> Rate:
        """Single and batch calls are counted apart."""
        if self.is_algo:
            return Rate(20, "user+instrument")
        return Rate(300 if self.is_batch else 60, "user+instrument")


PLACE = Operation("order", trades.place, has_deadline=True, makes_orders=True)
AMEND = Operation("amend-order", trades.amend, has_deadline=True, makes_orders=True, said=AMENDED)
CANCEL = Operation("cancel-order", trades.cancel, said=CANCELED)
PLACE_MANY = Operation("batch-orders", trades.place, True, True, True)
AMEND_MANY = Operation("batch-amend-orders", trades.amend, True, True, True, said=AMENDED)
CANCEL_MANY = Operation("batch-cancel-orders", trades.cancel, is_batch=True, said=CANCELED)
PLACE_ALGO = Operation("order-algo", algos.place, is_algo=True, said=PLACED_ALGO)
CANCEL_ALGOS = Operation(
    "cancel-algos", algos.cancel, is_batch=True, is_algo=True, said=CANCELED_ALGO
)
CANCEL_ALL_AFTER = Operation("cancel-all-after", cancel_all_after, is_timer=True, said=COUNTDOWN)

SOCKET_OPERATIONS = {
    operation.name: operation
    for operation in (PLACE, AMEND, CANCEL, PLACE_MANY, AMEND_MANY, CANCEL_MANY)
}
REST_OPERATIONS = {
    "/api/v5/trade/order": PLACE,
    "/api/v5/trade/amend-order": AMEND,
    "/api/v5/trade/cancel-order": CANCEL,
    "/api/v5/trade/batch-orders": PLACE_MANY,
    "/api/v5/trade/amend-batch-orders": AMEND_MANY,
    "/api/v5/trade/cancel-batch-orders": CANCEL_MANY,
    "/api/v5/trade/order-algo": PLACE_ALGO,
    "/api/v5/trade/cancel-algos": CANCEL_ALGOS,
    "/api/v5/trade/cancel-all-after": CANCEL_ALL_AFTER,
}
QUERIES = {
    "/api/v5/public/time": Call(queries.server_time, Rate(10, "ip"), "none"),
    "/api/v5/public/instruments": Call(queries.instruments, Rate(20, "ip"), "none"),
    "/api/v5/system/status": Call(queries.system_status, Rate(1, "ip"), "none"),
    "/api/v5/account/instruments": Call(queries.instruments, Rate(20)),
    "/api/v5/account/config": Call(queries.config, Rate(5)),
    "/api/v5/account/balance": Call(queries.balance, Rate(10)),
    "/api/v5/account/positions": Call(queries.positions, Rate(10)),
    "/api/v5/asset/currencies": Call(queries.currencies, Rate(12)),
    "/api/v5/trade/account-rate-limit": Call(queries.rate_state, Rate(2)),
    "/api/v5/trade/order": Call(queries.one_order, Rate(60, "user+instrument")),
    "/api/v5/trade/orders-pending": Call(queries.pending, Rate(60), is_paged=True),
    "/api/v5/trade/orders-history": Call(queries.history, Rate(40), is_paged=True),
    "/api/v5/trade/orders-history-archive": Call(queries.archive, Rate(20), is_paged=True),
    "/api/v5/trade/fills": Call(queries.fills, Rate(60), is_paged=True),
    "/api/v5/trade/fills-history": Call(queries.fills_history, Rate(10), is_paged=True),
    "/api/v5/trade/order-algo": Call(algos.one, Rate(20)),
    "/api/v5/trade/orders-algo-pending": Call(algos.pending, Rate(20), is_paged=True),
    "/api/v5/trade/orders-algo-history": Call(algos.history, Rate(20), is_paged=True),
}
