"""The instruments of the box, and their rows in Bybit's shape. Pure."""

from decimal import Decimal

from simulator.assets import BASES, start_price
from simulator.instrument import Instrument, Product, plain
from simulator.message import Document

INVERSE_BASES = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOT", "LTC")
USDC_BASES = ("BTC", "ETH", "SOL")
LISTED_MS = "1585526400000"
CONTRACT_TYPES = {"linear": "LinearPerpetual", "inverse": "InversePerpetual"}


def make_instruments(product: Product) -> dict[str, Instrument]:
    """All instruments of a product by symbol."""
    if product == "inverse":
        made = [_made(product, base, f"{base}USD", "USD") for base in INVERSE_BASES]
    else:
        made = [_made(product, base, f"{base}USDT", "USDT") for base in BASES]
    if product == "linear":
        made += [_made(product, base, f"{base}PERP", "USDC") for base in USDC_BASES]
    return {instrument.symbol: instrument for instrument in made}


def _made(product: Product, base: str, symbol: str, quote: str) -> Instrument:
    price = start_price(base)
    tick = Decimal(1).scaleb(price.adjusted() - 5)
    fine = min(-price.adjusted() - (2 if product == "spot" else 1), 0)
    return Instrument(
        product=product,
        symbol=symbol,
        base=base,
        quote=quote,
        tick=tick,
        lot=Decimal(1) if product == "inverse" else Decimal(1).scaleb(fine),
        notional_min=Decimal(0 if product == "inverse" else 5),
        start_price=price // tick * tick,
    )


def instrument_row(row: Instrument) -> Document:
    """One row of `market/instruments-info`."""
    least, tick = plain(row.lot), plain(row.tick)
    document: Document = {
        "symbol": row.symbol, "baseCoin": row.base, "quoteCoin": row.quote, "status": "Trading",
    }  # fmt: skip
    if row.product == "spot":
        return document | {
            "innovation": "0", "marginTrading": "none", "stTag": "0",
            "lotSizeFilter": {
                "basePrecision": least, "quotePrecision": "0.00000001", "minOrderQty": least,
                "maxOrderQty": "100000000", "minOrderAmt": plain(row.notional_min),
                "maxOrderAmt": "200000000",
            },
            "priceFilter": {"tickSize": tick},
            "riskParameters": {"priceLimitRatioX": "0.5", "priceLimitRatioY": "0.5"},
        }  # fmt: skip
    return document | {
        "contractType": CONTRACT_TYPES[row.product],
        "settleCoin": row.settle, "launchTime": LISTED_MS,
        "deliveryTime": "0", "deliveryFeeRate": "", "priceScale": "2", "unifiedMarginTrade": True,
        "fundingInterval": 480, "copyTrading": "none", "isPreListing": False,
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": tick, "maxPrice": "1999999.80", "tickSize": tick},
        "lotSizeFilter": {
            "maxOrderQty": "100000000", "minOrderQty": least, "qtyStep": least,
            "postOnlyMaxOrderQty": "100000000", "maxMktOrderQty": "100000000",
            "minNotionalValue": plain(row.notional_min),
        },
    }  # fmt: skip
