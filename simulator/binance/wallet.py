"""What a key may do, as the wallet's host says (docs/venues/binance.md 2)."""

from simulator.accounts import Account
from simulator.binance.params import Params
from simulator.binance.refusals import refused
from simulator.binance.spot import SpotMarket
from simulator.message import Document
from simulator.wire.calls import Call, costs

PATH = "/sapi/v1/account/apiRestrictions"
CREATED_MS = 1_780_000_000_000


def restrictions(market: SpotMarket, account: Account, params: Params) -> Document:
    """GET apiRestrictions; demo has no such call."""
    key = account.credentials[params.needed("apiKey")]
    if key.is_demo:
        raise refused("no_path")
    return {
        "ipRestrict": bool(key.bound_ips),
        "createTime": CREATED_MS,
        "enableReading": True,
        "enableSpotAndMarginTrading": key.can_trade and "spot" in key.symbols,
        "enableWithdrawals": key.can_withdraw,
        "enableInternalTransfer": False,
        "permitsUniversalTransfer": False,
        "enableMargin": False,
        "enableFutures": key.can_trade and "linear" in key.symbols,
        "enableVanillaOptions": False,
        "enablePortfolioMarginTrading": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
    }


WALLET_CALLS = {("GET", PATH): Call(restrictions, costs(1))}
