"""Bybit's words in ours. Pure tables; a word that is not here is counted, never guessed.

Manual: "Enums Definitions" (https://bybit-exchange.github.io/docs/v5/enum). `UNKNOWN` is the
venue's own word for "does not apply" in many fields: it is in these tables, and says nothing.
"""

from typing import Final

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
CATEGORIES: Final = {SPOT: SPOT, LINEAR: LINEAR, INVERSE: INVERSE}

SIDES: Final = {"Buy": Side.BUY, "Sell": Side.SELL}
POSITION_SIDES: Final = {0: PositionSide.NET, 1: PositionSide.LONG, 2: PositionSide.SHORT}
LIQUIDITIES: Final = {True: Liquidity.MAKER, False: Liquidity.TAKER}

STATUSES: Final = {
    "New": Status.ACTIVE,
    "PartiallyFilled": Status.PARTIALLY_FILLED,
    "Untriggered": Status.WAITING_TRIGGER,
    # An instant before `New`, which the manual lists among the closed ones.
    "Triggered": Status.ACTIVE,
    "Filled": Status.FILLED,
    "Cancelled": Status.CANCELED,
    "PartiallyFilledCanceled": Status.CANCELED,
    "Rejected": Status.REJECTED,
    # Before it triggered.
    "Deactivated": Status.CANCELED,
    # Former spellings.
    "Created": Status.ACTIVE,
    "Active": Status.ACTIVE,
    "PendingCancel": Status.ACTIVE,
}

ORDER_TYPES: Final = {"Limit": OrderType.LIMIT, "Market": OrderType.MARKET, "UNKNOWN": None}
TIMES_IN_FORCE: Final = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    # What only makes is a type of order to us.
    "PostOnly": TimeInForce.GTC,
    "RPI": TimeInForce.RPI,
}
MAKER_ONLY: Final = frozenset({"PostOnly", "RPI"})
STOP_TYPES: Final = {
    "UNKNOWN": None,
    "Stop": OrderType.STOP,
    "StopLoss": OrderType.STOP,
    "PartialStopLoss": OrderType.STOP,
    "TakeProfit": OrderType.TAKE_PROFIT,
    "PartialTakeProfit": OrderType.TAKE_PROFIT,
    "TrailingStop": OrderType.TRAILING_STOP_MARKET,
    # Of spot: a take-profit or a stop-loss, the message does not say which.
    "tpslOrder": OrderType.STOP,
    "OcoOrder": OrderType.OCO,
    "BidirectionalTpslOrder": OrderType.OCO,
    "MmRateClose": OrderType.STOP,
}
AT_MARKET: Final = {
    OrderType.STOP: OrderType.STOP_MARKET,
    OrderType.TAKE_PROFIT: OrderType.TAKE_PROFIT_MARKET,
}
TRAILING: Final = "TrailingStop"
TRIGGER_TYPES: Final = {
    "LastPrice": TriggerType.LAST,
    "MarkPrice": TriggerType.MARK,
    "IndexPrice": TriggerType.INDEX,
    "UNKNOWN": None,
}

CANCEL_TYPES: Final = {
    "UNKNOWN": None,
    "CancelByUser": Reason.USER_CANCEL,
    "CancelByReduceOnly": Reason.REDUCE_ONLY,
    # The position that it was to close is gone.
    "CancelByTpSlTsClear": Reason.REDUCE_ONLY,
    "CancelByPrepareLiq": Reason.LIQUIDATION,
    "CancelAllBeforeLiq": Reason.LIQUIDATION,
    "CancelByPrepareAdl": Reason.ADL,
    "CancelAllBeforeAdl": Reason.ADL,
    "CancelByAdmin": Reason.VENUE_CANCEL,
    "CancelBySettle": Reason.SETTLEMENT,
    "CancelByDelivery": Reason.SETTLEMENT,
    "CancelBySmp": Reason.SELF_TRADE_PREVENTION,
    "CancelByCrossSelfMuch": Reason.SELF_TRADE_PREVENTION,
    "CancelByDCP": Reason.DEAD_MAN,
    "CancelByRebalance": Reason.VENUE_CANCEL,
    "CancelByOCOTpCanceledBySlTriggered": Reason.LINKED_ORDER,
    "CancelByOCOSlCanceledByTpTriggered": Reason.LINKED_ORDER,
    "CancelByCannotAffordOrderCost": Reason.INSUFFICIENT_BALANCE,
    "CancelByPmTrialMmOverEquity": Reason.INSUFFICIENT_BALANCE,
    "CancelByAccountBlocking": Reason.VENUE_CANCEL,
    "CancelByMmpTriggered": Reason.VENUE_CANCEL,
    "CancelByCrossReachMaxTradeNum": Reason.VENUE_CANCEL,
}

REJECT_REASONS: Final = {
    "EC_NoError": None,
    "EC_Others": None,
    # They answer a cancel that came too late, and are no change of the order.
    "EC_OrigClOrdIDDoesNotExist": None,
    "EC_OrderNotExist": None,
    "EC_TooLateToCancel": None,
    "EC_PerCancelRequest": Reason.USER_CANCEL,
    "EC_PostOnlyWillTakeLiquidity": Reason.POST_ONLY,
    "EC_NoImmediateQtyToFill": Reason.TIME_IN_FORCE,
    "EC_NoEnoughQtyToFill": Reason.TIME_IN_FORCE,
    "EC_CancelForNoFullFill": Reason.TIME_IN_FORCE,
    "EC_BySelfMatch": Reason.SELF_TRADE_PREVENTION,
    "EC_StopBySelfMatch": Reason.SELF_TRADE_PREVENTION,
    "EC_DuplicatedClOrdID": Reason.DUPLICATE_ID,
    "EC_CancelReplaceOrder": Reason.REPLACED,
    "EC_InvalidSymbolStatus": Reason.MARKET_CLOSED,
    "EC_SecurityStatusFail": Reason.MARKET_CLOSED,
    "EC_InCallAuctionStatus": Reason.MARKET_CLOSED,
    "EC_InvalidPriceScale": Reason.BAD_REQUEST,
    "EC_EcInvalidQty": Reason.BAD_REQUEST,
    "EC_QtyCannotBeZero": Reason.BAD_REQUEST,
    # Too many fills in one match, a price bound, a rest of dust, the engine's own reload.
    "EC_ReachMaxTradeNum": Reason.VENUE_CANCEL,
    "EC_ReachRiskPriceLimit": Reason.VENUE_CANCEL,
    "EC_ReachMarketPriceLimit": Reason.VENUE_CANCEL,
    "EC_CancelByOrderValueZero": Reason.VENUE_CANCEL,
    "EC_CancelByMatchValueZero": Reason.VENUE_CANCEL,
    "EC_LoadOrderCancel": Reason.VENUE_CANCEL,
}

_BY_USER: Final = (
    "CreateByUser CreateByClosing CreateByStopOrder CreateByTakeProfit CreateByStopLoss "
    "CreateByPartialTakeProfit CreateByPartialStopLoss CreateByTrailingStop "
    "CreateByTrailingProfit CreateByMmRateClose CreateByTWAP CreateByIceBerg CreateByFGridBot "
    "CreateByBboOrder CreateByFutureSpread CreateByBlock_PassThrough "
    "CreateByBlockTradeMovePosition_PassThrough CreateByAdminClosing CreateByChaseOrder "
    "CreateByMartingaleBot CreateByTVSignal CreateByArbitrage CreateByDdh CloseByFGridBot "
    "CloseByMartingaleBot UNKNOWN"
)
CREATE_TYPES: Final[dict[str, Reason | None]] = {
    **dict.fromkeys(_BY_USER.split()),
    "CreateByLiq": Reason.LIQUIDATION,
    "CreateByTakeOver_PassThrough": Reason.LIQUIDATION,
    "CreateByAdl_PassThrough": Reason.ADL,
    "CreateBySettle": Reason.SETTLEMENT,
}
"""What made an order, where that was not a user, a strategy or an agreement between users."""

TRADE: Final = "Trade"
EXECUTION_TYPES: Final = {
    TRADE: None,
    "AdlTrade": Reason.ADL,
    "BustTrade": Reason.LIQUIDATION,
    "Delivery": Reason.SETTLEMENT,
    "Settle": Reason.SETTLEMENT,
    "BlockTrade": None,
    "MovePosition": None,
    "FutureSpread": None,
}
WITHOUT_ORDER: Final = frozenset({"Delivery", "Settle"})
NO_EXECUTIONS: Final = {
    "Funding": "a payment, the balance has it",
    "CorporateAction": "a split, the position has it",
}
