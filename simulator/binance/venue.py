"""The simulated Binance without any wire: accounts, both markets and their traders."""

from random import Random

from simulator.accounts import Account
from simulator.binance.instruments import make_instruments
from simulator.binance.spot import SpotMarket
from simulator.binance.traders import BinanceTraders
from simulator.binance.usdm import UsdmMarket
from simulator.clock import Clock
from simulator.config import SimulatorConfig
from simulator.engine.numbering import Numbering, Numbers
from simulator.faults import Faults
from simulator.market import World
from simulator.message import Publish
from simulator.visibility import View


class BinanceVenue:
    """Both products over one set of accounts; `publish` gets every private message."""

    def __init__(
        self,
        config: SimulatorConfig,
        clock: Clock,
        publish: Publish,
        faults: Faults | None = None,
    ) -> None:
        self.config = config
        self.clock = clock
        self.accounts = {row.name: Account(row) for row in config.accounts}
        self.by_key = {account.config.api_key: account for account in self.accounts.values()}
        self.view = View()
        numbers = Numbers(Numbering())

        def world(product: str) -> World:
            chance = Random(f"{config.seed}:{product}")
            return World(clock, self.accounts, publish, chance, numbers, config.limits, self.view)

        self.spot = SpotMarket(world("spot"), make_instruments("spot"))
        self.linear = UsdmMarket(world("linear"), make_instruments("linear"))
        self.faults = faults or Faults(config.faults, config.seed)
        self.traders = BinanceTraders(
            (self.spot, self.linear), config.seed, config.traffic, self.faults
        )
