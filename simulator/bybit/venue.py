"""The simulated Bybit without any wire: its three markets and their traders."""

from typing import ClassVar

from simulator.bybit.ids import Uuid
from simulator.bybit.instruments import make_instruments
from simulator.bybit.market import BybitMarket
from simulator.bybit.products import Contracts, InverseMarket, LinearMarket, SpotMarket
from simulator.bybit.shared import Shared
from simulator.bybit.traders import BybitTraders
from simulator.engine.numbering import Numbering
from simulator.engine.venue import SimulatedVenue
from simulator.instrument import Product
from simulator.traders import Traders


class BybitVenue(SimulatedVenue):
    """Coins and both kinds of contracts over one wallet."""

    numbering: ClassVar[Numbering] = Numbering(
        first_order=1_987_654_321_000_000_001,
        first_trade=2_110_000_000_071_000_001,
        is_shared=True,
        looks={"linear": Uuid, "inverse": Uuid},
    )
    trader_class: ClassVar[type[Traders]] = BybitTraders

    def make_markets(self) -> tuple[BybitMarket, ...]:
        """All three."""
        self.shared = shared = Shared()
        self.spot = SpotMarket(self.world("spot"), make_instruments("spot"), shared)
        self.linear = LinearMarket(self.world("linear"), make_instruments("linear"), shared)
        self.inverse = InverseMarket(self.world("inverse"), make_instruments("inverse"), shared)
        self.numbers = {name: number for number, name in enumerate(self.accounts)}
        self.forgotten_ms = 0
        return (self.spot, self.linear, self.inverse)

    def market_of(self, product: Product) -> BybitMarket:
        """Where a product is traded."""
        return {"spot": self.spot, "linear": self.linear, "inverse": self.inverse}[product]

    def contracts_of(self, product: Product) -> Contracts | None:
        """The same where there are positions."""
        market = self.market_of(product)
        return market if isinstance(market, Contracts) else None

    def forget_recent(self) -> dict[str, int]:
        """As a restart does: the recent closed orders are in the history alone (trap 13)."""
        self.forgotten_ms = self.now_ms
        return {"forgotten_ms": self.forgotten_ms}
