"""OKX's words in ours. Pure tables; a word that is not here is counted, never guessed.

Manual: "Order channel", "GET Order details", "WS Algo orders channel"
(https://www.okx.com/docs-v5).
"""

from typing import Final

from orderloom.words import (
    Liquidity,
    OrderType,
    PositionSide,
    Reason,
    Side,
    Status,
    TimeInForce,
    TriggerType,
)

SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
POSITION_SIDES: Final = {
    "net": PositionSide.NET,
    "long": PositionSide.LONG,
    "short": PositionSide.SHORT,
}
MARGIN_MODES: Final = {"cross": "cross", "isolated": "isolated"}
LIQUIDITIES: Final = {"M": Liquidity.MAKER, "T": Liquidity.TAKER}

# There is no rejected state: a refusal is an `sCode`, or `live` followed by `canceled`.
STATES: Final = {
    "live": Status.ACTIVE,
    "partially_filled": Status.PARTIALLY_FILLED,
    "filled": Status.FILLED,
    "canceled": Status.CANCELED,
    "mmp_canceled": Status.CANCELED,
}

# ordType says both: our order type, our time in force. `elp` is the older name of `rpi`.
ORDER_TYPES: Final[dict[str, tuple[OrderType, TimeInForce | None]]] = {
    "market": (OrderType.MARKET, None),
    "limit": (OrderType.LIMIT, TimeInForce.GTC),
    "post_only": (OrderType.LIMIT_MAKER, TimeInForce.GTC),
    "fok": (OrderType.LIMIT, TimeInForce.FOK),
    "ioc": (OrderType.LIMIT, TimeInForce.IOC),
    "optimal_limit_ioc": (OrderType.MARKET, TimeInForce.IOC),
    "mmp": (OrderType.LIMIT, TimeInForce.GTC),
    "mmp_and_post_only": (OrderType.LIMIT_MAKER, TimeInForce.GTC),
    "op_fok": (OrderType.LIMIT, TimeInForce.FOK),
    "rpi": (OrderType.LIMIT_MAKER, TimeInForce.RPI),
    "elp": (OrderType.LIMIT_MAKER, TimeInForce.RPI),
}

# What made an order, where it was not a user. `twap` is a forced repayment by the system.
CATEGORIES: Final = {
    "normal": None,
    "twap": Reason.LIQUIDATION,
    "adl": Reason.ADL,
    "full_liquidation": Reason.LIQUIDATION,
    "partial_liquidation": Reason.LIQUIDATION,
    "delivery": Reason.SETTLEMENT,
    "ddh": None,
    "auto_conversion": None,
}

_BY_CANCEL_SOURCE: Final = {
    # 0 the system, 4 borrow cap, 15 price beyond limit, 27 price gap of the counterparty, 33 more
    # than 1000 makers, 39 MMP, 42 chase distance, 43 index, 44 conversion, 45 RPI, 46 delta.
    Reason.VENUE_CANCEL: (0, 4, 15, 27, 33, 39, 42, 43, 44, 45, 46),
    Reason.USER_CANCEL: (1, 38),
    Reason.REDUCE_ONLY: (2, 17, 22, 23),
    Reason.LIQUIDATION: (3,),
    Reason.ADL: (6,),
    Reason.SETTLEMENT: (7, 10),
    Reason.INSUFFICIENT_BALANCE: (9,),
    Reason.TIME_IN_FORCE: (13, 14),
    Reason.DEAD_MAN: (20,),
    Reason.LINKED_ORDER: (21, 36, 37),
    Reason.POST_ONLY: (31,),
    Reason.SELF_TRADE_PREVENTION: (32,),
}
CANCEL_SOURCES: Final = {
    str(code): reason for reason, codes in _BY_CANCEL_SOURCE.items() for code in codes
}

# Fill rows say by number what made them: 100-107 liquidation, 110 and 111 its transfers, 112 and
# 113 delivery, 125-128 ADL.
FILL_REASONS: Final = {
    **dict.fromkeys(map(str, (*range(100, 108), 110, 111)), Reason.LIQUIDATION),
    **dict.fromkeys(("112", "113"), Reason.SETTLEMENT),
    **dict.fromkeys(map(str, range(125, 129)), Reason.ADL),
}

# Conditional orders that become one order when they trigger.
ALGO_TYPES: Final = {
    "conditional": OrderType.STOP,
    "oco": OrderType.OCO,
    "trigger": OrderType.STOP,
    "move_order_stop": OrderType.TRAILING_STOP_MARKET,
}
# Those that place order after order: the orders report themselves.
ALGO_STRATEGIES: Final = frozenset({"iceberg", "smart_iceberg", "twap", "chase"})
ALGO_STATES: Final = {
    "live": Status.WAITING_TRIGGER,
    "pause": Status.WAITING_TRIGGER,
    # A part of it became an order; what is left still waits.
    "partially_effective": Status.WAITING_TRIGGER,
    # Under the ids of what it became.
    "effective": Status.ACTIVE,
    "canceled": Status.CANCELED,
    "order_failed": Status.REJECTED,
    # Unless a part of it became an order: `algo_row` looks for that.
    "partially_failed": Status.REJECTED,
}
TRIGGER_TYPES: Final = {
    "last": TriggerType.LAST,
    "mark": TriggerType.MARK,
    "index": TriggerType.INDEX,
}
# `source` of an order that a conditional order became: 6 trigger, 7 take-profit or stop-loss,
# 25 trailing. 13 and 34 are among many children of a strategy.
PARENT_SOURCES: Final = frozenset({"6", "7", "25"})
# A take-profit or stop-loss may be split: then it became several (`ordIdList` names them all).
SPLIT_SOURCES: Final = frozenset({"7"})
