"""OKX perpetuals: positions in contracts, fees and profit in the settlement currency."""

from decimal import Decimal
from typing import ClassVar

from simulator.accounts import Account, Fill
from simulator.engine import checks
from simulator.engine.contracts import ContractMarket
from simulator.engine.reducing import is_reducing
from simulator.engine.rules import Amends, Fees, Forced, Rules
from simulator.instrument import Product
from simulator.matching import Order
from simulator.okx import account_documents as documents
from simulator.okx.account_documents import MARGIN_RATE, WALLET
from simulator.okx.market import CHECKS, ENDED_AS, Change, OkxMarket
from simulator.okx.order_documents import Push
from simulator.okx.orders import BY_SYSTEM, NO_AMENDMENT

TAKER_RATE = Decimal("0.0005")


class SwapMarket(OkxMarket, ContractMarket):
    """Perpetuals of one kind."""

    rules: ClassVar[Rules] = Rules(
        fees=Fees(
            maker=Decimal("0.0002"),
            taker=TAKER_RATE,
            rebate=Decimal("-0.00005"),
            step=Decimal("0.000000000001"),
        ),
        checks=(*CHECKS, checks.position_side, checks.margin, checks.closable),
        wallet=WALLET,
        unit="contracts",
        names_are_venue_wide=True,
        makes_names=False,
        ended_as=ENDED_AS,
        margin_rate=MARGIN_RATE,
        cuts_reducing=True,
        forced={
            "LIQUIDATION": Forced(
                category="full_liquidation", rate=TAKER_RATE, slippage=Decimal("0.02")
            ),
            "ADL": Forced(category="adl", ends_with="ADL"),
        },
        forced_is_nameless=True,  # docs/venues/okx.md 5: below zero in REST, 0 in its push
        forced_ends_conditionals=True,
        amends=Amends(keeps_turn=True, below_filled="FILLED", ends_at_taking=False),
    )

    def amend(self, account: Account, order: Order, change: Change) -> None:
        """As for all products; one that closes closes no more than is left to close."""
        more = change.quantity - order.quantity
        is_larger = order.is_open and more > 0 and is_reducing(order)
        if is_larger and more > self.closable(account, order):
            raise self.refusal("too_much_to_close")
        super().amend(account, order, change)

    def report_forced(self, account: Account, order: Order, fill: Fill) -> None:
        """All in one push (docs/venues/okx.md 3.1)."""
        self.tell(account, order, Push(fill))
        self.tell_moved(account, fill, order.forced.lower())

    def transfer(self, account: Account, symbol: str, delta: Decimal) -> None:
        """A funding fee of a contract; `delta` as it changes the wallet."""
        currency, side = self.instrument(symbol).settle, _a_side(account)
        account.balance(WALLET, currency).free += delta
        self.position(account, symbol, side)
        account.position_states[symbol, side].funding += delta
        self.desk.touch_position(account, (symbol, side), self.tell_positions)
        self.desk.moved(account, "funding_fee", (currency,))

    def tell_moved(self, account: Account, fill: Fill, reason: str) -> None:
        """The settlement currency and the position, with the trade."""
        instrument = self.instrument(fill.symbol)
        key = (fill.symbol, fill.position_side)
        self.desk.touch_position(account, key, self.tell_positions)
        position = documents.moved_position(account, instrument, fill.position_side)
        shown = "0" if fill.is_nameless else str(fill.trade_id)
        trade = {"instId": fill.symbol, "tradeId": shown}
        self.desk.moved(account, reason, (instrument.settle,), (position,), (trade,))

    def tell_positions(self, account: Account, keys: list[tuple[str, str]]) -> None:
        """The present state of these positions, one push each."""
        for symbol, side in keys:
            row = self.position_row(account, symbol, side) | {"pTime": str(self.now_ms)}
            document = {"eventType": "event_update", "data": [row]}
            self.publish(account, "positions", document)

    def position_row(self, account: Account, symbol: str, side: str) -> dict[str, object]:
        """One position as REST lists it."""
        self.position(account, symbol, side)
        instrument, last = self.instrument(symbol), self.last_price(symbol)
        return documents.position_row(account, instrument, side, last, self.now_ms)

    def _cut(self, account: Account, order: Order, excess: Decimal) -> None:
        self._amendment = BY_SYSTEM
        super()._cut(account, order, excess)
        self._amendment = NO_AMENDMENT


class LinearMarket(SwapMarket):
    """USDT-margined perpetuals."""

    product: ClassVar[Product] = "linear"


class InverseMarket(SwapMarket):
    """Coin-margined perpetuals."""

    product: ClassVar[Product] = "inverse"


def _a_side(account: Account) -> str:
    return "LONG" if account.config.is_hedged else "BOTH"
