"""Order entry of one partition: intents, claims and resumptions go to the accounts they concern.

Pure. What cannot be read, or is of no account that lies here, becomes a dead letter.
"""

from collections.abc import Callable, Iterator

from orderloom.claim import BadClaimRecord, read_claim_record
from orderloom.control import Resumption
from orderloom.event import Cause
from orderloom.intent import BadIntent, CancelAll, read_intent
from processors.account.account import AccountFold
from processors.accounts import Accounts
from processors.admission import Admission, Unbelieved
from processors.intents.claim_book import ClaimBook, HeldKill
from processors.intents.gate import denial
from processors.ledger.step import InputRecord

Refuse = Callable[[InputRecord, Unbelieved | str, Cause, int], None]


class OrderEntryFold:
    """Folds the records of `intents` and `claims`; `refuse` makes a dead letter of one."""

    def __init__(
        self, accounts: Accounts, admission: Admission, claims: ClaimBook, refuse: Refuse
    ) -> None:
        self._accounts = accounts
        self._admission = admission
        self._claims = claims
        self._refuse = refuse

    def take_intent(self, record: InputRecord, cause: Cause, now_ns: int) -> None:
        """Fold one record of `intents`."""
        try:
            intent = read_intent(record.key, record.value)
        except BadIntent as error:
            self._refuse(record, f"intents: {error}", cause, now_ns)
            return
        if intent.account not in self._admission.registered:
            reason = f"account {intent.account} is not registered in this partition"
            self._refuse(record, Unbelieved("account", reason), cause, now_ns)
            return
        state = self._begun(intent.account, cause, now_ns)
        why = denial(state.config, state.setting)
        state.intents.take(intent, record.offset, record.appended_ns, why)
        if isinstance(intent, CancelAll):
            _look_soon(state)

    @staticmethod
    def registered(state: AccountFold) -> None:
        """The registry says that nothing is sent any more, or that something may be."""
        why = denial(state.config, state.setting)
        if why:
            state.intents.stop(why)
        else:
            state.kills.go_on()

    def take_claim(self, record: InputRecord, cause: Cause, now_ns: int) -> None:
        """Fold one record of `claims`."""
        try:
            said = read_claim_record(record.value)
        except BadClaimRecord as error:
            self._refuse(record, f"claims: {error}", cause, now_ns)
            return
        found = self._claims.take(record.offset, said)
        if not isinstance(found, HeldKill):
            return
        for state in self._concerned(found, cause, now_ns):
            state.kills.begin(found, now_ns, denial(state.config, state.setting))
            _look_soon(state)

    def resume(self, said: Resumption, cause: Cause, now_ns: int) -> None:
        """An operator lifts kills."""
        for kill in self._claims.lift(said.kills):
            for state in self._concerned(kill, cause, now_ns):
                state.kills.end(kill)

    def _concerned(self, kill: HeldKill, cause: Cause, now_ns: int) -> Iterator[AccountFold]:
        """The accounts that lie here and that the kill concerns; they show what is in force."""
        for name in sorted(self._admission.registered):
            if kill.concerns(name):
                state = self._begun(name, cause, now_ns)
                state.publisher.show_account()
                yield state

    def _begun(self, account: str, cause: Cause, now_ns: int) -> AccountFold:
        state = self._accounts.get(account)
        state.begin(cause, now_ns)
        return state


def _look_soon(state: AccountFold) -> None:
    """What is about many orders is done when all was looked at since: a cycle shall begin."""
    reconciliation = state.look_ups.reconciliation
    for product in state.look_ups.products():
        lag_ns = reconciliation.profiles[product].visibility_lag_ns
        reconciliation.want_at(product, state.now_ns + lag_ns)
