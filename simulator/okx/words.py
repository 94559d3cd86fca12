"""Between the box's words and OKX's: sides, order types, states, reasons. Pure."""

from simulator.accounts import Fill
from simulator.instrument import plain
from simulator.matching import Order

STATES = {
    "NEW": "live",
    "PARTIALLY_FILLED": "partially_filled",
    "FILLED": "filled",
    "CANCELED": "canceled",
}
KINDS = {"spot": "SPOT", "linear": "SWAP", "inverse": "SWAP"}
"""`instType`."""
SIDES = {"buy": "BUY", "sell": "SELL"}
POSITION_SIDES = {"": "BOTH", "net": "BOTH", "long": "LONG", "short": "SHORT"}
ORDER_TYPES = {
    "limit": ("LIMIT", "GTC"),
    "post_only": ("LIMIT", "GTX"),
    "ioc": ("LIMIT", "IOC"),
    "fok": ("LIMIT", "FOK"),
    "market": ("MARKET", "GTC"),
    "optimal_limit_ioc": ("MARKET", "IOC"),
}
_NAMES = {words: name for name, words in ORDER_TYPES.items()}
SELF_TRADE_MODES = {
    "cancel_maker": "EXPIRE_MAKER",
    "cancel_taker": "EXPIRE_TAKER",
    "cancel_both": "EXPIRE_BOTH",
}
_MODES = {mode: name for name, mode in SELF_TRADE_MODES.items()}
CANCEL_SOURCES = {
    "VENUE": "0",
    "USER": "1",
    "LIQUIDATION": "3",
    "ADL": "6",
    "FOK": "13",
    "IOC": "14",
    "MARKET": "14",
    "TIMER": "20",
    "REDUCE_ONLY": "23",
    "POST_ONLY": "31",
    "STP": "32",
}
"""docs/venues/okx.md 4.2."""
SOURCE_TEXTS = {
    "0": "Order canceled by system.",
    "1": "Order canceled by user.",
    "3": "Order canceled: your maintenance margin ratio was too low.",
    "6": "Order canceled by ADL.",
    "13": "FOK order canceled: it could not be filled in full.",
    "14": "IOC order canceled: the rest could not be filled.",
    "20": "Cancel all after triggered.",
    "23": "Reduce-only order canceled: it was displaced.",
    "31": "Post-only order canceled: it would have taken liquidity.",
    "32": "Self trade prevention.",
}

SUB_TYPES = {
    ("", "BOTH", "BUY"): "1", ("", "BOTH", "SELL"): "2", ("", "LONG", "BUY"): "3",
    ("", "SHORT", "SELL"): "4", ("", "LONG", "SELL"): "5", ("", "SHORT", "BUY"): "6",
    ("LIQUIDATION", "BOTH", "BUY"): "106", ("LIQUIDATION", "BOTH", "SELL"): "107",
    ("LIQUIDATION", "LONG", "SELL"): "104", ("LIQUIDATION", "SHORT", "BUY"): "105",
    ("ADL", "BOTH", "BUY"): "127", ("ADL", "BOTH", "SELL"): "128",
    ("ADL", "LONG", "SELL"): "125", ("ADL", "SHORT", "BUY"): "126",
}  # fmt: skip
"""By what forced it, position side and side."""


text = plain


def cancel_source(order: Order) -> str:
    """`cancelSource`; empty where it was not canceled."""
    return CANCEL_SOURCES[order.reason] if order.status == "CANCELED" else ""


def order_type(order: Order) -> str:
    """`ordType`, which holds the time in force."""
    return _NAMES.get((order.order_type, order.time_in_force), "limit")


def sub_type(fill: Fill) -> str:
    """`subType` of an execution."""
    return SUB_TYPES[fill.forced, fill.position_side, fill.side]


def position_side(side: str) -> str:
    """`posSide` of a contract."""
    return "net" if side == "BOTH" else side.lower()


def self_trade_mode(mode: str) -> str:
    """`stpMode`."""
    return _MODES[mode]
