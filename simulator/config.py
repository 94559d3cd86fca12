"""What a simulator can be told, checked when it starts. Pure."""

from typing import Annotated

from pydantic import Field, SerializeAsAny, ValidationInfo, field_validator

from simulator.faces import FACES, USUAL
from simulator.instrument import Product
from simulator.section import Section

Venue = str
"""A name of `simulator.faces.FACES`."""
Chance = Annotated[float, Field(ge=0, le=1)]


HOUR_MS = 3600 * 1000


class PastConfig(Section):
    """What an account did in the `hours` before the start, evenly spread over its symbols."""

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


class AccountConfig(Section):
    """One account: its credentials, what it trades, and how fees and positions work for it."""

    name: str
    api_key: str
    secret: str
    passphrase: str = ""
    """The third part of a key, at venues whose keys have one."""
    symbols: dict[Product, tuple[str, ...]] = Field(default_factory=dict)
    is_hedged: bool = False
    """Hedge mode of contracts: LONG and SHORT positions apart."""
    pays_bnb: bool = False
    """Some Spot fees are taken in BNB instead of the asset received, at a venue that has that."""
    has_rebate: bool = False
    """Contracts' maker fees are below zero."""
    is_demo: bool = False
    """A key of the venue's demo, at a venue that has it at the same addresses."""
    is_vip: bool = False
    """May listen to what the venue keeps for its largest customers."""
    can_trade: bool = True
    """Whether its key may place, change and end orders."""
    can_withdraw: bool = False
    """Whether its key says that it may move money out; nothing here does."""
    bound_ips: str = ""
    """The addresses that its key says it is bound to, with commas; none is checked."""
    pays_quote: bool = False
    """All Spot fees are taken in the quote asset, at a venue that lets one choose."""
    past: PastConfig | None = None


class TrafficConfig(Section):
    """Seeded trading; `rate` is private messages a second over all accounts."""

    rate: float = Field(default=0, ge=0, le=100_000)
    burst: int = Field(default=0, ge=0, le=100_000)
    """So many messages back to back about once a second, inside the same average rate."""
    running: bool = False
    liquidation: float = Field(default=0.002, ge=0, le=1)
    """The share of trading steps at the linear product that liquidate or deleverage."""
    open_orders_max: int = Field(default=40, ge=1)
    """Above so many open orders an account only cancels and is hit."""


class ScheduledFault(Section):
    """`count` faults of a kind, spread by the seed over the next `frames` frames or requests."""

    count: int = Field(ge=0)
    frames: int = Field(ge=1)


class FaultConfig(Section):
    """Chances per frame (or request) by kind of fault, and counts that are sure to come."""

    probability: dict[str, Chance] = Field(default_factory=dict)
    schedule: dict[str, ScheduledFault] = Field(default_factory=dict)
    delay_ms_max: int = Field(default=300, ge=1)
    reorder_span_max: int = Field(default=4, ge=1)
    """A reordered frame is overtaken by at most so many later ones."""
    silence_ms_max: int = Field(default=1500, ge=1)
    half_open_s: float = Field(default=60, gt=0)
    """A half-open connection is cut at last after so long."""
    ban_s: float = Field(default=2, gt=0)
    attempt_ms_max: int = Field(default=500, ge=1)
    """What is late of a request that changes something is so by at most so much."""
    view_lag_ms_max: int = Field(default=600, ge=1)
    """A late view lacks what is younger than at most so long."""


class TimingConfig(Section):
    """When the box looks and ends; a venue's own heartbeats and lifetimes stand in its section."""

    planned_s: float = 1
    """How long after its notice a `planned_disconnect` ends the connection."""
    in_flight_s: float = 2
    """Fills written so shortly before their connection's end are marked as perhaps not read."""
    check_s: float = 0.1
    """How often the keeper of connections looks at its clock."""


class SimulatorConfig(Section):
    """Everything about one simulator process."""

    venue: Venue = USUAL
    seed: int = 1
    port: int = Field(default=0, ge=0, le=65535)
    accounts: tuple[AccountConfig, ...] = ()
    traffic: TrafficConfig = TrafficConfig()
    faults: FaultConfig = FaultConfig()
    timing: TimingConfig = TimingConfig()
    face: SerializeAsAny[Section] = Field(default=Section(), validate_default=True)
    """The venue's own settings: those of `FACES[venue].settings`."""
    clock_skew_ms: int = 0

    @field_validator("venue")
    @classmethod
    def _is_known(cls, venue: str) -> str:
        if venue not in FACES:
            raise ValueError(f"known are {', '.join(FACES)}")
        return venue

    @field_validator("face", mode="before")
    @classmethod
    def _is_of_the_venue(cls, given: object, info: ValidationInfo) -> object:
        face = FACES.get(info.data.get("venue", ""))
        if face is None or isinstance(given, face.settings):
            return given
        fields = given.model_dump() if isinstance(given, Section) else given
        return face.settings.model_validate(fields)


SECTIONS = (PastConfig, AccountConfig, TrafficConfig, ScheduledFault, FaultConfig, TimingConfig)
KEYS = frozenset(SimulatorConfig.model_fields).union(
    *(section.model_fields for section in SECTIONS),
    *(face.settings.model_fields for face in FACES.values()),
)
"""Every key that a file may hold, to propose one for a misspelt one."""


def sample_accounts(count: int, seed: int = 1, venue: Venue = USUAL) -> tuple[AccountConfig, ...]:
    """`count` accounts over all products, alike but for their symbols and rules.

    Every third is hedged, every second pays some or all Spot fees in another asset than usual,
    every fourth has a maker rebate. Keys are derived from the seed: they open nothing but this
    simulator.
    """
    return tuple(_sample_account(number, seed, venue) for number in range(count))


SAMPLE_BASES = ("BTC", "ETH", "SOL", "BNB", "XRP", "ADA", "DOGE", "LTC", "LINK", "AVAX", "DOT")


def _sample_account(number: int, seed: int, venue: Venue) -> AccountConfig:
    bases = [SAMPLE_BASES[(number + step) % len(SAMPLE_BASES)] for step in range(3)]
    face = FACES[venue]
    return AccountConfig(
        name=f"{venue}:sim-{number}",
        api_key=f"simulated-key-{seed}-{number}",
        secret=f"simulated-secret-{seed}-{number}",
        passphrase=f"simulated-phrase-{seed}-{number}" if face.has_passphrase else "",
        symbols=face.symbols(bases, number),
        is_hedged=face.can_hedge and number % 3 == 2,
        pays_bnb=number % 2 == 1,
        pays_quote=number % 2 == 1,
        has_rebate=number % 4 == 3,
    )
