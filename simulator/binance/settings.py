"""What a simulated Binance can be told that no other venue can. Pure."""

from simulator.instrument import Product
from simulator.section import Section


class BinanceSettings(Section):
    """Limits (docs/venues/binance.md 9) and lifetimes (2.6), by default the venue's own."""

    spot_weight: int = 6000
    """Request weight a minute and IP."""
    linear_weight: int = 2400
    spot_orders_10s: int = 100
    """Orders by account."""
    spot_orders_day: int = 160_000
    linear_orders_10s: int = 300
    linear_orders_minute: int = 1200
    window_s: float = 60
    violations_max: int = 20
    """After so many refused requests in a window the IP is banned."""
    ban_s: float = 120
    spot_ping_s: float = 20
    spot_pong_s: float = 60
    linear_ping_s: float = 180
    linear_pong_s: float = 600
    connection_life_s: float = 24 * 3600
    shutdown_notice_s: float = 5
    listen_key_s: float = 3600
    events_required: bool = False
    """Whether a private linear stream without an `events` list stays silent."""


def scaled(factor: int) -> BinanceSettings:
    """So many times the venue's weights."""
    usual = BinanceSettings()
    return BinanceSettings(
        spot_weight=usual.spot_weight * factor, linear_weight=usual.linear_weight * factor
    )


def symbols(bases: list[str], number: int) -> dict[Product, tuple[str, ...]]:
    """What a sample account trades: the same at both products."""
    names = tuple(f"{base}USDT" for base in bases)
    return {"spot": names, "linear": names}
