"""What a simulator can be told, checked when it starts. Pure."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulator.instrument import Product

Venue = Literal["binance", "okx"]
MODEL = ConfigDict(frozen=True, extra="forbid")
Chance = Annotated[float, Field(ge=0, le=1)]


HOUR_MS = 3600 * 1000


class PastConfig(BaseModel):
    """What an account did in the `hours` before the start, evenly spread over its symbols."""

    model_config = MODEL

    open: int = Field(default=0, ge=0, le=100_000)
    """Orders that are open still."""
    closed: int = Field(default=0, ge=0, le=1_000_000)
    """Orders that have ended."""
    hours: float = Field(default=24, gt=0, le=24 * 90)
    filled: float = Field(default=0.5, ge=0, le=1)
    """The share of the ended ones that were filled; the others were canceled."""
    partly: float = Field(default=0.1, ge=0, le=0.5)
    """The share of orders that traded in part: open ones, canceled ones, and filled ones before."""

    @property
    def orders(self) -> int:
        """How many there are."""
        return self.open + self.closed

    def age_ms(self, number: int) -> int:
        """How long before the start the order with this number was placed: the first is oldest."""
        return int(self.hours * HOUR_MS * (self.orders - number) / (self.orders + 1))


class AccountConfig(BaseModel):
    """One account: its credentials, what it trades, and how fees and positions work for it."""

    model_config = MODEL

    name: str
    api_key: str
    secret: str
    passphrase: str = ""
    """OKX's third credential."""
    symbols: dict[Product, tuple[str, ...]] = {}
    is_hedged: bool = False
    """Hedge mode of contracts: LONG and SHORT positions apart."""
    pays_bnb: bool = False
    """Some Spot fees are taken in BNB instead of the asset received."""
    has_rebate: bool = False
    """Contracts' maker fees are below zero."""
    is_demo: bool = False
    """OKX: a key of Demo Trading, which wants the header `x-simulated-trading: 1`."""
    is_vip: bool = False
    """OKX: may listen to the `fills` channel."""
    pays_quote: bool = False
    """OKX: all Spot fees are taken in the quote asset (feeType 1)."""
    past: PastConfig | None = None


class TrafficConfig(BaseModel):
    """Seeded trading; `rate` is private messages a second over all accounts."""

    model_config = MODEL

    rate: float = Field(default=0, ge=0, le=100_000)
    burst: int = Field(default=0, ge=0, le=100_000)
    """So many messages back to back about once a second, inside the same average rate."""
    running: bool = False
    liquidation: float = Field(default=0.002, ge=0, le=1)
    """The share of trading steps at the linear product that liquidate or deleverage."""
    open_orders_max: int = Field(default=40, ge=1)
    """Above so many open orders an account only cancels and is hit."""


class ScheduledFault(BaseModel):
    """`count` faults of a kind, spread by the seed over the next `frames` frames or requests."""

    model_config = MODEL

    count: int = Field(ge=0)
    frames: int = Field(ge=1)


class FaultConfig(BaseModel):
    """Chances per frame (or request) by kind of fault, and counts that are sure to come."""

    model_config = MODEL

    probability: dict[str, Chance] = {}
    schedule: dict[str, ScheduledFault] = {}
    delay_ms_max: int = Field(default=300, ge=1)
    reorder_span_max: int = Field(default=4, ge=1)
    """A reordered frame is overtaken by at most so many later ones."""
    silence_ms_max: int = Field(default=1500, ge=1)
    half_open_s: float = Field(default=60, gt=0)
    """A half-open connection is cut at last after so long."""
    ban_s: float = Field(default=2, gt=0)
    view_lag_ms_max: int = Field(default=600, ge=1)
    """A late view lacks what is younger than at most so long."""


class TimingConfig(BaseModel):
    """Heartbeats and lifetimes in seconds, by default the venue's (docs/venues/binance.md 2.6)."""

    model_config = MODEL

    spot_ping_s: float = 20
    spot_pong_s: float = 60
    linear_ping_s: float = 180
    linear_pong_s: float = 600
    connection_life_s: float = 24 * 3600
    shutdown_notice_s: float = 5
    planned_s: float = 1
    """How long after its notice a `planned_disconnect` ends the connection."""
    listen_key_s: float = 3600
    okx_idle_s: float = 30
    """OKX ends a connection on which nothing was said for so long."""
    okx_flush_s: float = 0.05
    """How often OKX tells of changed positions and balances."""
    okx_repeat_s: float = 5
    """How often OKX repeats positions and balances to those who want it."""
    in_flight_s: float = 2
    """Fills written so shortly before their connection's end are marked as perhaps not read."""
    check_s: float = 0.1
    """How often the keeper of connections looks at its clock."""


class LimitConfig(BaseModel):
    """Request weight a minute and IP, and orders by account (docs/venues/binance.md 9)."""

    model_config = MODEL

    spot_weight: int = 6000
    linear_weight: int = 2400
    spot_orders_10s: int = 100
    spot_orders_day: int = 160_000
    linear_orders_10s: int = 300
    linear_orders_minute: int = 1200
    window_s: float = 60
    violations_max: int = 20
    """After so many refused requests in a window the IP is banned."""
    ban_s: float = 120
    scale: float = Field(default=1, gt=0)
    """OKX: every limit (docs/venues/okx.md 9) times this."""


class SimulatorConfig(BaseModel):
    """Everything about one simulator process."""

    model_config = MODEL

    venue: Venue = "binance"
    seed: int = 1
    port: int = Field(default=0, ge=0, le=65535)
    accounts: tuple[AccountConfig, ...] = ()
    traffic: TrafficConfig = TrafficConfig()
    faults: FaultConfig = FaultConfig()
    timing: TimingConfig = TimingConfig()
    limits: LimitConfig = LimitConfig()
    events_required: bool = False
    """Whether a private linear stream without an `events` list stays silent."""
    clock_skew_ms: int = 0


SECTIONS = (PastConfig, AccountConfig, TrafficConfig, ScheduledFault, FaultConfig, TimingConfig)
KEYS = frozenset(SimulatorConfig.model_fields).union(
    LimitConfig.model_fields, *(section.model_fields for section in SECTIONS)
)
"""Every key that a file may hold, to propose one for a misspelt one."""


def sample_accounts(
    count: int, seed: int = 1, venue: Venue = "binance"
) -> tuple[AccountConfig, ...]:
    """`count` accounts over all products, alike but for their symbols and rules.

    Every third is hedged, every second pays some Spot fees in BNB (at OKX all of them in quote),
    every fourth has a maker rebate. Keys are derived from the seed: they open nothing but this
    simulator.
    """
    return tuple(_sample_account(number, seed, venue) for number in range(count))


SAMPLE_BASES = ("BTC", "ETH", "SOL", "BNB", "XRP", "ADA", "DOGE", "LTC", "LINK", "AVAX", "DOT")
SAMPLE_INVERSE = ("BTC", "ETH", "SOL")


def _sample_account(number: int, seed: int, venue: Venue) -> AccountConfig:
    bases = [SAMPLE_BASES[(number + step) % len(SAMPLE_BASES)] for step in range(3)]
    is_okx = venue == "okx"
    return AccountConfig(
        name=f"{venue}:sim-{number}",
        api_key=f"simulated-key-{seed}-{number}",
        secret=f"simulated-secret-{seed}-{number}",
        passphrase=f"simulated-phrase-{seed}-{number}" if is_okx else "",
        symbols=_okx_symbols(bases, number) if is_okx else _binance_symbols(bases),
        is_hedged=number % 3 == 2,
        pays_bnb=number % 2 == 1,
        pays_quote=number % 2 == 1,
        has_rebate=number % 4 == 3,
    )


def _binance_symbols(bases: list[str]) -> dict[Product, tuple[str, ...]]:
    symbols = tuple(f"{base}USDT" for base in bases)
    return {"spot": symbols, "linear": symbols}


def _okx_symbols(bases: list[str], number: int) -> dict[Product, tuple[str, ...]]:
    return {
        "spot": tuple(f"{base}-USDT" for base in bases),
        "linear": tuple(f"{base}-USDT-SWAP" for base in bases),
        "inverse": (f"{SAMPLE_INVERSE[number % len(SAMPLE_INVERSE)]}-USD-SWAP",),
    }
