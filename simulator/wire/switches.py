"""A dead man's switch: what an account has open ends unless it speaks again in time. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from simulator.accounts import Account

Scope = str
"""What of an account's a switch is for: a symbol, a tag; empty for everything."""


@dataclass(slots=True)
class Switches:
    """All of a venue; `now_ms` is its clock."""

    now_ms: Callable[[], int]
    _due_ms: dict[tuple[str, Scope], int] = field(default_factory=dict)
    _accounts: dict[str, Account] = field(default_factory=dict)

    def set(self, account: Account, scope: Scope, for_ms: int) -> int:
        """Count anew from now on; zero stops it. When it is due, in ms; zero for never."""
        key = (account.name, scope)
        self._due_ms.pop(key, None)
        if for_ms:
            self._accounts[account.name] = account
            self._due_ms[key] = self.now_ms() + for_ms
        return self._due_ms.get(key, 0)

    def scopes(self, account: Account) -> list[Scope]:
        """For what of an account's a switch counts."""
        return [scope for name, scope in self._due_ms if name == account.name]

    def fired(self) -> Iterator[tuple[Account, Scope]]:
        """Those that are due, each once."""
        now_ms = self.now_ms()
        for (name, scope), due_ms in list(self._due_ms.items()):
            if due_ms <= now_ms:
                del self._due_ms[name, scope]
                yield self._accounts[name], scope
