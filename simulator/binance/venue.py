"""The simulated Binance without any wire: both markets and their traders."""

from typing import ClassVar

from simulator.accounts import Account
from simulator.binance.instruments import make_instruments
from simulator.binance.refusals import refused
from simulator.binance.spot import SpotMarket
from simulator.binance.traders import BinanceTraders
from simulator.binance.usdm import UsdmMarket
from simulator.engine.venue import SimulatedVenue
from simulator.instrument import Product
from simulator.traders import Traders


class BinanceVenue(SimulatedVenue):
    """Spot and USD-M."""

    trader_class: ClassVar[type[Traders]] = BinanceTraders

    def make_markets(self) -> tuple[SpotMarket, UsdmMarket]:
        """Both."""
        self.spot = SpotMarket(self.world("spot"), make_instruments("spot"))
        self.linear = UsdmMarket(self.world("linear"), make_instruments("linear"))
        return self.spot, self.linear

    def account_of(self, key: str, product: Product) -> Account:
        """Whose key it is; refused where it is nobody's, or not for this product."""
        account = self.by_key.get(key)
        if account is None or product not in account.config.symbols:
            raise refused("bad_key") if key else refused("no_key")
        return account
