"""The REST face of both products: who asks, what it weighs, what trouble it meets."""

from functools import partial

from simulator.accounts import Account
from simulator.binance.limits import Limits
from simulator.binance.listen_keys import listen_key_calls
from simulator.binance.params import Params
from simulator.binance.refusals import document_of, refused
from simulator.binance.signing import check_rest_signature, check_time
from simulator.binance.spot_calls import SPOT_CALLS
from simulator.binance.switch import SWITCH_CALLS
from simulator.binance.usdm_calls import USDM_CALLS
from simulator.binance.venue import BinanceVenue
from simulator.binance.wallet import WALLET_CALLS
from simulator.binance.wishes import wishes_of
from simulator.faults import Faults
from simulator.instrument import Product
from simulator.journal import Wish
from simulator.message import Document
from simulator.refusal import Refused
from simulator.trouble import Trouble
from simulator.wire.attempts import Act, Attempts
from simulator.wire.calls import NOBODY, Asked, Call, fitting_faults
from simulator.wire.calls import Rest as WireRest
from simulator.wire.tickets import Tickets

PRODUCTS: tuple[Product, ...] = ("spot", "linear")
USED_WEIGHT = "X-MBX-USED-WEIGHT-1M"


def product_of(path: str) -> Product:
    """Which product the path belongs to; the wallet's share Spot's weight."""
    return "linear" if path.startswith("/fapi/") else "spot"


def troubled(product: Product, faults: Faults, venue: BinanceVenue, limits: Limits) -> Trouble:
    """What befalls the requests of a product, in its words."""
    market = venue.spot if product == "spot" else venue.linear
    return Trouble(faults, venue.view, market.refusal, limits.ban, throttled="throttled")


class Rest(WireRest):
    """Answers requests of both products."""

    def __init__(
        self,
        venue: BinanceVenue,
        limits: Limits,
        faults: Faults,
        keys: Tickets,
        attempts: Attempts,
    ) -> None:
        super().__init__(attempts)
        self._venue = venue
        self._limits = limits
        self._troubles = {product: troubled(product, faults, venue, limits) for product in PRODUCTS}
        self._calls: dict[tuple[str, str], Call] = (
            SPOT_CALLS | USDM_CALLS | SWITCH_CALLS | WALLET_CALLS | listen_key_calls(keys)
        )

    def wishes(self, asked: Asked) -> list[Wish]:
        """What the call would change."""
        call = self._calls.get((asked.method, asked.path))
        if call is None or not call.wishes:
            return []
        account = self._venue.by_key.get(asked.headers.get("X-MBX-APIKEY", ""))
        return wishes_of(call.wishes, Params(asked.fields), account, product_of(asked.path))

    def admit(self, asked: Asked, headers: dict[str, str]) -> Act[object]:
        """Charge the weight first, whatever becomes of the request."""
        call = self._calls.get((asked.method, asked.path))
        if call is None:
            raise refused("no_path")
        params = Params(asked.fields)
        self._charge(asked, call.cost(params), headers)
        account = self._account(asked, call)
        act = partial(self._carry_out, call, account, asked, headers)
        return act if call.access == "none" else partial(self._meet, call, asked, act, headers)

    def _meet(self, call: Call, asked: Asked, act: Act[object], headers: dict[str, str]) -> object:
        try:
            fitting = fitting_faults(asked.method, is_paged=call.is_paged)
            trouble = self._troubles[product_of(asked.path)]
            return trouble.meet(asked.ip, act, fitting)
        except Refused as refusal:
            if (refusal.status, refusal.code) == (429, -1003):
                headers["Retry-After"] = "1"
            elif refusal.status == 418:
                headers["Retry-After"] = self._wait(asked)
            raise

    def refusal(self, refusal: Refused) -> Document:
        """Code and text, and what became of both halves of a cancel-replace."""
        return document_of(refusal)

    def _carry_out(
        self, call: Call, account: Account, asked: Asked, headers: dict[str, str]
    ) -> object:
        product = product_of(asked.path)
        params = Params(asked.fields | {"apiKey": asked.headers.get("X-MBX-APIKEY", "")})
        market = self._venue.spot if product == "spot" else self._venue.linear
        answer = self._venue.ask(call, product, account, params)
        if call.is_free_when_done:
            used = self._limits.give_back(asked.ip, product, call.cost(params))
            headers[USED_WEIGHT] = str(used)
        if call.counts_orders:
            headers |= market.counts.headers(account)
        return answer

    def _charge(self, asked: Asked, weight: int, headers: dict[str, str]) -> None:
        try:
            used = self._limits.take(asked.ip, product_of(asked.path), weight)
        except Refused:
            headers["Retry-After"] = self._wait(asked)
            raise
        headers[USED_WEIGHT] = str(used)

    def _wait(self, asked: Asked) -> str:
        return str(self._limits.retry_after_s(asked.ip, product_of(asked.path)))

    def _account(self, asked: Asked, call: Call) -> Account:
        if call.access == "none":
            return NOBODY
        key = asked.headers.get("X-MBX-APIKEY", "")
        is_wallet = asked.path.startswith("/sapi/")
        account = self._venue.account_of(key, None if is_wallet else product_of(asked.path))
        if call.access == "signed":
            check_rest_signature(account.credentials[key].secret, asked.query, asked.body)
            params = asked.fields
            now_ms = self._venue.now_ms
            check_time(params.get("timestamp", ""), params.get("recvWindow", ""), now_ms)
        if call.wishes and not account.credentials[key].can_trade:
            raise refused("bad_key")
        return account
