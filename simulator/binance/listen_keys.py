"""listenKeys of USD-M: one per account, alive for an hour (docs/venues/binance.md 2.5)."""

from simulator.accounts import Account
from simulator.binance.params import Params
from simulator.binance.refusals import refused
from simulator.engine.market import Market
from simulator.message import Document
from simulator.wire.calls import Call, costs
from simulator.wire.tickets import Tickets

PATH = "/fapi/v1/listenKey"


def listen_key_calls(keys: Tickets) -> dict[tuple[str, str], Call]:
    """The REST calls that open, extend and close a key; they need no signature."""

    def opened(market: Market, account: Account, params: Params) -> Document:
        return {"listenKey": keys.open(account.name).text}

    def extended(market: Market, account: Account, params: Params) -> Document:
        if not keys.has(account.name):
            raise refused("no_listen_key")
        return opened(market, account, params)

    def closed(market: Market, account: Account, params: Params) -> Document:
        if not keys.close(account.name):
            raise refused("no_listen_key")
        return {}

    acts = {"POST": opened, "PUT": extended, "DELETE": closed}
    return {(verb, PATH): Call(act, costs(1), "key") for verb, act in acts.items()}
