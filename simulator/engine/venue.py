"""A venue without any wire: accounts, markets and those who trade there."""

from abc import ABC, abstractmethod
from random import Random
from typing import ClassVar

from simulator.accounts import Account, Spelling
from simulator.clock import Clock
from simulator.config import SimulatorConfig
from simulator.engine.counterparty import fill_up
from simulator.engine.market import Market
from simulator.engine.numbering import Numbering, Numbers
from simulator.faults import Faults
from simulator.instrument import Product
from simulator.journal import Journal, Wish
from simulator.market import World
from simulator.message import Publish
from simulator.traders import Traders
from simulator.visibility import View


class SimulatedVenue(ABC):
    """All products over one set of accounts; `publish` gets every private message."""

    numbering: ClassVar[Numbering] = Numbering()
    spelling: ClassVar[Spelling] = Spelling()
    trader_class: ClassVar[type[Traders]]
    acks_early: frozenset[str] = frozenset()
    """Products whose answers say less than that the book has the order."""

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
        self.view = View(now_ms=clock.now_ms)
        self.journal = Journal(clock.now_ns)
        self.accounts = {row.name: Account(row, self.spelling) for row in config.accounts}
        for number, account in enumerate(self.accounts.values()):
            account.number = number
        self.by_key = {account.config.api_key: account for account in self.accounts.values()}
        self._numbers = Numbers(self.numbering)
        self.faults = faults or Faults(config.faults, config.seed)
        self._products = markets = self.make_markets()
        self.traders = self.trader_class(markets, config.seed, config.traffic, self.faults)

    @abstractmethod
    def make_markets(self) -> tuple[Market, ...]:
        """The venue's products."""

    def fill_named(self, wish: Wish) -> None:
        """Nobody in particular trades what is left of the open orders that a wish names."""
        account = self.accounts.get(wish.account)
        for market in self._products if account else ():
            if account is None or market.product != wish.product:
                continue
            for order in market.open_orders(account, wish.symbol):
                spelled = account.spelling.order(market.product, order.order_id)
                is_one = spelled == wish.venue_order_id or (
                    not wish.venue_order_id and wish.client_order_id == order.client_order_id
                )
                if is_one or wish.verb == "cancel-all":
                    fill_up(market, order)

    def world(self, product: Product) -> World:
        """What the market of a product needs."""
        return World(
            clock=self.clock,
            accounts=self.accounts,
            publish=self.publish,
            random=Random(f"{self.config.seed}:{product}"),
            numbers=self._numbers,
            face=self.config.face,
            view=self.view,
            journal=self.journal,
        )

    @property
    def now_ms(self) -> int:
        """The venue's clock."""
        return self.clock.now_ms()
