"""Binance's words in ours. Pure tables; a word that is not here is counted, never guessed.

Manuals: "ENUM definitions" and "User Data Streams" of Spot, "Event: Order Update" of USD-M futures
(https://developers.binance.com/docs).
"""

from typing import Final

from orderloom.words import (
    OrderType,
    PositionSide,
    Reason,
    Side,
    Status,
    TimeInForce,
    TriggerType,
)

SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}

# One-way mode calls the only leg BOTH.
POSITION_SIDES: Final = {
    "BOTH": PositionSide.NET,
    "LONG": PositionSide.LONG,
    "SHORT": PositionSide.SHORT,
}

# Which price triggers a conditional order of USD-M; on Spot it is always the last trade's.
WORKING_TYPES: Final = {"CONTRACT_PRICE": TriggerType.LAST, "MARK_PRICE": TriggerType.MARK}

MARGIN_MODES: Final = {
    "cross": "cross",
    "crossed": "cross",
    "CROSSED": "cross",
    "isolated": "isolated",
    "ISOLATED": "isolated",
}

# PENDING_NEW: the second leg of an order list waits for the first. EXPIRED_IN_MATCH: self-trade
# prevention, which is this venue's EXPIRED with a reason of its own.
STATUSES: Final = {
    "NEW": Status.ACTIVE,
    "PENDING_NEW": Status.WAITING_TRIGGER,
    "PARTIALLY_FILLED": Status.PARTIALLY_FILLED,
    "FILLED": Status.FILLED,
    "CANCELED": Status.CANCELED,
    "PENDING_CANCEL": Status.ACTIVE,
    "REJECTED": Status.REJECTED,
    "EXPIRED": Status.EXPIRED,
    "EXPIRED_IN_MATCH": Status.EXPIRED,
}

# Liquidation fills that look alive: judged by quantity (no longer in the manual, still sent).
BY_QUANTITY: Final = frozenset({"NEW_ADL", "NEW_INSURANCE"})

# TRIGGERED has reached the engine; FINISHED ended there, filled or not: its order says how.
ALGO_STATUSES: Final = {
    "NEW": Status.WAITING_TRIGGER,
    "TRIGGERING": Status.WAITING_TRIGGER,
    "TRIGGERED": Status.ACTIVE,
    "FINISHED": None,
    "CANCELED": Status.CANCELED,
    "EXPIRED": Status.EXPIRED,
    "REJECTED": Status.REJECTED,
}

CONDITIONAL_TYPES: Final = frozenset(
    {
        "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT",
        "STOP", "STOP_MARKET", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET",
    }
)  # fmt: skip
ORDER_TYPES: Final = {
    word: OrderType(word)
    for word in ("LIMIT", "MARKET", "LIMIT_MAKER", "LIQUIDATION", *CONDITIONAL_TYPES)
}
# GTE_GTC: until its position is closed, or canceled.
TIMES_IN_FORCE: Final = {
    word: TimeInForce(word) for word in ("GTC", "IOC", "FOK", "GTX", "GTD", "RPI", "GTE_GTC")
}

# What one report of the stream is about; True where it must hold an execution. Any other may hold
# one too: its quantity and id say so.
SPOT_EXECUTION_TYPES: Final = {
    "NEW": False, "CANCELED": False, "REPLACED": False, "REJECTED": False, "TRADE": True,
    "EXPIRED": False, "TRADE_PREVENTION": False,
}  # fmt: skip
LINEAR_EXECUTION_TYPES: Final = {
    "NEW": False, "CANCELED": False, "CALCULATED": True, "EXPIRED": False, "TRADE": True,
    "AMENDMENT": False,
}  # fmt: skip

# Spot: field eR of the stream, expiryReason of REST.
SPOT_EXPIRY_REASONS: Final = {
    "NONE": None,
    "REJECTED": Reason.LIFECYCLE_REJECT,
    "EXCHANGE_CANCELED": Reason.VENUE_CANCEL,
    "OCO_TRIGGER": Reason.LINKED_ORDER,
    "OTO_PHASE_ONE_EXPIRED": Reason.LINKED_ORDER,
    "UNFILLED_IOC_QUANTITY_EXPIRED": Reason.TIME_IN_FORCE,
    "UNFILLED_FOK_ORDER_EXPIRED": Reason.TIME_IN_FORCE,
    "INSUFFICIENT_LIQUIDITY": Reason.TIME_IN_FORCE,
    "EXECUTION_RULE_PRICE_RANGE_EXCEEDED": Reason.VENUE_CANCEL,
}
# Spot: field r of the stream.
SPOT_REJECT_REASONS: Final = {
    "NONE": None,
    "INSUFFICIENT_BALANCES": Reason.INSUFFICIENT_BALANCE,
    "INSUFFICIENT_BALANCE": Reason.INSUFFICIENT_BALANCE,
    "WOULD_MATCH_IMMEDIATELY": Reason.POST_ONLY,
    "STOP_PRICE_WOULD_TRIGGER_IMMEDIATELY": Reason.LIFECYCLE_REJECT,
    "OCO_BAD_PRICES": Reason.LIFECYCLE_REJECT,
}
# USD-M: field er. 3: IOC remainder because of self-trade prevention; 6: its position is gone;
# 8: gave way to the order that its stop triggered; 10 and 11 stand on the COIN-M page only.
LINEAR_EXPIRY_REASONS: Final = {
    "0": None,
    "1": Reason.SELF_TRADE_PREVENTION,
    "2": Reason.TIME_IN_FORCE,
    "3": Reason.SELF_TRADE_PREVENTION,
    "4": Reason.REDUCE_ONLY,
    "5": Reason.LIQUIDATION,
    "6": Reason.LINKED_ORDER,
    "7": Reason.MARKET_CLOSED,
    "8": Reason.REPLACED,
    "9": Reason.TIME_IN_FORCE,
    "10": Reason.TIME_IN_FORCE,
    "11": Reason.POST_ONLY,
}
# USD-M client order ids of orders that the venue itself places.
SYSTEM_PREFIXES: Final = (
    ("autoclose-", Reason.LIQUIDATION),
    ("adl_autoclose", Reason.ADL),
    ("settlement_autoclose-", Reason.SETTLEMENT),
    ("delivery_autoclose-", Reason.SETTLEMENT),
)
# An EXPIRED that gives no reason: what the order's own terms say.
EXPIRY_BY_TERMS: Final = {
    "IOC": Reason.TIME_IN_FORCE,
    "FOK": Reason.TIME_IN_FORCE,
    "GTX": Reason.POST_ONLY,
    "MARKET": Reason.TIME_IN_FORCE,
}
