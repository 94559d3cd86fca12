"""A simulated venue, a partition's state, and in place of ingest whoever performs its commands."""

from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar, Literal

from orderloom import topology
from orderloom.account import AccountState
from orderloom.answer import IntentAnswer
from orderloom.claim import ClaimRecord, Kill, KillScope, encode_claim_record
from orderloom.command import CancelCommand, read_command
from orderloom.control import Registration, Resumption
from orderloom.intent import Cancel, CancelAll, Intent
from orderloom.order import OrderState
from orderloom.raw import Attempt, AttemptOutcome
from orderloom.words import OPEN_STATUSES, IntentOutcome
from processors.ledger.step import InputRecord
from processors.orders.order import Order
from tests.processors.partition_lab import a_record
from tests.processors.venue_lab import VenueLab
from trial.verdict import STATUS
from venues.order_entry import OrderName
from venues.request import Context, Credentials, Endpoints

Answered = tuple[int | None, bytes]
"""The status and the body of an answer; None where none came."""
Perform = Callable[["CancelLab", CancelCommand], None]


class CancelLab(VenueLab):
    """Cancels are allowed. `perform` is called with each command that is decided."""

    orders: ClassVar[Literal["none", "cancel"]] = "cancel"

    def __init__(self, *, perform: Perform | None = None, **how: Any) -> None:
        super().__init__(**how)
        self.perform: Perform = perform or (lambda lab, command: lab.execute(command))
        self.commands: list[CancelCommand] = []
        self.waiting: deque[CancelCommand] = deque()
        self.intents = 0
        self.claims = 0

    def answer(self, outputs: Any) -> None:
        outputs = list(outputs)
        for output in outputs:
            if output.topic is topology.COMMANDS:
                command = read_command(output.key, output.value)
                assert isinstance(command, CancelCommand)
                self.waiting.append(command)
        super().answer(outputs)

    def work(self) -> None:
        """Perform what was decided; not in the middle of what the venue is about."""
        while self.waiting:
            command = self.waiting.popleft()
            self.commands.append(command)
            self.perform(self, command)

    def wait(self, milliseconds: int) -> None:
        super().wait(milliseconds)
        self.work()

    def execute(self, command: CancelCommand) -> None:
        """As ingest does, and all is well."""
        self.begin(command)
        self.end(command, *self.send(command))

    def begin(self, command: CancelCommand) -> None:
        """It is about to be sent."""
        item = Attempt(command.id, command.document(), "rest", "canonical", "sha", self.now_ns)
        self.fold(item)

    def send(self, command: CancelCommand) -> Answered:
        """The venue performs it; what it pushes arrives."""
        entry = self.description.orders
        assert entry is not None
        hosts = dict.fromkeys(self.products, "http://x")
        context = Context(Credentials("key", "secret"), Endpoints(hosts, hosts), self.now_ns)
        name = OrderName(
            command.command.product,
            command.command.symbol,
            command.venue_order_id,
            command.client_order_id,
            command.is_conditional,
        )
        http = entry.cancel(name, context).http
        return self.performed(http.method, http.url)

    def end(
        self,
        command: CancelCommand,
        status: int | None,
        body: bytes = b"",
        *,
        is_unsent: bool = False,
    ) -> None:
        """What became of it."""
        at_ns = self.now_ns
        product = command.command.product
        self.fold(
            AttemptOutcome(command.id, "CANCEL", product, at_ns, at_ns, is_unsent, status, "", body)
        )

    # ---- intents

    def cancel(self, order: str, key: str = "k1", **fields: Any) -> int:
        """Append a Cancel; its offset."""
        return self.want(Cancel(account=self.name, strategy="s", key=key, order=order, **fields))

    def cancel_all(self, key: str = "all", **fields: Any) -> int:
        """Append a CancelAll; its offset."""
        return self.want(CancelAll(account=self.name, strategy="s", key=key, **fields))

    def want(self, intent: Intent) -> int:
        """Append an intent; it is folded in a step of its own."""
        return self.write(self.name.encode(), intent.encoded())

    def write(self, key: bytes, value: bytes) -> int:
        """Append whatever to `intents`."""
        self.before_each(self)
        offset, self.intents = self.intents, self.intents + 1
        self.step_ns = max(self.step_ns, self.now_ns)
        record = InputRecord(topology.INTENTS, 0, offset, self.step_ns, key, value)
        self.answer(self.run.step(record, self.step_ns))
        self.work()
        return offset

    def claim(self, *records: ClaimRecord, key: bytes = b"venue") -> int:
        """Append records to `claims`, each folded in a step of its own; the last one's offset."""
        for record in records:
            self.before_each(self)
            self.step_ns = max(self.step_ns, self.now_ns)
            value = encode_claim_record(record)
            folded = InputRecord(topology.CLAIMS, 0, self.claims, self.step_ns, key, value)
            self.claims += 1
            self.answer(self.run.step(folded, self.step_ns))
            self.work()
        return self.claims - 1

    def register(self, **fields: Any) -> None:
        """The registry's entry changes."""
        entry = self.run.partition.accounts[self.name].config
        assert entry is not None
        said = Registration(entry.model_copy(update=fields))
        record = a_record(said.encoded(), topic=topology.CONTROL, key=self.name)
        self.before_each(self)
        self.answer(self.run.step(record, self.step_ns))

    def garbage(self, value: bytes) -> None:
        """Append what is no record of `claims`."""
        folded = InputRecord(topology.CLAIMS, 0, self.claims, self.step_ns, b"venue", value)
        self.claims += 1
        self.answer(self.run.step(folded, self.step_ns))

    def venue_open(self) -> int:
        """How many orders rest at the venue, by its own books."""
        rows = self.truth()["accounts"][self.name]["orders"]
        return sum(STATUS.get(row["status"], row["status"]) in OPEN_STATUSES for row in rows)

    def kill(self, scope: KillScope, reason: str = "") -> int:
        """An operator kills; where it stands."""
        return self.claim(Kill(scope=scope, author="ada", reason=reason))

    def resume(self, *kills: int) -> None:
        """An operator lifts these kills."""
        said = Resumption(kills, "ada")
        record = a_record(said.encoded(), topic=topology.CONTROL, key="venue")
        self.before_each(self)
        self.answer(self.run.step(record, self.step_ns))

    def account_state(self) -> AccountState:
        """The account as consumers see it."""
        *_, last = self.run.messages(topology.ACCOUNTS)
        assert isinstance(last, AccountState)
        return last

    def answers(self, key: str = "k1") -> list[IntentAnswer]:
        """What was answered to the intent of this key, in order."""
        found = list(self.run.messages(topology.ANSWERS))
        return [one for one in found if isinstance(one, IntentAnswer) and one.key == key]

    def outcomes(self, key: str = "k1") -> list[IntentOutcome]:
        """The outcomes of those answers."""
        return [one.outcome for one in self.answers(key)]

    # ---- orders

    def open_order(self, product: str = "spot") -> Order:
        """An order that is open at the venue, and that we know to be open."""
        found = self.open_orders(product)
        assert found, f"no {product} order is open"
        return found[0]

    def open_orders(self, product: str | None = None) -> list[Order]:
        """All of them."""
        orders = self.run.partition.accounts[self.name].orders.open_orders()
        return [one for one in orders if product in (None, one.product)]

    def shown(self, key: str) -> OrderState:
        """The order as consumers see it."""
        return self.run.published().orders[key]
