"""OKX Spot: balances in one wallet, fees in what is received, market purchases in quote."""

from decimal import Decimal
from typing import ClassVar

from simulator.accounts import Account, Fill
from simulator.engine import checks
from simulator.engine.rules import Amends, Fees, Rules
from simulator.engine.spot import SpotMarket as EngineSpot
from simulator.okx.account_documents import WALLET
from simulator.okx.market import CHECKS, ENDED_AS, OkxMarket


class SpotMarket(OkxMarket, EngineSpot):
    """OKX Spot."""

    rules: ClassVar[Rules] = Rules(
        fees=Fees(
            maker=Decimal("0.0008"),
            taker=Decimal("0.001"),
            step=Decimal("0.000000000001"),
            asset="chosen",
        ),
        checks=(*CHECKS, checks.funds),
        wallet=WALLET,
        names_are_venue_wide=True,
        makes_names=False,
        ended_as=ENDED_AS,
        amends=Amends(keeps_turn=True, below_filled="FILLED", ends_at_taking=False),
    )

    def touch(self, account: Account, *assets: str) -> None:
        """Told at the next flush."""
        self.desk.touch(account, *assets)

    def report_transfer(self, account: Account, asset: str, delta: Decimal) -> None:
        """One push with its reason."""
        self.desk.moved(account, "transferred", (asset,))

    def tell_moved(self, account: Account, fill: Fill, reason: str) -> None:
        """Both currencies, with the trade."""
        instrument = self.instrument(fill.symbol)
        trade = {"instId": fill.symbol, "tradeId": str(fill.trade_id)}
        self.desk.moved(account, reason, (instrument.base, instrument.quote), trades=(trade,))
