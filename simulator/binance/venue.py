"""The simulated Binance without any wire: both markets and their traders."""

from typing import ClassVar

from simulator.accounts import Account
from simulator.binance.instruments import make_instruments
from simulator.binance.params import Params
from simulator.binance.refusals import refused
from simulator.binance.spot import SpotMarket
from simulator.binance.traders import BinanceTraders
from simulator.binance.usdm import UsdmMarket
from simulator.engine.venue import SimulatedVenue
from simulator.instrument import Product
from simulator.traders import Traders
from simulator.wire.calls import Call


class BinanceVenue(SimulatedVenue):
    """Spot and USD-M."""

    trader_class: ClassVar[type[Traders]] = BinanceTraders

    def make_markets(self) -> tuple[SpotMarket, UsdmMarket]:
        """Both."""
        self.spot = SpotMarket(self.world("spot"), make_instruments("spot"))
        self.linear = UsdmMarket(self.world("linear"), make_instruments("linear"))
        return self.spot, self.linear

    def ask(self, call: Call, product: Product, account: Account, params: Params) -> object:
        """What a call answers; the book looks here at the wish of one that has a single one."""
        market = self.spot if product == "spot" else self.linear
        if len(call.wishes) != 1:
            return call.answer(market, account, params)
        with self.journal.judged():
            return call.answer(market, account, params)

    def account_of(self, key: str, product: Product) -> Account:
        """Whose key it is; refused where it is nobody's, or not for this product."""
        account = self.by_key.get(key)
        if account is None or product not in account.config.symbols:
            raise refused("bad_key") if key else refused("no_key")
        return account
