"""What OKX tells of balances and positions: with the reason at once, and the state a little later.

docs/venues/okx.md 3.3: 50 ms. What changed is collected here until `flush`.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from simulator.accounts import Account
from simulator.message import Document, Message, Publish
from simulator.okx import account_documents as documents
from simulator.okx.account_documents import WALLET

TellPositions = Callable[[Account, list[tuple[str, str]]], None]


@dataclass(slots=True, eq=False)
class Desk:
    """What waits to be told, of all products."""

    accounts: dict[str, Account]
    publish: Publish
    now_ms: Callable[[], int]
    _currencies: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    _positions: dict[tuple[str, TellPositions], dict[tuple[str, str], None]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def touch(self, account: Account, *currencies: str) -> None:
        """These balances changed."""
        self._currencies[account.name] |= dict.fromkeys(currencies)

    def touch_position(self, account: Account, key: tuple[str, str], tell: TellPositions) -> None:
        """A position changed; its market tells of it."""
        self._positions[account.name, tell][key] = None

    def moved(
        self,
        account: Account,
        reason: str,
        currencies: tuple[str, ...],
        positions: tuple[Document, ...] = (),
        trades: tuple[Document, ...] = (),
    ) -> None:
        """Tell of a change of balances and positions with its reason, at once."""
        self.touch(account, *currencies)
        now_ms = self.now_ms()
        rows = [documents.moved_balance(account, name, now_ms) for name in currencies]
        row = documents.moved_row(reason, now_ms, rows, list(positions), list(trades))
        self._publish(account.name, "balance_and_position", {"data": [row]})

    def flush(self) -> None:
        """Tell of every position and balance that changed since the last time."""
        positions, self._positions = self._positions, defaultdict(dict)
        for (name, tell), keys in positions.items():
            tell(self.accounts[name], list(keys))
        currencies, self._currencies = self._currencies, defaultdict(dict)
        for name, changed in currencies.items():
            row = documents.account_row(self.accounts[name], changed, self.now_ms())
            self._publish(name, "account", {"eventType": "event_update", "data": [row]})

    def _publish(self, name: str, channel: str, document: Document) -> None:
        self.publish(Message(name, WALLET, channel, document))
