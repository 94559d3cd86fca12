"""Conditional orders in a market: held until a trade reaches their price, then placed."""

from abc import ABC, abstractmethod
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import ClassVar

from simulator.accounts import Account
from simulator.conditional import TRIGGERED, Conditional, Trigger
from simulator.engine.counterparty import fill_up
from simulator.instrument import Product
from simulator.journal import Touched
from simulator.market import Request, World
from simulator.matching import Order
from simulator.refusal import Refusals, Refused


class ConditionalMarket(ABC):
    """What waits at one product."""

    product: ClassVar[Product]
    refusal: ClassVar[Refusals]

    def __init__(self, world: World) -> None:
        self.world = world
        self.waiting: dict[str, dict[int, Conditional]] = defaultdict(dict)
        """The conditional orders that wait, by symbol."""

    @property
    def now_ms(self) -> int:
        """The venue's clock."""
        return self.world.clock.now_ms()

    def note(self, order: Order | Conditional) -> None:
        """For the journal: the wish that is judged makes, changes or ends this order."""
        spelled = self.world.accounts[order.owner].spelling.order(self.product, order.order_id)
        key = (order.owner, order.symbol, order.order_id)
        self.world.journal.note(spelled, Touched(key, partial(fill_up, self, order)))

    def hold(self, account: Account, conditional: Conditional) -> None:
        """Take a new conditional order in."""
        conditional.created_ms = conditional.updated_ms = self.now_ms
        self.note(conditional)
        account.conditionals[self.product][conditional.order_id] = conditional
        self.waiting[conditional.symbol][conditional.order_id] = conditional
        self.report_conditional(account, conditional)

    def end_conditional(
        self, account: Account, conditional: Conditional, status: str = "CANCELED", reason: str = ""
    ) -> None:
        """End one that waits, by its owner or by the venue; refused where it waits no more."""
        if not conditional.is_waiting:
            raise self.refusal("ended")
        conditional.status, conditional.reason = status, reason or "USER"
        self.note(conditional)
        self._leave(conditional)
        self.report_conditional(account, conditional)

    def _reach(self, symbol: str, price: Decimal) -> None:
        """A trade was at `price`: what waited for that is triggered."""
        for conditional in list(self.waiting[symbol].values()):
            if conditional.is_waiting:  # another's trigger may have ended it meanwhile
                reached = [one for one in conditional.triggers if one.is_reached(price)]
                if reached:
                    self.trigger(conditional, reached[0])

    def trigger(self, conditional: Conditional, trigger: Trigger) -> None:
        """It becomes the orders that it stands for; REJECTED where the market takes none."""
        account = self.world.accounts[conditional.owner]
        conditional.status, conditional.reached = TRIGGERED, trigger
        conditional.triggered_ms = self.now_ms
        self._leave(conditional)
        for request in self.becomes(account, conditional, trigger):
            try:
                self.place(account, replace(request, parent=conditional))
            except Refused as refused:
                conditional.reason = str(refused)
        if not conditional.children:
            conditional.status = "REJECTED"
        self.report_conditional(account, conditional)

    def becomes(
        self, account: Account, conditional: Conditional, trigger: Trigger
    ) -> list[Request]:
        """The orders that a triggered one stands for: one, of what is held where it closes that."""
        if not conditional.closes_position:
            return [trigger.request]
        held = abs(account.amount_of(conditional.symbol, conditional.position_side))
        return [replace(trigger.request, quantity=held)] if held else []

    def report_conditional(  # noqa: B027  a venue without conditional orders tells of none
        self, account: Account, conditional: Conditional
    ) -> None:
        """Tell of a conditional order as it is now."""

    def _leave(self, conditional: Conditional) -> None:
        del self.waiting[conditional.symbol][conditional.order_id]
        conditional.updated_ms = self.now_ms

    def next_conditional_id(self) -> int:
        """The id of the next conditional order."""
        return self.world.numbers.conditional(self.product)

    @abstractmethod
    def place(self, account: Account, request: Request) -> Order:
        """A new order of an account; refused where the venue says no."""
