"""The words of Kraken Spot and of Kraken Futures in ours. Pure tables.

A word that is not here is counted, never guessed. Futures answers write the same words in several
ways (`new_placed_order_by_user`, `NEW_USER_ORDER`): each way that is documented has its line.
`unknown` is a word of Futures' own, for what its gateway could not read: it says nothing here.

Manual: "Executions" (Spot WebSocket v2), "Get Open Orders" (Spot REST), "Open Orders", "Fills"
(Futures WebSocket), "Get Specific Orders' Status", "Get Order Events" (Futures REST).
"""

from typing import Final, NamedTuple

from orderloom.words import (
    Liquidity,
    OrderType,
    PositionSide,
    Product,
    Reason,
    Side,
    Status,
    TimeInForce,
    TriggerType,
)

SPOT: Final = Product.SPOT.value
LINEAR: Final = Product.LINEAR.value
INVERSE: Final = Product.INVERSE.value
FUTURES: Final = (LINEAR, INVERSE)
PREFIXES: Final = {"PF": LINEAR, "FF": LINEAR, "PI": INVERSE, "FI": INVERSE}
"""What a contract's name begins with, before its first `_`."""

LEGACY_ASSETS: Final = {
    **{f"X{name}": name for name in (
        "ETC", "ETH", "ICN", "LTC", "MLN", "NMC", "REP", "VEN", "XLM", "XMR", "XRP", "ZEC",
    )},
    **{f"Z{name}": name for name in ("AUD", "CAD", "EUR", "GBP", "JPY", "KRW", "USD")},
    **dict.fromkeys(("XBT", "XXBT"), "BTC"),
    **dict.fromkeys(("XDG", "XXDG"), "DOGE"),
}  # fmt: skip
"""Names of REST that the stream does not have; all others are the same."""

SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL, "Buy": Side.BUY, "Sell": Side.SELL}
DIRECTIONS: Final = {0: Side.BUY, 1: Side.SELL}
POSITION_SIDES: Final = {"long": PositionSide.LONG, "short": PositionSide.SHORT}

# ---- Spot

EXEC_TYPES: Final = {
    "pending_new": Status.PENDING,
    "new": Status.ACTIVE,
    "filled": Status.FILLED,
    "canceled": Status.CANCELED,
    "expired": Status.EXPIRED,
    # What these left, the order's own status says.
    "trade": None,
    "iceberg_refill": None,
    "amended": None,
    "restated": None,
    "status": None,
}
TRADE: Final = "trade"
AMENDMENTS: Final = frozenset({"amended", "restated"})
ORDER_STATUSES: Final = {
    "pending_new": Status.PENDING,
    "new": Status.ACTIVE,
    "triggered": Status.ACTIVE,
    "partially_filled": Status.PARTIALLY_FILLED,
    "filled": Status.FILLED,
    "canceled": Status.CANCELED,
    "expired": Status.EXPIRED,
}
REST_STATUSES: Final = {
    "pending": Status.PENDING,
    "open": Status.ACTIVE,
    "closed": Status.FILLED,
    "canceled": Status.CANCELED,
    "expired": Status.EXPIRED,
}
SPOT_TYPES: Final = {
    "limit": OrderType.LIMIT,
    "iceberg": OrderType.LIMIT,
    "market": OrderType.MARKET,
    "settle-position": OrderType.MARKET,
    "stop-loss": OrderType.STOP_MARKET,
    "stop-loss-limit": OrderType.STOP_LOSS_LIMIT,
    "take-profit": OrderType.TAKE_PROFIT_MARKET,
    "take-profit-limit": OrderType.TAKE_PROFIT_LIMIT,
    "trailing-stop": OrderType.TRAILING_STOP_MARKET,
    # With a price of its own, which the order's price shows.
    "trailing-stop-limit": OrderType.STOP,
}
CONDITIONAL: Final = frozenset(
    {
        OrderType.STOP,
        OrderType.STOP_MARKET,
        OrderType.STOP_LOSS_LIMIT,
        OrderType.TAKE_PROFIT,
        OrderType.TAKE_PROFIT_MARKET,
        OrderType.TAKE_PROFIT_LIMIT,
        OrderType.TRAILING_STOP_MARKET,
    }
)
SPOT_TIMES: Final = {
    "GTC": TimeInForce.GTC,
    "GTD": TimeInForce.GTD,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
}
AT_ONCE: Final = frozenset({TimeInForce.IOC, TimeInForce.FOK})
SPOT_LIQUIDITIES: Final = {"m": Liquidity.MAKER, "t": Liquidity.TAKER}
SPOT_TRIGGERS: Final = {"last": TriggerType.LAST, "index": TriggerType.INDEX}
SPOT_REASONS: Final = {"User requested": Reason.USER_CANCEL}
"""The one text that is documented; all others are free, and counted."""

# ---- Futures


class ReasonWord(NamedTuple):
    """What a reason of the venue's says: the order's status, and why."""

    status: Status
    reason: Reason | None = None


_LIVE: Final = ReasonWord(Status.ACTIVE)
_FILLED: Final = ReasonWord(Status.FILLED)
_POST: Final = ReasonWord(Status.REJECTED, Reason.POST_ONLY)
_AT_ONCE: Final = ReasonWord(Status.REJECTED, Reason.TIME_IN_FORCE)
_SELF: Final = ReasonWord(Status.CANCELED, Reason.SELF_TRADE_PREVENTION)
_REDUCE: Final = ReasonWord(Status.REJECTED, Reason.REDUCE_ONLY)
OUTCOMES: Final = {
    "new_placed_order_by_user": _LIVE,
    "new_user_order": _LIVE,
    "loading_market": _LIVE,
    "limit_order_from_stop": _LIVE,
    "limit_from_stop": _LIVE,
    "edited_by_user": _LIVE,
    "trailing_stop_price_updated": _LIVE,
    # Of what failed the order knows nothing: it lives as it was.
    "order_for_edit_not_found": _LIVE,
    "order_for_edit_not_found_reason": _LIVE,
    "liquidation_order": ReasonWord(Status.ACTIVE, Reason.LIQUIDATION),
    "partial_fill": ReasonWord(Status.PARTIALLY_FILLED),
    "full_fill": _FILLED,
    "cancelled_by_user": ReasonWord(Status.CANCELED, Reason.USER_CANCEL),
    "cancelled_by_admin": ReasonWord(Status.CANCELED, Reason.VENUE_CANCEL),
    "trailing_stop_cancelled_and_replaced_by_admin": ReasonWord(
        Status.CANCELED, Reason.VENUE_CANCEL
    ),
    "dead_man_switch": ReasonWord(Status.CANCELED, Reason.DEAD_MAN),
    "contract_expired": ReasonWord(Status.CANCELED, Reason.SETTLEMENT),
    "not_enough_margin": ReasonWord(Status.CANCELED, Reason.INSUFFICIENT_BALANCE),
    "market_inactive": ReasonWord(Status.CANCELED, Reason.MARKET_CLOSED),
    "liquidation": ReasonWord(Status.CANCELED, Reason.LIQUIDATION),
    "expired": ReasonWord(Status.EXPIRED, Reason.EXPIRY),
    "ioc_order_failed_because_it_would_not_be_executed": _AT_ONCE,
    "ioc_would_not_execute_reason": _AT_ONCE,
    # The manual has both.
    "post_order_failed_because_it_would_filled": _POST,
    "post_order_failed_because_it_would_be_filled": _POST,
    "post_would_execute_reason": _POST,
    "would_execute_self": _SELF,
    "would_execute_self_reason": _SELF,
    "would_not_reduce_position": _REDUCE,
    "would_not_reduce_position_reason": _REDUCE,
}
"""By the word in lower case."""
PARTIAL_FILL: Final = "partial_fill"
EDITED: Final = "edited_by_user"
TRIGGERED: Final = frozenset({"stop_order_triggered"})
"""A trigger that is gone: what it became is another order, or the same id once more."""

STATUS_WORDS: Final = {
    "ENTERED_BOOK": Status.ACTIVE,
    "FULLY_EXECUTED": Status.FILLED,
    "REJECTED": Status.REJECTED,
    "CANCELLED": Status.CANCELED,
    "TRIGGER_PLACED": Status.WAITING_TRIGGER,
    "TRIGGER_ACTIVATION_FAILURE": Status.REJECTED,
    "untouched": Status.ACTIVE,
    "partiallyFilled": Status.PARTIALLY_FILLED,
}

_AT_LIMIT: Final = ("lmt", "limit", "Limit", "ioc", "IoC", "fok", "fillOrKill")
FUTURES_TYPES: Final[dict[str, OrderType | None]] = {
    **dict.fromkeys(_AT_LIMIT, OrderType.LIMIT),
    **dict.fromkeys(("post", "Post"), OrderType.LIMIT_MAKER),
    **dict.fromkeys(("mkt", "market", "Market"), OrderType.MARKET),
    **dict.fromkeys(("stp", "stop"), OrderType.STOP),
    "take_profit": OrderType.TAKE_PROFIT,
    "trailing_stop": OrderType.TRAILING_STOP_MARKET,
    **dict.fromkeys(("liquidation", "Liquidation"), OrderType.LIQUIDATION),
    # Made by agreement or by the venue: no order of the book's.
    **dict.fromkeys(
        ("assignment", "Assignment", "unwind", "Unwind", "block", "coveredLiquidation",
         "hedgeImmediateOrCancel", "hedgeAssignment"),
    ),
    # How the order stands where there is one shape for all: its own fields say the rest.
    **dict.fromkeys(("ORDER", "TRIGGER_ORDER")),
}  # fmt: skip
AT_MARKET: Final = {
    OrderType.STOP: OrderType.STOP_MARKET,
    OrderType.TAKE_PROFIT: OrderType.TAKE_PROFIT_MARKET,
}
FUTURES_TIMES: Final = {
    "ioc": TimeInForce.IOC,
    "IoC": TimeInForce.IOC,
    "fok": TimeInForce.FOK,
    "fillOrKill": TimeInForce.FOK,
}
FUTURES_TRIGGERS: Final = {
    "last": TriggerType.LAST,
    "mark": TriggerType.MARK,
    "spot": TriggerType.INDEX,
    "index": TriggerType.INDEX,
    "LAST_PRICE": TriggerType.LAST,
    "MARK_PRICE": TriggerType.MARK,
    "SPOT_PRICE": TriggerType.INDEX,
}
PERCENT: Final = frozenset({"PERCENT", "percent"})


class FillWord(NamedTuple):
    """What a kind of fill says: who made, and what forced it."""

    liquidity: Liquidity | None = None
    reason: Reason | None = None


FILL_TYPES: Final = {
    "maker": FillWord(Liquidity.MAKER),
    "taker": FillWord(Liquidity.TAKER),
    "takerAfterEdit": FillWord(Liquidity.TAKER),
    "liquidation": FillWord(None, Reason.LIQUIDATION),
    "partialLiquidation": FillWord(None, Reason.LIQUIDATION),
    "unwindBankrupt": FillWord(None, Reason.LIQUIDATION),
    "unwindCounterparty": FillWord(None, Reason.ADL),
    "assignor": FillWord(None, Reason.ADL),
    "assignee": FillWord(None, Reason.ADL),
}
