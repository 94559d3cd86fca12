"""One partition's state: input records in; changed state, outputs and questions out.

Pure; the `PartitionState` that the ledger is handed. It knows which account a record speaks of, has
`intake` translate what the venue said, and lets that account's state fold it. What cannot be read
or placed becomes a dead letter with its bytes, and the span is asked about: nothing is lost,
nothing raises.
An account whose evidence broke an invariant is quarantined: its later records are only remembered.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from orderloom import raw, topology
from orderloom.codec import pack
from orderloom.control import BadControlRecord, Registration, Resumption
from orderloom.event import Cause
from orderloom.raw import RawRecord
from processors.account.account import AccountFold
from processors.account.pace import STANDARD, Pace
from processors.account.setting import Setting
from processors.account.showing import publish
from processors.accounts import Accounts
from processors.admission import Admission, Unbelieved, in_time
from processors.answers import Answers
from processors.digest import RollingDigest
from processors.frames import Frames
from processors.instruments import Instruments
from processors.intake import read_answer
from processors.intents.entry import OrderEntryFold
from processors.ledger.step import InputRecord, StepChanges, UnknownStateFormat
from processors.orders.order import Order
from processors.orders.orders import ORDER
from processors.tallies import Tallies
from venues.venue import Translation, Venue

if TYPE_CHECKING:
    from processors.account.saved import Saved

STATE_FORMAT: Final = 11
READABLE: Final = (9, 10, STATE_FORMAT)
"""The formats that are read; what is read is written in the newest when it changes."""
_PARTITION: Final = topology.PARTITION_KEY.decode()


class PartitionFold:
    """The states of all accounts of one partition.

    `tallies` counts, since this object was made, the words and fields that translation did not
    know, the messages that it ignored by rule, and the records that were not believed. It is no
    state: nothing is decided by it. `touched` are the accounts that changed in the last step.
    `version` is the fold's (fold_version.py), written into each commit record.
    """

    def __init__(
        self,
        venue: Venue,
        partition: int,
        pace: Pace = STANDARD,
        namespace: str = "",
        version: str = "",
    ) -> None:
        self.version = version
        self._venue = venue
        self.instruments = Instruments(venue.name, partition)
        self._setting = Setting(
            venue.name, partition, venue.profiles, pace, self.instruments, namespace,
            takes_orders=venue.orders is not None,
        )  # fmt: skip
        self._admission = Admission(venue.name, venue.products, partition)
        self._digests = RollingDigest()
        self._accounts = Accounts(self._setting)
        claims = self._setting.claims
        self._entry = OrderEntryFold(self._accounts, self._admission, claims, self._refuse)
        self.touched: list[str] = []
        self._restored: set[str] = set()
        times, owner = self._setting.times, self._setting.owner
        # Their records are written in this order, and the chain is a hash over it.
        self._parts: tuple[Saved, ...] = (self.instruments, self._admission, times, owner, claims)
        self._part_of = {kind: part for part in self._parts for kind in part.KINDS}
        self.tallies = Tallies()
        self.answers = Answers(venue, self.instruments, self._count)
        self._frames = Frames(venue, self._count)

    @property
    def venue(self) -> str:
        """The venue's name."""
        return self._setting.venue

    @property
    def accounts(self) -> dict[str, AccountFold]:
        """The states by account, for those who look (tests, health)."""
        return self._accounts.by_name

    # ---- state ----

    def begin_epoch(self, epoch: int) -> None:
        """Number in this epoch, which a repair began; called before anything else."""
        self._accounts.setting = replace(self._accounts.setting, epoch=epoch)
        self.instruments.epoch = epoch

    def restore(self, key: bytes, value: bytes) -> None:
        """Take back one state record.

        Raises:
            UnknownStateFormat: it was written by a newer version of this code.
        """
        document = orjson.loads(value)
        if document.get("f") not in READABLE:
            raise UnknownStateFormat(
                f"state record {key!r} has format {document.get('f')!r}, this code reads "
                f"{READABLE}: run the version that wrote it, or `orderloom repair`"
            )
        kind, _, _ = key.decode().partition("/")
        del document["f"]
        if (part := self._part_of.get(kind)) is not None:
            part.restore(kind, document)
        else:
            state = self.account(document["account"])
            state.restore(kind, document)
            self._restored.add(state.account)
        # What an order is may stand in several records: it is known when all are back.
        self._digests.put(key.decode(), value, None)

    @property
    def exact_digest(self) -> str:
        """The digest of all state records, as the last changes gave it out or as restored."""
        return self._digests.exact

    def _finish_restore(self) -> None:
        # Nobody says which record is the last to be restored: whatever is called next does this.
        for account in self._restored:
            state = self.accounts[account]
            state.finish_restore()
            if state.config is not None:
                self._admission.registered.add(account)
            self._accounts.restored(account)
            for order in state.orders.all():  # an order may stand in several records
                self._digests.mean(f"{ORDER}/{order.key}", order)
        self._restored.clear()

    def changes(self) -> StepChanges:
        """What changed since the last call."""
        self._finish_restore()
        changes = StepChanges(digest_content=lambda: self._digests.content)
        self.touched = self._accounts.take_changed()
        for account in self.touched:
            state = self.accounts[account]
            changes.outputs.extend(publish(state))
            for key, document in state.state():
                changes.state[key.encode()] = self._packed(key, document, state)
        changes.outputs.extend(self.instruments.publish())
        for part in self._parts:
            for key, fields in part.state():
                changes.state[key.encode()] = self._packed(key, fields)
        changes.exact_digest = self.exact_digest
        return changes

    def _packed(
        self, key: str, document: dict[str, Any] | None, state: AccountFold | None = None
    ) -> bytes | None:
        if document is None:
            self._digests.drop(key)
            return None
        value = pack({"f": STATE_FORMAT} | document)
        self._digests.put(key, value, _order_of(state, key.partition("/")[0], document))
        return value

    # ---- folding ----

    def fold(self, record: InputRecord, now_ns: int) -> None:
        """Fold one record. What a venue says never raises."""
        self._finish_restore()
        cause = self._cause(record)
        account = _account_of(record)
        state = self.accounts.get(account)
        if record.topic is topology.INTENTS:  # an account that is set apart cancels all the same
            self._entry.take_intent(record, cause, now_ns)
        elif record.topic is topology.CLAIMS:
            self._entry.take_claim(record, cause, now_ns)
        elif state is not None and state.quarantine is not None:
            state.remember(record.topic.kind, record.offset)
            if record.topic is topology.RAW:
                self._fold_attempts(state, record, cause, now_ns)
        elif record.topic is topology.RAW:
            self._fold_raw(record, cause, now_ns)
        else:
            self._fold_control(record, cause, now_ns)

    def _cause(self, record: InputRecord) -> Cause:
        name = record.topic.name(self._setting.venue, self._setting.namespace)
        return Cause(name, record.partition, record.offset)

    def account(self, account: str) -> AccountFold:
        """The state of one account; begun where there is none."""
        return self._accounts.get(account)

    def _refuse(
        self, record: InputRecord, why: Unbelieved | str, cause: Cause, now_ns: int
    ) -> None:
        """A dead letter, of the record's account if it is known and may have written it."""
        account = _account_of(record)
        if isinstance(why, Unbelieved):
            self.tallies.count("unbelieved", why.kind)
        # Garbage under a new key makes no account, and what is not believed is not the account's.
        if isinstance(why, Unbelieved) or account not in self.accounts:
            account = _PARTITION
        state = self.account(account)
        state.begin(cause, now_ns)
        state.publisher.dead_letter(record.value or b"", str(why), cause)

    def _fold_control(self, record: InputRecord, cause: Cause, now_ns: int) -> None:
        try:
            said = self._admission.take_control(record)
        except BadControlRecord as error:
            self._refuse(record, f"control: {error}", cause, now_ns)
        except Unbelieved as unbelieved:
            self._refuse(record, unbelieved, cause, now_ns)
        else:
            if isinstance(said, Registration):
                state = self.account(said.config.id)
                state.begin(cause, now_ns)
                state.register(said.config, is_removed=said.is_removed)
                self._entry.registered(state)
            elif isinstance(said, Resumption):
                self._entry.resume(said, cause, now_ns)

    def _fold_attempts(
        self, state: AccountFold, record: InputRecord, cause: Cause, now_ns: int
    ) -> None:
        """Of an account that is set apart: what became of its cancels, and no more."""
        try:
            received = raw.decode(record.value or b"")
            self._admission.check_raw(record, received)
        except (Unbelieved, raw.BadRawRecord):
            return
        for item in received.items:
            if isinstance(item, raw.Attempt | raw.AttemptOutcome):
                state.begin(cause, now_ns)
                self.answers.judge(state, item, received.generation)

    def _fold_raw(self, record: InputRecord, cause: Cause, now_ns: int) -> None:
        try:
            received = raw.decode(record.value or b"")
            self._admission.check_raw(record, received)
        except Unbelieved as unbelieved:
            self._refuse(record, unbelieved, cause, now_ns)
            return
        except raw.BadRawRecord as error:
            self._refuse(record, f"raw: {error}", cause, now_ns)
            return
        if received.account == _PARTITION:  # somebody owns the partition's edge and can ask
            for product in self._venue.products:
                self.instruments.expect(product, now_ns)
        for place, written in enumerate(received.items):
            at = Cause(cause.topic, cause.partition, cause.offset, place)
            item = in_time(written, now_ns)
            if item is not written:
                self.tallies.count("unbelieved", "time")
            is_sample = type(written) is raw.ClockSample  # judged by itself
            self._fold_item(received, written if is_sample else item, at, now_ns)

    def _fold_item(self, received: RawRecord, item: raw.Item, at: Cause, now_ns: int) -> None:
        generation = received.generation
        if type(item) is raw.Frame:  # nearly always
            for state in self._states_of(received):
                state.begin(at, now_ns)
                self._frames.fold(state, generation, item)
            return
        if isinstance(item, raw.ConnectionChange | raw.Liveness | raw.OwnerChange):
            # The connections of a former owner are gone before the new one's are taken in.
            self._accounts.take_owner(generation, item.at_ns, at, now_ns)
        is_of_partition = received.account == _PARTITION
        match item:
            case raw.Answer() | raw.Failure() if is_of_partition:
                self._fold_instruments(item, at, now_ns)
            case raw.ClockSample() if is_of_partition:
                self._fold_clock(generation, item, at, now_ns)
            case raw.Liveness():
                self._accounts.take_liveness(generation, item, at, now_ns)
            case raw.OwnerChange():
                pass
            case _:
                for state in self._states_of(received):
                    state.begin(at, now_ns)
                    self._fold_of_account(state, generation, item)

    def _fold_instruments(self, item: raw.Answer | raw.Failure, at: Cause, now_ns: int) -> None:
        translation = read_answer(self._venue, item) if isinstance(item, raw.Answer) else None
        if isinstance(item, raw.Failure) or item.status != 200:
            self.instruments.take_failure(item, now_ns)
        elif isinstance(translation, Translation):
            self._count(translation)
            self.instruments.take_page(item, translation.events, at, now_ns)
            for state in self.accounts.values():
                if state.quarantine is None and state.sizes.is_lacking:
                    state.begin(at, now_ns)
                    state.take_instruments()
        elif translation is not None:
            state = self.account(_PARTITION)
            state.begin(at, now_ns)
            state.publisher.dead_letter(item.body, translation.reason, at, channel=item.channel)
            self.instruments.take_failure(item, now_ns)

    def _fold_clock(self, generation: int, sample: raw.ClockSample, at: Cause, now_ns: int) -> None:
        doubted_ns = self._setting.times.take(sample, generation, now_ns)
        for state in self._accounts.followed():
            look_ups = state.look_ups
            # A cycle covers nothing while the clock is unknown, so the next one waited for this.
            if look_ups.reconciliation.is_waiting_for_clock(sample.product):
                state.begin(at, now_ns)
                look_ups.reconciliation.want_at(sample.product, now_ns)
            # Times since then may have been converted wrongly (decision 0014).
            if doubted_ns is not None and sample.product in look_ups.products():
                state.begin(at, now_ns)
                look_ups.note_loss(sample.product, doubted_ns, "a clock was set")

    def _states_of(self, received: RawRecord) -> Iterable[AccountFold]:
        if received.account != _PARTITION:
            return (self.account(received.account),)
        return self._accounts.followed()

    def _fold_of_account(self, state: AccountFold, generation: int, item: raw.Item) -> None:
        match item:
            case raw.Answer():
                self.answers.fold(state, item, self._setting.times.asked_ns(item, generation))
            case raw.Failure():
                self.answers.fail(state, item, self._setting.times.asked_ns(item, generation))
            case raw.Attempt():
                self.answers.judge(state, item, generation)
            case raw.AttemptOutcome():
                self.answers.reply(state, item, generation)
            case raw.ConnectionChange():
                for product in (item.product, *item.others):
                    state.look_ups.note_product(product)
                state.look_ups.watch(lambda streams: streams.take_change(generation, item))
            case raw.Oversize():
                reason = f"frame of {item.length} bytes, sha256 {item.sha256}: head only"
                self._frames.lose(state, item, item.body, reason)

    def _count(self, translation: Translation) -> None:
        for word in translation.unknown:
            self.tallies.count("unknown", word)
        if translation.ignored is not None:
            self.tallies.count("ignored", translation.ignored)

    # ---- trouble and time ----

    def leave_out(self, record: InputRecord, reason: str, trace: str, now_ns: int) -> None:
        """The ledger leaves this record out: a dead letter, and its account is quarantined."""
        self._finish_restore()
        account = _account_of(record)
        state = self.account(account)
        state.begin(self._cause(record), now_ns)
        state.publisher.dead_letter(record.value or b"", reason, state.cause, trace=trace)
        # The partition's own key is no account: set apart, its owners and clocks would not be taken
        # in any more. What somebody wants is no evidence of the account.
        if account != _PARTITION and record.topic not in (topology.INTENTS, topology.CLAIMS):
            state.set_apart(reason, record.offset)

    def due_ns(self) -> int | None:
        """When the earliest timer is due."""
        self._finish_restore()
        due = [at for at in (self.instruments.due_ns(), self._accounts.due_ns()) if at is not None]
        return min(due, default=None)

    def tick(self, now_ns: int) -> None:
        """Let every due timer fire."""
        self._finish_restore()
        self.instruments.tick(now_ns)
        self._accounts.tick(now_ns)

    def quarantined(self) -> Iterator[str]:
        """The accounts that are quarantined."""
        return (name for name, state in self.accounts.items() if state.quarantine is not None)


def _account_of(record: InputRecord) -> str:
    return (record.key or topology.PARTITION_KEY).decode(errors="replace")


def _order_of(state: AccountFold | None, kind: str, document: dict[str, Any]) -> Order | None:
    """The order that a state record is of; None if it is of none."""
    if state is None or kind != ORDER:
        return None
    return state.orders.get(document["order"]["key"])
