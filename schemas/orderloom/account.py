"""The account registry's entry, and what `accounts.<venue>` says of an account."""

from decimal import Decimal
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator

from orderloom.event import Cause
from orderloom.identity import checked_account, venue_of
from orderloom.topology import murmur2_partition


class Home(NamedTuple):
    """Where an account's records began to stand, and which of the venue's worlds they are of."""

    partition: int
    environment: str


class Move(NamedTuple):
    """Why an account may not be where the registry now says, and what to do."""

    cause: str
    remedy: str


class AccountConfig(BaseModel):
    """One account of `accounts.toml`. It holds no secret: `key` is a reference to one.

    `key` is ``env:NAME`` or ``file:PATH`` (JSON with key and secret). `symbols` are those asked for
    by symbol where the venue has no account-wide list, by product; touched ones are added.
    `orders` is what may be sent to the venue for it: nothing, cancels, or placements too.
    """

    # A person writes this one: a misspelt field must be named, not passed over.
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    products: tuple[str, ...]
    key: str
    environment: str = "production"
    # Venues count by address: the accounts of a group share its rate limits.
    ip_group: str = "default"
    # On USD-M an account is sure only of the symbols that are asked for (docs/venues/binance.md 7).
    symbols: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    # Written down by hand it spreads accounts that crowd one partition: each is one thread's work.
    partition: int | None = Field(default=None, ge=0)
    enabled: bool = True
    # Keys with money behind them: nothing is sent for an account that does not say so.
    orders: Literal["none", "cancel", "trade"] = "none"

    _checked_id = field_validator("id")(checked_account)

    @property
    def venue(self) -> str:
        """The venue, which is the first part of the id."""
        return venue_of(self.id)

    def partition_of(self, partitions: int) -> int:
        """The account's partition: as registered, else by murmur2 of its id."""
        if self.partition is not None:
            return self.partition
        # As Kafka's own clients place a record with this key (`runtime/kafka.py`).
        return murmur2_partition(self.id.encode(), partitions)

    def home(self, partitions: int) -> Home:
        """Where it lies by this entry."""
        return Home(self.partition_of(partitions), self.environment)

    def move_from(self, home: Home, partitions: int) -> Move | None:
        """What this entry would move, were it taken; None where the account stays at `home`.

        An account never moves: its records so far would stay behind, and its numbers begin anew,
        so that consumers drop what follows as repeats (decision 0605).
        """
        wanted, says = self.home(partitions), "the registry now says"
        if wanted.partition != home.partition:
            return Move(
                f"account {self.id} lies in partition {home.partition}, {says} {wanted.partition}",
                f"write partition = {home.partition}, what it did so far would stay behind",
            )
        # Testnet and production under one account would
        # be one history of two worlds (decision 0605).
        if wanted.environment != home.environment:
            return Move(
                f"account {self.id} is of {home.environment}, {says} {wanted.environment}",
                f'write environment = "{home.environment}", or give it a namespace of its own',
            )
        return None


class BlindInterval(BaseModel):
    """A span in which we may have missed something; `end_ns` None while it lasts.

    Closed (`closed_ns`) only by a look-up that covers it. Times are ns UTC.
    """

    model_config = ConfigDict(frozen=True)

    product: str
    start_ns: int
    end_ns: int | None = None
    closed_ns: int | None = None
    reason: str = ""


class RefusedSymbol(BaseModel):
    """A symbol that the venue refuses to be asked about, with the venue's own code.

    What happened there since `since_ns` (ns UTC) was not looked at. `may_lack`: executions may be
    missing; the account is not in sync because of it.
    """

    model_config = ConfigDict(frozen=True)

    product: str
    symbol: str
    code: str
    since_ns: int
    # A refused symbol of which nothing can be missing does
    # not keep the account out of sync (decision 0013).
    may_lack: bool


class Balance(BaseModel):
    """One asset: what is free, locked, or held in total, as the venue last said."""

    model_config = ConfigDict(frozen=True)

    product: str
    asset: str
    # Which of the three a venue says differs: USD-M's stream knows the total alone.
    free: Decimal | None = None
    locked: Decimal | None = None
    total: Decimal | None = None
    venue_ns: int | None = None


class Progress(BaseModel):
    """How far a cycle of questions is: so many of those `asked` are answered; pages so far."""

    model_config = ConfigDict(frozen=True)

    answered: int
    asked: int
    pages: int


class KillInForce(BaseModel):
    """A kill that no operator has lifted: where it stands in `claims`, what it covers, and whose.

    Of `scope` each part that is named must agree: account, strategy, product, symbol.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    offset: int
    scope: dict[str, str] = Field(default_factory=dict)
    author: str
    reason: str = ""


class AccountState(BaseModel):
    """One record of `accounts.<venue>`: what we can see of an account, and since when.

    `covered_ns`: up to which time reconciliation has looked, by product (ns UTC). `progress`: how
    far the cycles under way are, by product, while the account is catching up. While it is not
    `enabled`, nobody looks: what is known stays as it was. `removed`: not even registered any more.
    `kills` are those in force; below `killed_until` in `claims` each that ever covered anything of
    the account stands: whoever places an order names what he has read of it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = 1
    account: str
    partition: int
    sync: Literal["CATCHING_UP", "SYNCED"]
    streams: dict[str, str]
    # To be compared with one's own clock: LIVE and SYNCED stay as
    # they are when the ledger stands still (docs/contract.md).
    covered_ns: dict[str, int] = Field(default_factory=dict)
    progress: dict[str, Progress] = Field(default_factory=dict)
    blind: tuple[BlindInterval, ...] = ()
    refused: tuple[RefusedSymbol, ...] = ()
    balances: tuple[Balance, ...] = ()
    # Then all of this is how it was before a record that could not be folded: never SYNCED.
    quarantined: bool = False
    kills: tuple[KillInForce, ...] = ()
    killed_until: int = 0
    enabled: bool = True
    removed: bool = False
    version: int
    sequence: int
    epoch: int
    cause: Cause
