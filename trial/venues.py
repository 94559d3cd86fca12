"""The simulated venues of the demo: the settings of each, and the product's for it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from simulator.config import (
    AccountConfig,
    FaultConfig,
    ScheduledFault,
    SimulatorConfig,
    sample_accounts,
)
from simulator.faces import FACES
from simulator.faults import REQUEST_FAULTS, STEP_FAULTS
from venues import VENUES

PARTITIONS: Final = 4
FRAMES_PER_REQUEST: Final = 20
"""About how many private frames come for each question, so that both kinds of fault are spread."""
FRAMES_PER_STEP: Final = 4
"""A step of trading brings about three private frames; the last faults of steps have some room."""
HEARD: Final = 0.5
"""The part of the frames over which their faults are spread: during outages, nobody hears any."""
LAG_MS_MAX: Final = 2000
"""No simulated venue runs further behind its books, whatever lag the venue's own profile allows."""
NS_PER_MS: Final = 1_000_000
SCALE: Final = 10
"""Ten times the venues' own rate limits, so that a minute shows what takes ten in production."""


@dataclass(frozen=True, slots=True)
class TrialVenue:
    """One simulated venue: how many accounts, which faults over about how many `frames`.

    `scale` is how many times the venue's own rate limits both sides are set to.
    """

    venue: str
    seed: int
    accounts: int
    frames: int
    faults: dict[str, int]
    scale: int = SCALE

    def config(self) -> SimulatorConfig:
        """The simulator's settings."""
        return SimulatorConfig(
            venue=self.venue,
            seed=self.seed,
            accounts=sample_accounts(self.accounts, self.seed, self.venue),
            faults=self._faults(),
            face=FACES[self.venue].scaled(self.scale),
        )

    def _faults(self) -> FaultConfig:
        return FaultConfig(
            schedule={
                name: ScheduledFault(count=count, frames=max(count, self._span(name)))
                for name, count in self.faults.items()
            }
        )

    def _span(self, kind: str) -> int:
        """Over how many things of its sort a kind of fault is spread."""
        if kind in REQUEST_FAULTS:
            return self.frames // FRAMES_PER_REQUEST
        return self.frames // FRAMES_PER_STEP if kind in STEP_FAULTS else int(self.frames * HEARD)

    def settings(self, address: str, reconcile_seconds: float) -> str:
        """The venue's section of `orderloom.toml`; `address` is the simulator's host and port."""
        products = sorted({name for one in self.config().accounts for name in one.symbols})
        rest = ", ".join(f'{product} = "http://{address}"' for product in products)
        stream = ", ".join(f'{product} = "ws://{address}"' for product in products)
        buckets = VENUES[self.venue].buckets
        limits = ", ".join(
            f'"{name}" = {one.capacity * self.scale}' for name, one in buckets.items()
        )
        return (
            f"[venues.{self.venue}]\n"
            f"rest = {{ {rest} }}\nstream = {{ {stream} }}\n"
            f"reconcile_seconds = {reconcile_seconds}\nlimits = {{ {limits} }}\n"
            f"{self._lag()}"
        )

    def _lag(self) -> str:
        """Where a venue's answers may lag further behind than the simulated one's ever do."""
        profiles = VENUES[self.venue].profiles.values()
        lag_ms = max(one.visibility_lag_ns for one in profiles) // NS_PER_MS
        return f"visibility_lag_ms = {LAG_MS_MAX}\n" if lag_ms > LAG_MS_MAX else ""


def lag_ms(venue: str, product: str) -> int:
    """The visibility lag, in ms, with which a stage runs a product: its profile's, capped."""
    return min(VENUES[venue].profiles[product].visibility_lag_ns // NS_PER_MS, LAG_MS_MAX)


def registry_of(accounts: Iterable[AccountConfig], keys: Path) -> Iterator[str]:
    """The accounts' entries of `accounts.toml`, whose keys stand in the folder `keys`."""
    for number, account in enumerate(accounts):
        products = json.dumps(list(account.symbols))
        symbols = "\n".join(
            f"{product} = {json.dumps(list(names))}" for product, names in account.symbols.items()
        )
        yield (
            f'[[accounts]]\nid = "{account.name}"\nproducts = {products}\n'
            f'key = "file:{keys / key_name(account)}"\npartition = {number % PARTITIONS}\n'
            f"{_orders(account)}"
            f"[accounts.symbols]\n{symbols}\n\n"
        )


def _orders(account: AccountConfig) -> str:
    """What may be sent for the account, where orders are entered at its venue at all."""
    venue = account.name.partition(":")[0]
    return 'orders = "cancel"\n' if VENUES[venue].orders is not None else ""


def key_name(account: AccountConfig) -> str:
    """The name of the file that holds an account's key."""
    return account.name.replace(":", "-") + ".json"


def key_of(account: AccountConfig) -> dict[str, Any]:
    """An account's key, as its file holds it."""
    return {
        "key": account.api_key,
        "secret": account.secret,
        "passphrase": account.passphrase,
    }
