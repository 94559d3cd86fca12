"""listenKeys of USD-M: one per account, alive for an hour (docs/venues/binance.md 2.5)."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from simulator.accounts import Account
from simulator.binance.params import Params, weighs
from simulator.binance.refusals import refused
from simulator.engine.market import Market
from simulator.message import Document
from simulator.wire.calls import Call

PATH = "/fapi/v1/listenKey"


@dataclass(slots=True)
class Key:
    """One account's key and when it ends."""

    text: str
    account: str
    expires_ms: int


class ListenKeys:
    """All keys; `now_ms` is the venue's clock."""

    def __init__(self, now_ms: Callable[[], int], life_s: float, seed: int) -> None:
        self._now_ms = now_ms
        self._life_ms = int(life_s * 1000)
        self._random = Random(f"{seed}:listen-keys")
        self._keys: dict[str, Key] = {}

    def calls(self) -> dict[tuple[str, str], Call]:
        """The REST calls that open, extend and close a key; they need no signature."""
        return {
            ("POST", PATH): Call(self._open, weighs(1), "key"),
            ("PUT", PATH): Call(self._extend, weighs(1), "key"),
            ("DELETE", PATH): Call(self._close, weighs(1), "key"),
        }

    def account_of(self, text: str) -> str:
        """Whose key it is; empty where it is nobody's."""
        return next((key.account for key in self._keys.values() if key.text == text), "")

    def expire(self, *, everything: bool = False) -> list[Key]:
        """Take away the keys whose time is over (or all of them) and return them."""
        now_ms = self._now_ms()
        gone = [key for key in self._keys.values() if everything or key.expires_ms <= now_ms]
        for key in gone:
            del self._keys[key.account]
        return gone

    def _open(self, market: Market, account: Account, params: Params) -> Document:
        key = self._keys.get(account.name)
        if key is None:
            text = f"{self._random.getrandbits(256):064x}"
            key = self._keys[account.name] = Key(text, account.name, 0)
        key.expires_ms = self._now_ms() + self._life_ms
        return {"listenKey": key.text}

    def _extend(self, market: Market, account: Account, params: Params) -> Document:
        if account.name not in self._keys:
            raise refused("no_listen_key")
        return self._open(market, account, params)

    def _close(self, market: Market, account: Account, params: Params) -> Document:
        if self._keys.pop(account.name, None) is None:
            raise refused("no_listen_key")
        return {}
