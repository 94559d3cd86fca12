"""The simulated Kraken without any wire: Spot, both kinds of contracts, and their traders."""

from typing import ClassVar

from simulator.accounts import Account, Spelling
from simulator.engine.market import Market
from simulator.engine.numbering import Numbering
from simulator.engine.venue import SimulatedVenue
from simulator.instrument import Product
from simulator.kraken import instruments
from simulator.kraken.futures import InverseFutures, KrakenFutures, LinearFutures
from simulator.kraken.refusals import futures_refused, spot_refused
from simulator.kraken.reporter import Reporter
from simulator.kraken.spot import KrakenSpot
from simulator.kraken.traders import KrakenTraders
from simulator.kraken.words import SPELLING
from simulator.traders import Traders

PRODUCTS: tuple[Product, ...] = ("spot", "linear", "inverse")


class KrakenVenue(SimulatedVenue):
    """Two systems over one set of accounts, of which each has a key of one of them."""

    numbering: ClassVar[Numbering] = Numbering(is_shared=True)
    spelling: ClassVar[Spelling] = SPELLING
    trader_class: ClassVar[type[Traders]] = KrakenTraders

    def make_markets(self) -> tuple[Market, ...]:
        """All three."""
        make, self.reporter = instruments.make_instruments, Reporter(self)
        self.spot = KrakenSpot(self.world("spot"), make("spot"))
        self.linear = LinearFutures(self.world("linear"), make("linear"), self.reporter)
        self.inverse = InverseFutures(self.world("inverse"), make("inverse"), self.reporter)
        self.futures: tuple[KrakenFutures, ...] = (self.linear, self.inverse)
        self._pairs = {
            name: row.symbol
            for row in self.spot.instruments.values()
            for name in (
                row.symbol,
                instruments.pair_key(row),
                instruments.pair_name(row),
                instruments.socket_name(row),
            )
        }
        return self.spot, self.linear, self.inverse

    def symbol_of(self, pair: str) -> str:
        """The pair under any of its names; refused where there is none."""
        if pair not in self._pairs:
            raise spot_refused("bad_symbol")
        return self._pairs[pair]

    def market_of(self, contract: str) -> KrakenFutures:
        """Where a contract is traded; refused where it is nowhere."""
        for market in self.futures:
            if contract in market.instruments:
                return market
        raise futures_refused("bad_symbol")

    def account_of(self, key: str, products: tuple[Product, ...]) -> Account | None:
        """Whose key it is, if it is one of the system with these products."""
        account = self.by_key.get(key)
        is_there = account is not None and any(one in account.config.symbols for one in products)
        return account if is_there else None

    def flush(self) -> None:
        """Tell of the positions and balances of Futures that changed."""
        self.reporter.flush()
