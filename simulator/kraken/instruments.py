"""The instruments of the box, and their rows as Kraken shows them (docs/venues/kraken.md 5, 7)."""

from decimal import Decimal

from simulator.assets import BASES, start_price
from simulator.instrument import Instrument, Product, places
from simulator.kraken.words import futures_asset, rest_asset, short_asset
from simulator.message import Document

INVERSE_BASES = ("BTC", "ETH", "LTC", "BCH", "XRP")
COST_MIN = Decimal("0.5")


def make_instruments(product: Product) -> dict[str, Instrument]:
    """All instruments of a product by their name on the stream."""
    bases = INVERSE_BASES if product == "inverse" else BASES
    makers = {"spot": _spot, "linear": _linear, "inverse": _inverse}
    return {made.symbol: made for made in map(makers[product], bases)}


def _tick(price: Decimal) -> Decimal:
    return Decimal(1).scaleb(min(price.adjusted() - 5, -1))


def _lot(price: Decimal) -> Decimal:
    return Decimal(1).scaleb(min(-price.adjusted() - 1, 0))


def _spot(base: str) -> Instrument:
    price, tick = start_price(base), _tick(start_price(base))
    return Instrument(
        product="spot",
        symbol=f"{base}/USD",
        base=base,
        quote="USD",
        tick=tick,
        lot=_lot(price) / 10,
        notional_min=COST_MIN,
        start_price=price // tick * tick,
    )


def _linear(base: str) -> Instrument:
    price, tick = start_price(base), _tick(start_price(base))
    return Instrument(
        product="linear",
        symbol=f"PF_{futures_asset(base)}USD",
        base=base,
        quote="USD",
        tick=tick,
        lot=_lot(price),
        notional_min=Decimal(0),
        start_price=price // tick * tick,
    )


def _inverse(base: str) -> Instrument:
    price = start_price(base)
    tick = Decimal("0.5") if base == "BTC" else _tick(price)
    return Instrument(
        product="inverse",
        symbol=f"PI_{futures_asset(base)}USD",
        base=base,
        quote="USD",
        tick=tick,
        lot=Decimal(1),
        notional_min=Decimal(0),
        start_price=price // tick * tick,
    )


def pair_key(row: Instrument) -> str:
    """Under what answers of Spot list a pair, and what its fills call it: `XXBTZUSD`, `SOLUSD`."""
    base, quote = rest_asset(row.base), rest_asset(row.quote)
    if row.base in (base, "DOGE"):  # a newer pair, and one that is an exception
        return pair_name(row)
    return f"{base}{quote}"


def pair_name(row: Instrument) -> str:
    """The short name of a pair, which orders in answers have: `XBTUSD`."""
    return f"{short_asset(row.base)}{row.quote}"


def socket_name(row: Instrument) -> str:
    """`wsname`: the name of a pair on the older socket."""
    return f"{short_asset(row.base)}/{row.quote}"


def pair_row(row: Instrument) -> Document:
    """One row of `AssetPairs`."""
    return {
        "altname": pair_name(row), "wsname": socket_name(row), "aclass_base": "currency",
        "base": rest_asset(row.base), "aclass_quote": "currency", "quote": rest_asset(row.quote),
        "lot": "unit", "cost_decimals": 5, "pair_decimals": places(row.tick),
        "lot_decimals": places(row.lot), "lot_multiplier": 1, "leverage_buy": [],
        "leverage_sell": [], "fees": [[0, 0.4]], "fees_maker": [[0, 0.25]],
        "fee_volume_currency": "ZUSD", "margin_call": 80, "margin_stop": 40,
        "ordermin": f"{row.lot:f}", "costmin": f"{row.notional_min:f}",
        "tick_size": f"{row.tick:f}", "status": "online",
    }  # fmt: skip


def contract_row(row: Instrument) -> Document:
    """One row of `instruments`."""
    return {
        "symbol": row.symbol,
        "type": "futures_inverse" if row.is_inverse else "flexible_futures",
        "underlying": f"rr_{futures_asset(row.base).lower()}usd",
        "base": futures_asset(row.base), "quote": row.quote,
        "pair": f"{futures_asset(row.base)}:{row.quote}", "tickSize": float(row.tick),
        "contractSize": 1, "contractValueTradePrecision": places(row.lot), "impactMidSize": 1.0,
        "maxPositionSize": 1_000_000_000.0, "tradeable": True,
        "openingDate": "2022-01-01T00:00:00.000Z", "category": "Layer 1", "tags": [],
    }  # fmt: skip
