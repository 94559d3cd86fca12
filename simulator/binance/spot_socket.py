"""The Spot WS API: requests and the subscription (docs/venues/binance.md 2.3, 2.4 and 8)."""

from collections.abc import Mapping
from itertools import count
from typing import Any, ClassVar

from simulator.binance.api_socket import ApiSession, Kind, params_of
from simulator.binance.refusals import refused
from simulator.binance.spot_calls import SPOT_CALLS, SPOT_METHODS
from simulator.delivery import Subscription
from simulator.message import Document
from simulator.wire import session
from simulator.wire.calls import Call

SPOT = Kind("spot", "spot", "spot", connect_weight=2)
REQUEST_WEIGHT = 2


class SpotSession(ApiSession):
    """One connection's requests and subscriptions."""

    kind: ClassVar[Kind] = SPOT

    def __init__(self, *wire: Any, **options: Any) -> None:
        super().__init__(*wire, **options)
        self._numbers = count()

    def call_of(self, method: str) -> Call | None:
        """By the table of methods."""
        return SPOT_CALLS[SPOT_METHODS[method]] if method in SPOT_METHODS else None

    def own_verbs(self) -> Mapping[str, session.Verb]:
        """The subscriptions; without a signature only who has logged on subscribes."""
        return {
            **super().own_verbs(),
            "userDataStream.subscribe.signature": self._subscribe,
            "userDataStream.subscribe": self._subscribe,
            "userDataStream.unsubscribe": self._unsubscribe,
            "session.subscriptions": self._list,
        }

    def _subscribe(self, request: Document) -> None:
        self.charge(REQUEST_WEIGHT)
        account = self.authenticate(params_of(request))
        if any(row.account == account.name for [row] in self.listening.values()):
            raise refused("subscribed")
        number = next(self._numbers)
        wrap = session.inside(f'{{"subscriptionId":{number},"event":', "}")
        self.done(request, {"subscriptionId": number})
        self.listen(number, [Subscription(self.connection, account.name, "spot", wrap)])

    def _unsubscribe(self, request: Document) -> None:
        wanted = params_of(request).get("subscriptionId")
        numbers = list(self.listening) if wanted is None else [wanted]
        if not numbers or any(number not in self.listening for number in numbers):
            raise refused("not_subscribed")
        for number in numbers:
            self.unlisten(number)
        self.done(request, {})

    def _list(self, request: Document) -> None:
        self.done(request, [{"subscriptionId": number} for number in self.listening])
