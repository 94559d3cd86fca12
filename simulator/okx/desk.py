"""What OKX's three products share: ids over all of them, client ids, and who must be told.

Positions and the account are told a little later than orders (docs/venues/okx.md 3.3: 50 ms):
what changed is collected here until `flush`.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from simulator.accounts import Account
from simulator.message import Message, Publish
from simulator.okx import account_documents as documents
from simulator.okx.account_documents import WALLET
from simulator.okx.orders import OkxFill, OkxOrder

FIRST_ORDER_ID = 2_710_000_000_000_000_001
FIRST_BILL_ID = 2_710_000_000_500_000_001

TellPositions = Callable[[Account, list[tuple[str, str]]], None]


@dataclass(slots=True, eq=False)
class Desk:
    """One venue's shared counters and what waits to be told."""

    accounts: dict[str, Account]
    publish: Publish
    now_ms: Callable[[], int]
    order_ids: "count[int]" = field(default_factory=lambda: count(FIRST_ORDER_ID))
    bill_ids: "count[int]" = field(default_factory=lambda: count(FIRST_BILL_ID))
    by_client_id: dict[tuple[str, str], OkxOrder] = field(default_factory=dict)
    """The latest order with an account's client id."""
    orders: dict[str, list[OkxOrder]] = field(default_factory=lambda: defaultdict(list))
    """All orders of an account, in the order of their ids."""
    fills: dict[str, list[OkxFill]] = field(default_factory=lambda: defaultdict(list))
    """All executions of an account, in the order of their bills."""
    _currencies: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    _positions: dict[tuple[str, TellPositions], dict[tuple[str, str], None]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def remember(self, order: OkxOrder) -> None:
        """A new order of an account."""
        self.orders[order.owner].append(order)
        if order.client_order_id:
            self.by_client_id[order.owner, order.client_order_id] = order

    def touch(self, account: Account, *currencies: str) -> None:
        """These balances changed."""
        self._currencies[account.name] |= dict.fromkeys(currencies)

    def touch_position(self, account: Account, key: tuple[str, str], tell: TellPositions) -> None:
        """A position changed; its market tells of it."""
        self._positions[account.name, tell][key] = None

    def moved(self, account: Account, row: dict[str, object]) -> None:
        """Tell of a change of balances and positions with its reason, at once."""
        document = {"data": [row]}
        self.publish(Message(account.name, WALLET, "balance_and_position", document))

    def flush(self) -> None:
        """Tell of every position and balance that changed since the last time."""
        positions, self._positions = self._positions, defaultdict(dict)
        for (name, tell), keys in positions.items():
            tell(self.accounts[name], list(keys))
        currencies, self._currencies = self._currencies, defaultdict(dict)
        for name, changed in currencies.items():
            row = documents.account_row(self.accounts[name], changed, self.now_ms())
            document = {"eventType": "event_update", "data": [row]}
            self.publish(Message(name, WALLET, "account", document))
