"""The simulated OKX without any wire: its three markets and their traders."""

from typing import ClassVar

from simulator.accounts import Account
from simulator.engine.numbering import Numbering
from simulator.engine.venue import SimulatedVenue
from simulator.instrument import Product
from simulator.okx.account_documents import user_id
from simulator.okx.desk import Desk
from simulator.okx.instruments import make_instruments
from simulator.okx.market import OkxMarket
from simulator.okx.refusals import refused
from simulator.okx.spot import SpotMarket
from simulator.okx.swap import InverseMarket, LinearMarket, SwapMarket
from simulator.okx.traders import OkxTraders
from simulator.traders import Traders
from simulator.wire.switches import Switches

PRODUCTS: tuple[Product, ...] = ("spot", "linear", "inverse")


class OkxVenue(SimulatedVenue):
    """Spot and both kinds of perpetuals over one wallet."""

    numbering: ClassVar[Numbering] = Numbering(
        first_order=2_710_000_000_000_000_001, first_fill=2_710_000_000_500_000_001, is_shared=True
    )
    trader_class: ClassVar[type[Traders]] = OkxTraders
    acks_early = frozenset(PRODUCTS)

    def make_markets(self) -> tuple[OkxMarket, ...]:
        """All three."""
        self.switches = Switches(self.clock.now_ms)
        self.desk = desk = Desk(self.accounts, self.publish, self.clock.now_ms)
        self.spot = SpotMarket(self.world("spot"), make_instruments("spot"), desk)
        self.linear = LinearMarket(self.world("linear"), make_instruments("linear"), desk)
        self.inverse = InverseMarket(self.world("inverse"), make_instruments("inverse"), desk)
        self.markets: tuple[OkxMarket, ...] = (self.spot, self.linear, self.inverse)
        self.swaps: tuple[SwapMarket, ...] = (self.linear, self.inverse)
        self.numbers = {name: number for number, name in enumerate(self.accounts)}
        self.products: dict[str, Product] = {
            symbol: market.product for market in self.markets for symbol in market.instruments
        }
        self._by_code = {
            instrument.code: symbol
            for market in self.markets
            for symbol, instrument in market.instruments.items()
        }
        return self.markets

    def market_of(self, symbol: str) -> OkxMarket:
        """Where an instrument is traded; `Refusal` 51001 where it is nowhere."""
        for market in self.markets:
            if symbol in market.instruments:
                return market
        raise refused("bad_symbol")

    def symbol_of(self, code: int) -> str:
        """The instrument with this `instIdCode`; `Refusal` 51001 where there is none."""
        if code not in self._by_code:
            raise refused("bad_symbol")
        return self._by_code[code]

    def user_id(self, account: Account) -> str:
        """The account's `uid`."""
        return user_id(self.numbers[account.name])

    def flush(self) -> None:
        """Tell of the positions and balances that changed."""
        self.desk.flush()
