"""The simulated OKX without any wire: accounts, its three markets and their traders."""

from random import Random

from simulator.accounts import Account
from simulator.clock import Clock
from simulator.config import SimulatorConfig
from simulator.engine.numbering import Numbering, Numbers
from simulator.faults import Faults
from simulator.instrument import Product
from simulator.market import World
from simulator.message import Publish
from simulator.okx.account_documents import user_id
from simulator.okx.desk import Desk
from simulator.okx.instruments import make_instruments
from simulator.okx.market import OkxMarket
from simulator.okx.refusals import refused
from simulator.okx.spot import SpotMarket
from simulator.okx.swap import InverseMarket, LinearMarket, SwapMarket
from simulator.okx.traders import OkxTraders
from simulator.visibility import View

NUMBERING = Numbering(
    first_order=2_710_000_000_000_000_001, first_fill=2_710_000_000_500_000_001, is_shared=True
)
PRODUCTS: tuple[Product, ...] = ("spot", "linear", "inverse")


class OkxVenue:
    """All products over one set of accounts; `publish` gets every private message."""

    def __init__(
        self,
        config: SimulatorConfig,
        clock: Clock,
        publish: Publish,
        faults: Faults | None = None,
    ) -> None:
        self.config = config
        self.clock = clock
        self.publish = publish
        self.view = View()
        self.accounts = {row.name: Account(row) for row in config.accounts}
        self.numbers = {name: number for number, name in enumerate(self.accounts)}
        self.by_key = {account.config.api_key: account for account in self.accounts.values()}
        self._numbers = Numbers(NUMBERING)
        self.desk = Desk(self.accounts, publish, clock.now_ms)
        self.spot = SpotMarket(self._world("spot"), make_instruments("spot"), self.desk)
        self.linear = LinearMarket(self._world("linear"), make_instruments("linear"), self.desk)
        self.inverse = InverseMarket(self._world("inverse"), make_instruments("inverse"), self.desk)
        self.markets: tuple[OkxMarket, ...] = (self.spot, self.linear, self.inverse)
        self.swaps: tuple[SwapMarket, ...] = (self.linear, self.inverse)
        self.faults = faults or Faults(config.faults, config.seed)
        self.traders = OkxTraders(self.markets, config.seed, config.traffic, self.faults)
        self._by_code = {
            instrument.code: symbol
            for market in self.markets
            for symbol, instrument in make_instruments(market.product).items()
        }

    def _world(self, product: Product) -> World:
        return World(
            self.clock,
            self.accounts,
            self.publish,
            Random(f"{self.config.seed}:{product}"),
            self._numbers,
            self.config.limits,
            self.view,
        )

    @property
    def now_ms(self) -> int:
        """The venue's clock."""
        return self.clock.now_ms()

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
