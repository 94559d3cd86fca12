"""The simulated Binance without any wire: both markets and their traders."""

from typing import ClassVar

from simulator.accounts import Account
from simulator.binance.instruments import make_instruments
from simulator.binance.params import Params
from simulator.binance.refusals import refused
from simulator.binance.signing import is_late
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
    acks_early = frozenset({"linear"})

    def make_markets(self) -> tuple[SpotMarket, UsdmMarket]:
        """Both."""
        self.spot = SpotMarket(self.world("spot"), make_instruments("spot"))
        self.linear = UsdmMarket(self.world("linear"), make_instruments("linear"))
        return self.spot, self.linear

    def ask(self, call: Call, product: Product, account: Account, params: Params) -> object:
        """What a call answers; the book looks here at the wish of one that has a single one."""
        market = self.spot if product == "spot" else self.linear
        if len(call.wishes) != 1:
            self._check_time(call, product, account, params)
            return call.answer(market, account, params)
        with self.journal.judged():
            self._check_time(call, product, account, params)
            return call.answer(market, account, params)

    def _check_time(self, call: Call, product: Product, account: Account, params: Params) -> None:
        """A request that waited behind the gateway is judged again (docs/venues/binance.md 2).

        Spot has counted it by then. USD-M's book looks at placements and amends alone.
        """
        stamps = params.text("timestamp"), params.text("recvWindow")
        if not call.wishes or not is_late(*stamps, self.now_ms):
            return
        if product == "spot":
            if call.counts_orders:
                self.spot.counts.take(account)
            raise refused("outside_window")
        if any(said.is_of_the_book for said in call.wishes):
            raise self.linear.refusal("late_at_the_book")

    def account_of(self, key: str, product: Product | None) -> Account:
        """Whose key it is; refused where it is nobody's, or not for this product."""
        account = self.by_key.get(key)
        is_for_it = account is not None and (product is None or product in account.config.symbols)
        if account is None or not is_for_it:
            raise refused("bad_key") if key else refused("no_key")
        return account
