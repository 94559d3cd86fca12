"""Between the box's words and Bybit's: sides, types, states, reasons. Pure."""

from simulator.instrument import Product
from simulator.matching import Order

CATEGORIES: dict[str, Product] = {"spot": "spot", "linear": "linear", "inverse": "inverse"}
SIDES = {"Buy": "BUY", "Sell": "SELL"}
ORDER_TYPES = {"Limit": "LIMIT", "Market": "MARKET"}
TIMES_IN_FORCE = {"GTC": "GTC", "IOC": "IOC", "FOK": "FOK", "PostOnly": "GTX"}
POSITION_SIDES = {"0": "BOTH", "1": "LONG", "2": "SHORT"}
SELF_TRADE_MODES = {
    "None": "NONE",
    "CancelMaker": "EXPIRE_MAKER",
    "CancelTaker": "EXPIRE_TAKER",
    "CancelBoth": "EXPIRE_BOTH",
}
MODE_NAMES = {mode: name for name, mode in SELF_TRADE_MODES.items()}
STATES = {
    "NEW": "New",
    "PARTIALLY_FILLED": "PartiallyFilled",
    "FILLED": "Filled",
    "CANCELED": "Cancelled",
    "REJECTED": "Rejected",
    "WAITING_TRIGGER": "Untriggered",
    "TRIGGERED": "Triggered",
    "DEACTIVATED": "Deactivated",
}
REASONS = {
    "USER": ("CancelByUser", "EC_PerCancelRequest"),
    "STP": ("CancelBySmp", "EC_BySelfMatch"),
    "REDUCE_ONLY": ("CancelByReduceOnly", "EC_NoError"),
    "LIQUIDATION": ("CancelByPrepareLiq", "EC_NoError"),
    "ADL": ("CancelByPrepareAdl", "EC_NoError"),
    "POSITION": ("CancelByTpSlTsClear", "EC_NoError"),
    "VENUE": ("CancelByAdmin", "EC_NoError"),
    "POST_ONLY": ("UNKNOWN", "EC_PostOnlyWillTakeLiquidity"),
    "IOC": ("UNKNOWN", "EC_NoImmediateQtyToFill"),
    "MARKET": ("UNKNOWN", "EC_NoImmediateQtyToFill"),
    "FOK": ("UNKNOWN", "EC_CancelForNoFullFill"),
}
"""`cancelType` and `rejectReason` (docs/venues/bybit.md 4.2)."""
TOO_LATE = ("CancelByUser", "EC_OrigClOrdIDDoesNotExist")
NOTHING_SAID = ("UNKNOWN", "EC_NoError")
BY_USER = "CreateByUser"
CREATED_BY = {
    "Stop": "CreateByStopOrder",
    "TakeProfit": "CreateByTakeProfit",
    "StopLoss": "CreateByStopLoss",
    "TrailingStop": "CreateByTrailingStop",
}
TAKEOVER, DELEVERAGING = "CreateByTakeOver_PassThrough", "CreateByAdl_PassThrough"
EXECUTION_TYPES = {TAKEOVER: "BustTrade", DELEVERAGING: "AdlTrade"}


def state_of(order: Order, product: Product) -> tuple[str, str, str]:
    """`orderStatus`, `cancelType` and `rejectReason`."""
    if order.status == "CANCELED" and order.reason == "VENUE" and order.filled:
        # Only the rest was refused (docs/venues/bybit.md, trap 2).
        return ("Rejected", "UNKNOWN", "EC_ReachRiskPriceLimit")
    is_ended = order.status in ("CANCELED", "DEACTIVATED", "REJECTED")
    why = REASONS.get(order.reason, ("UNKNOWN", "EC_Others")) if is_ended else NOTHING_SAID
    state = STATES[order.status]
    if state == "Cancelled" and product == "spot" and order.filled:
        state = "PartiallyFilledCanceled"
    return (state, *why)


def time_in_force(order: Order) -> str:
    """`timeInForce`: an order at market is one that takes at once or never."""
    if order.is_market:
        return "IOC"
    return "PostOnly" if order.time_in_force == "GTX" else order.time_in_force


def position_index(side: str) -> int:
    """`positionIdx`."""
    return {"LONG": 1, "SHORT": 2}.get(side, 0)
