"""The dead man's switch of USD-M, by symbol (docs/venues/binance.md 11).

Conditional orders stay: nobody has confirmed that it ends them.
"""

from simulator.accounts import Account
from simulator.binance.params import Params
from simulator.binance.refusals import refused
from simulator.binance.usdm import UsdmMarket
from simulator.binance.wishes import COUNTDOWN
from simulator.message import Document
from simulator.wire.calls import Call, costs

CHECK_S = 0.01
"""How often the venue looks whether one is due."""


def countdown(market: UsdmMarket, account: Account, params: Params) -> Document:
    """POST countdownCancelAll: so many ms from now on; zero stops it."""
    symbol = market.instrument(params.needed("symbol")).symbol
    params.needed("countdownTime")
    for_ms = params.whole("countdownTime")
    if for_ms is None:
        raise refused("missing", name="countdownTime")
    market.switches.set(account, symbol, for_ms)
    return {"symbol": symbol, "countdownTime": str(for_ms)}


def fire(market: UsdmMarket) -> None:
    """End the open orders of each switch that is due."""
    for account, symbol in market.switches.fired():
        with market.view.of_the_book():
            there = market.seen(market.open_orders(account, symbol))
        for order in there:
            market.cancel(account, order, reason="TIMER")


SWITCH_CALLS = {
    ("POST", "/fapi/v1/countdownCancelAll"): Call(countdown, costs(10), wishes=(COUNTDOWN,)),
}
