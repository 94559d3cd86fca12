"""The accounts of one partition: which there are, which changed, when each is due, who is heard.

Pure. Nothing here walks over all accounts for one message: what was spoken to is noted, timers
stand in a heap. What concerns all of them (a new owner of the partition's edge, its silence) comes
seldom.
"""

from orderloom.event import Cause
from orderloom.raw import Liveness
from processors.account.account import AccountFold
from processors.account.setting import Setting
from processors.account.streams import LIVE, SILENT
from processors.timers import Timers


class Accounts:
    """The accounts of one partition, made when they are first spoken of."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.by_name: dict[str, AccountFold] = {}
        self._timers = Timers()
        self._changed: set[str] = set()
        self._heard: set[str] = set()
        """Those with a LIVE connection; `_silent`: with one whose owner is not heard."""
        self._silent: set[str] = set()

    def get(self, name: str) -> AccountFold:
        """The state of one account; begun where there is none."""
        account = self.by_name.get(name)
        if account is None:
            account = self.by_name[name] = AccountFold(name, self.setting)
        return account

    def followed(self) -> list[AccountFold]:
        """Those whose evidence is folded, in an order that no restart changes."""
        return [one for _, one in sorted(self.by_name.items()) if one.quarantine is None]

    def take_changed(self) -> list[str]:
        """Those that something was said to since the last call, as after any restart."""
        self._look()
        changed, self._changed = sorted(self._changed), set()
        return changed

    # ---- the owner of the partition's edge

    def take_owner(self, generation: int, at_ns: int, at: Cause, now_ns: int) -> None:
        """Where a record names a new owner, the connections of the former one are gone."""
        owner = self.setting.owner
        if generation <= owner.generation:
            return
        owner.take(generation, at_ns)
        for account in self.followed():
            # One without connections loses none; spoken to, it would write state for nothing.
            if account.streams.links:
                account.begin(at, now_ns)
                account.look_ups.watch(lambda streams: streams.follow(generation, at_ns))

    def take_liveness(self, generation: int, item: Liveness, at: Cause, now_ns: int) -> None:
        """The owner lists the connections that it hears."""
        if not self.setting.owner.take(generation, item.at_ns):
            return
        self.setting.owner.take_liveness(item)
        self._look()
        for name in sorted(self._silent):
            account = self.by_name[name]
            account.begin(at, now_ns)
            account.look_ups.watch(lambda streams: streams.revive(item.at_ns))

    # ---- time

    def due_ns(self) -> int | None:
        """When the earliest timer is due."""
        self._look()
        due = [at for at in (self._timers.earliest_ns(), self._silence_ns()) if at is not None]
        return min(due, default=None)

    def _silence_ns(self) -> int | None:
        """When the owner was not heard for too long; None where it hears nobody."""
        if not self._heard:
            return None
        return self.setting.owner.liveness_ns + self.setting.pace.silence_ns

    def tick(self, now_ns: int) -> None:
        """Let every due timer fire."""
        self._look()
        silence_ns = self._silence_ns()
        if silence_ns is not None and silence_ns <= now_ns:
            for name in sorted(self._heard):
                account = self.by_name[name]
                account.begin(account.cause, now_ns)
                account.look_ups.watch(lambda streams: streams.fall_silent())
            self.setting.owner.fall_silent(now_ns)
            self._look()
        for name in self._timers.take_due(now_ns):
            self.by_name[name].tick(now_ns)

    def _look(self) -> None:
        """Note of the accounts that were spoken to when they are due, and who hears them."""
        spoken = self.setting.spoken
        for name in spoken:
            account = self.by_name[name]
            is_followed = account.quarantine is None
            self._timers.set(name, account.due_ns())
            for names, change in ((self._heard, LIVE), (self._silent, SILENT)):
                is_one = is_followed and account.streams.has_any(change)
                (names.add if is_one else names.discard)(name)
        self._changed |= spoken
        spoken.clear()

    def restored(self, name: str) -> None:
        """All state records of this account are back."""
        self.setting.spoken.add(name)
        self._look()
        # It is as it was saved: a restart publishes nothing and writes nothing.
        self._changed.discard(name)
