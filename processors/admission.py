"""Which records are believed: key, account, partition, generation and products fit one another.

Pure. `raw` and `control` are protected by who may write them (`orderloom topics --acl`); this is
what holds should that fail. What does not fit changes nothing: it becomes a dead letter of the
partition, is counted, and alarms.

1. A record speaks of the account that is its key, and of nothing else; one under the partition's
   own key speaks of what concerns the whole partition.
2. An account lies where `control` says: in one partition, and a record in each other one says so.
   Of one without any, evidence is taken where it comes (decision 0006).
3. A generation is a time in seconds (decision 0503), so none lies far ahead of its append: a forged
   one locks the true owner out for minutes, not for ever.
4. A product is one of the venue's.
5. What was received was not received in times to come: where an item says so, it counts as now. A
   stream that is "heard" in a year would never be missed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, ClassVar, Final, get_args

from orderloom import raw, topology
from orderloom.control import (
    HomeElsewhere,
    MisplacedControlRecord,
    Registration,
    Resumption,
    read_control,
)
from orderloom.identity import checked_account, venue_of
from orderloom.question import About
from processors.ledger.step import InputRecord

HOME: Final = "h"
PARTITION: Final = topology.PARTITION_KEY.decode()
_NS_PER_SECOND: Final = 1_000_000_000
_LEAD_NS: Final = raw.GENERATION_LEAD_SECONDS * _NS_PER_SECOND
_TIMES: Final = {
    kind: tuple(one.name for one in fields(kind) if one.name.endswith("_ns"))
    for kind in get_args(raw.Item)
}
_OF_PARTITION_ALONE: Final = (raw.Liveness, raw.OwnerChange, raw.ClockSample)
_OF_PARTITION: Final = (*_OF_PARTITION_ALONE, raw.Answer, raw.Failure)


class Unbelieved(Exception):
    """A record that does not fit: its `kind` in a word, and the reason in full."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(f"not believed: {reason}")
        self.kind = kind


class Admission:
    """What one partition believes.

    `registered` are the accounts that lie here, `elsewhere` those of other partitions, by account.
    """

    KINDS: ClassVar[tuple[str, ...]] = (HOME,)

    def __init__(self, venue: str, products: tuple[str, ...], partition: int) -> None:
        self._venue = venue
        self._products = products
        self._partition = partition
        self.registered: set[str] = set()
        self.elsewhere: dict[str, int] = {}
        self._changed: set[str] = set()

    def check_raw(self, record: InputRecord, received: raw.RawRecord) -> None:
        """Raises Unbelieved."""
        account = received.account
        _check_key(record, account)
        if account != PARTITION:
            self._check_account(account)
        # By the broker's clock, which no writer of a record sets (decision 0108).
        latest = record.appended_ns // _NS_PER_SECOND + raw.GENERATION_LEAD_SECONDS
        if received.generation > latest:
            raise Unbelieved(
                "generation",
                f"generation {received.generation} lies ahead of its time: at most {latest} then",
            )
        for item in received.items:
            self._check_item(account, item)

    def _check_account(self, account: str) -> None:
        try:
            checked_account(account)
        except ValueError as error:
            raise Unbelieved("account", str(error)) from None
        if venue_of(account) != self._venue:
            raise Unbelieved("account", f"account {account} is not of {self._venue}")
        home = self.elsewhere.get(account)
        if home is not None:
            raise Unbelieved("partition", f"account {account} lies in partition {home}")

    def _check_item(self, account: str, item: raw.Item) -> None:
        if account == PARTITION and not isinstance(item, _OF_PARTITION):
            raise Unbelieved("key", f"a {item.KIND} is an account's, the key is the partition's")
        # Else a record of one account could end, or vouch for, the connections of all others.
        if account != PARTITION and isinstance(item, _OF_PARTITION_ALONE):
            raise Unbelieved("key", f"a {item.KIND} is the partition's, the key is an account's")
        match item:
            case raw.Frame() | raw.Oversize() | raw.ClockSample() | raw.AttemptOutcome():
                self._check_product(item.product)
            case raw.Answer() | raw.Failure():
                self._check_question(account, item.question)
            case raw.ConnectionChange():
                for product in (item.product, *item.others):
                    self._check_product(product)

    def _check_question(self, account: str, question: Mapping[str, Any]) -> None:
        if question.get("account", account) != account:
            raise Unbelieved("account", f"a question of {question['account']!r:.80}")
        if account == PARTITION and question.get("about") != About.INSTRUMENTS:
            raise Unbelieved("key", "a question about an account, under the partition's key")
        if "product" in question:
            self._check_product(question["product"])
        for name in ("since_ns", "until_ns"):
            if type(question.get(name, 0)) is not int:
                raise Unbelieved("question", f"a question whose {name} is no time")

    def _check_product(self, product: object) -> None:
        if product not in self._products:
            raise Unbelieved("product", f"product {product!r:.80} is none of {self._venue}")

    def take_control(self, record: InputRecord) -> Registration | HomeElsewhere | Resumption:
        """What a record of `control` says; where accounts lie is remembered.

        Raises BadControlRecord, Unbelieved.
        """
        try:
            said = read_control(record.key, record.value, self._venue, self._partition)
        except MisplacedControlRecord as error:
            raise Unbelieved(error.kind, str(error)) from None
        if isinstance(said, Resumption):
            return said
        account, home = said.account, self.elsewhere.get(said.account)
        if isinstance(said, Registration):
            if home is not None:
                raise Unbelieved("partition", f"account {account} lies in partition {home}")
            for product in said.config.products:
                self._check_product(product)
            self.registered.add(account)
        else:
            if account in self.registered:
                raise Unbelieved("partition", f"account {account} lies here, and never moves")
            if home != said.partition:
                self.elsewhere[account] = said.partition
                self._changed.add(account)
        return said

    # ---- where accounts lie ----

    def restore(self, _kind: str, document: Mapping[str, Any]) -> None:
        """Take back one state record."""
        # `registered` has no record: it follows from the accounts' own, once those are back.
        self.elsewhere[document["account"]] = document["partition"]

    def state(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The state records that changed since the last call, by key."""
        for account in sorted(self._changed):
            fields = {"account": account, "partition": self.elsewhere[account]}
            yield f"{HOME}/{account}", fields
        self._changed.clear()


def in_time(item: raw.Item, now_ns: int) -> raw.Item:
    """The item; where its times lie further ahead than a clock may be, with them at `now_ns`."""
    latest = now_ns + _LEAD_NS
    if type(item) is raw.Frame and item.received_ns <= latest:
        return item  # nearly always
    times = _TIMES[type(item)]
    ahead: dict[str, Any] = {name: now_ns for name in times if getattr(item, name) > latest}
    if isinstance(item, raw.Liveness):
        heard = [entry for entry in item.connections if entry["heard_ns"] > latest]
        if heard:
            connections = [
                entry | {"heard_ns": min(entry["heard_ns"], now_ns)} for entry in item.connections
            ]
            return replace(item, connections=connections, **ahead)
    return replace(item, **ahead) if ahead else item


def _check_key(record: InputRecord, account: str) -> None:
    if record.key != account.encode():
        raise Unbelieved("key", f"key {record.key!r:.80} is not its account {account:.80}")
