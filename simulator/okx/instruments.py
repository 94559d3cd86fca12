"""The instruments of the box, and their rows in OKX's official shape."""

from decimal import Decimal
from typing import Any

from simulator.assets import BASES, start_price
from simulator.instrument import Instrument, Product
from simulator.okx.words import KINDS

CONTRACTS = {
    "BTC": "0.01", "ETH": "0.1", "LTC": "1", "BCH": "0.1", "SOL": "1", "BNB": "0.01",
    "XRP": "100", "ADA": "100", "DOGE": "1000", "TRX": "1000", "LINK": "1", "AVAX": "1",
}  # fmt: skip
"""Base units per contract of USDT-margined perpetuals; others follow from their price."""
INVERSE_BASES = (
    "BTC", "ETH", "LTC", "BCH", "SOL", "XRP", "ADA", "DOGE", "TRX", "LINK", "AVAX", "DOT", "FIL",
    "ETC", "UNI",
)  # fmt: skip
LISTED_MS = "1611916828000"


def make_instruments(product: Product) -> dict[str, Instrument]:
    """All instruments of a product by `instId`."""
    bases = INVERSE_BASES if product == "inverse" else BASES
    makers = {"spot": _spot, "linear": _linear, "inverse": _inverse}
    made = (makers[product](base, number) for number, base in enumerate(bases))
    return {instrument.symbol: instrument for instrument in made}


def _spot(base: str, number: int) -> Instrument:
    price = start_price(base)
    tick = Decimal(1).scaleb(min(price.adjusted() - 4, -1))
    return Instrument(
        product="spot",
        symbol=f"{base}-USDT",
        base=base,
        quote="USDT",
        tick=tick,
        lot=Decimal(1).scaleb(min(-price.adjusted() - 2, -2)),
        notional_min=Decimal(0),
        start_price=price // tick * tick,
        code=1001 + number,
    )


def _linear(base: str, number: int) -> Instrument:
    price = start_price(base)
    tick = Decimal(1).scaleb(price.adjusted() - 5)
    contract = CONTRACTS.get(base)
    return Instrument(
        product="linear",
        symbol=f"{base}-USDT-SWAP",
        base=base,
        quote="USDT",
        tick=tick,
        lot=Decimal("0.01") if base in ("BTC", "ETH", "SOL") else Decimal("0.1"),
        notional_min=Decimal(0),
        start_price=price // tick * tick,
        contract=Decimal(contract) if contract else Decimal(1).scaleb(1 - price.adjusted()),
        code=10_459 + number,
    )


def _inverse(base: str, number: int) -> Instrument:
    price = start_price(base)
    tick = Decimal(1).scaleb(price.adjusted() - 5)
    return Instrument(
        product="inverse",
        symbol=f"{base}-USD-SWAP",
        base=base,
        quote="USD",
        tick=tick,
        lot=Decimal(1),
        notional_min=Decimal(0),
        start_price=price // tick * tick,
        contract=Decimal(100 if base == "BTC" else 10),
        code=20_771 + number,
    )


def instrument_row(row: Instrument) -> dict[str, Any]:
    """One row of `public/instruments`; all is text but `instIdCode` (docs/venues/okx.md 7)."""
    is_spot = row.product == "spot"
    family = row.symbol.removesuffix("-SWAP")
    return {
        "instType": KINDS[row.product], "instId": row.symbol, "instIdCode": row.code,
        "uly": "" if is_spot else family, "instFamily": "" if is_spot else family, "category": "1",
        "baseCcy": row.base if is_spot else "", "quoteCcy": row.quote if is_spot else "",
        "settleCcy": row.settle, "ctVal": "" if is_spot else f"{row.contract:f}",
        "ctMult": "" if is_spot else "1",
        "ctValCcy": "" if is_spot else (row.quote if row.is_inverse else row.base), "optType": "",
        "stk": "", "listTime": LISTED_MS, "auctionEndTime": "", "contTdSwTime": "", "openType": "",
        "expTime": "", "lever": "10" if is_spot else "100", "tickSz": f"{row.tick:f}",
        "lotSz": f"{row.lot:f}", "minSz": f"{row.lot:f}", "ctType": "" if is_spot else row.product,
        "alias": "", "state": "live", "ruleType": "normal", "maxLmtSz": "100000000",
        "maxMktSz": "1000000" if is_spot else "100000000", "maxLmtAmt": "20000000",
        "maxMktAmt": "1000000" if is_spot else "", "maxTwapSz": "100000000",
        "maxIcebergSz": "100000000", "maxTriggerSz": "100000000",
        "maxStopSz": "1000000" if is_spot else "100000000", "futureSettlement": False,
        "tradeQuoteCcyList": [row.quote] if is_spot else [], "upcChg": [],
    }  # fmt: skip
