"""The symbols of the box, and `exchangeInfo` of both products in its official shape."""

from decimal import Decimal
from typing import Any

from simulator.assets import BASES, start_price
from simulator.binance.settings import BinanceSettings
from simulator.instrument import Instrument, Product, places


def make_instruments(product: Product) -> dict[str, Instrument]:
    """All symbols of a product against USDT, by name."""
    made = (_instrument(product, base) for base in BASES)
    return {instrument.symbol: instrument for instrument in made}


def _instrument(product: Product, base: str) -> Instrument:
    price = start_price(base)
    magnitude = price.adjusted()
    lot_exponent = -magnitude - 1 if product == "spot" else 1 - magnitude
    tick_exponent = magnitude - 5 if product == "linear" else min(magnitude - 4, -2)
    tick = Decimal(1).scaleb(tick_exponent)
    return Instrument(
        product=product,
        symbol=f"{base}USDT",
        base=base,
        quote="USDT",
        tick=tick,
        lot=Decimal(1).scaleb(min(lot_exponent, 0)),
        notional_min=Decimal(5),
        start_price=price // tick * tick,
    )


def exchange_info(
    instruments: dict[str, Instrument], now_ms: int, config: BinanceSettings
) -> dict[str, Any]:
    """The `exchangeInfo` document of the product that the instruments belong to."""
    rows = list(instruments.values())
    is_spot = rows[0].product == "spot"
    extra: dict[str, Any] = {} if is_spot else {"futuresType": "U_MARGINED", "assets": [_ASSET]}
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "rateLimits": rate_limits(rows[0].product, config),
        "exchangeFilters": [],
        **extra,
        "symbols": [_spot_symbol(row) if is_spot else _linear_symbol(row) for row in rows],
    }


def rate_limits(product: Product, config: BinanceSettings) -> list[dict[str, Any]]:
    """`rateLimits` of `exchangeInfo`: weight by IP, orders by account."""
    if product == "spot":
        return [
            _limit("REQUEST_WEIGHT", "MINUTE", 1, config.spot_weight),
            _limit("ORDERS", "SECOND", 10, config.spot_orders_10s),
            _limit("ORDERS", "DAY", 1, config.spot_orders_day),
        ]
    return [
        _limit("REQUEST_WEIGHT", "MINUTE", 1, config.linear_weight),
        _limit("ORDERS", "SECOND", 10, config.linear_orders_10s),
        _limit("ORDERS", "MINUTE", 1, config.linear_orders_minute),
    ]


_ASSET = {"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}


def _limit(kind: str, interval: str, number: int, limit: int) -> dict[str, Any]:
    return {
        "rateLimitType": kind,
        "interval": interval,
        "intervalNum": number,
        "limit": limit,
    }


def _filters(row: Instrument) -> list[dict[str, Any]]:
    tick, lot = f"{row.tick:f}", f"{row.lot:f}"
    steps = {"minQty": lot, "maxQty": f"{row.lot * 10**9:f}", "stepSize": lot}
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": tick,
            "maxPrice": f"{row.tick * 10**9:f}",
            "tickSize": tick,
        },
        {"filterType": "LOT_SIZE", **steps},
        {"filterType": "MARKET_LOT_SIZE", **steps},
    ]


def _spot_symbol(row: Instrument) -> dict[str, Any]:
    notional = {
        "filterType": "NOTIONAL", "minNotional": f"{row.notional_min:f}", "applyMinToMarket": True,
        "maxNotional": "9000000.00000000", "applyMaxToMarket": False, "avgPriceMins": 5,
    }  # fmt: skip
    return {
        "symbol": row.symbol, "status": "TRADING", "baseAsset": row.base, "baseAssetPrecision": 8,
        "quoteAsset": row.quote, "quotePrecision": 8, "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"], "icebergAllowed": False,
        "ocoAllowed": False, "otoAllowed": False, "quoteOrderQtyMarketAllowed": False,
        "allowTrailingStop": False, "cancelReplaceAllowed": True, "amendAllowed": True,
        "isSpotTradingAllowed": True, "isMarginTradingAllowed": False,
        "filters": [*_filters(row), notional], "permissions": [], "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": [
            "NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT",
        ],
    }  # fmt: skip


def _linear_symbol(row: Instrument) -> dict[str, Any]:
    notional = {"filterType": "MIN_NOTIONAL", "notional": f"{row.notional_min:f}"}
    return {
        "symbol": row.symbol, "pair": row.symbol, "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000, "onboardDate": 1569398400000, "status": "TRADING",
        "maintMarginPercent": "2.5000", "requiredMarginPercent": "5.0000", "baseAsset": row.base,
        "quoteAsset": row.quote, "marginAsset": row.quote, "pricePrecision": places(row.tick),
        "quantityPrecision": places(row.lot), "baseAssetPrecision": 8, "quotePrecision": 8,
        "underlyingType": "COIN", "underlyingSubType": ["Layer-1"], "triggerProtect": "0.0500",
        "liquidationFee": "0.012500", "marketTakeBound": "0.05",
        "filters": [*_filters(row), notional], "orderTypes": ["LIMIT", "MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }  # fmt: skip
