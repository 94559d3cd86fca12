"""Two transactional ids take turns, and are one owner: whoever lacks one of them writes nothing.

Each broken variant breaks one rule of opening, and an owner that was overtaken then writes its
place beside the other's state, or folds what the other folded.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import processors.ledger.ledger as ledger_room
import processors.repair.repair as repair_room
from orderloom.topology import LEDGER, RAW
from processors.ledger.ledger import Ledger
from processors.ledger.log import LedgerLog
from processors.ledger.opening import Loaded, load
from processors.ledger.state import PROOF_KEY
from processors.ledger.tails import read_tails
from processors.ledger.trouble import LedgerFenced, LedgerLost, PartitionStopped
from processors.ledger.writer import TURNS, LedgerWriter
from tests.conftest import RunningBroker
from tests.processors.ledger_lab import Lab, drain
from tests.processors.repair.repair_lab import RepairLab
from tests.processors.repair.test_repair import lose_the_state_format

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]
MakeOpened = Callable[..., Ledger]
NOTHING = [(PROOF_KEY, None)]
"""A transaction that changes no state."""


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> Lab:
    return Lab(broker.bootstrap, namespace)


def step(lab: Lab, ledger: Ledger) -> None:
    """One more record is fed, delivered and folded."""
    lab.feed(RAW, [b"%d" % lab.fed])
    lab.deliver(ledger)


def test_the_number_decides_the_id_and_a_life_begins_with_the_first_id(lab: Lab) -> None:
    used: list[tuple[int, int]] = []
    for steps in (2, 3, 0):
        ledger = lab.open()
        writer = ledger._writer
        begin = writer._begin

        def note(writer: LedgerWriter = writer, begin: Callable[[], None] = begin) -> None:
            used.append((writer._number, writer._producers.index(writer._producer)))
            begin()

        writer._begin = note  # type: ignore[method-assign]  # it only notes
        for _ in range(steps):
            step(lab, ledger)
    assert used
    assert all(number % 2 == turn for number, turn in used)
    lives: dict[int, list[int]] = {}
    for mark, _ in read_tails(lab.log, 0)[LEDGER.kind].marks():
        lives.setdefault(mark.life, []).append(mark.number)
    assert len(lives) == 3
    for numbers in lives.values():
        assert numbers[0] % 2 == 0
        assert sorted(set(numbers)) == list(range(numbers[0], numbers[-1] + 1))


def opening(make: MakeOpened, after_load: Callable[[], None]) -> MakeOpened:
    """An opening during which something happens: after it has loaded and before it writes."""

    def made(*arguments: Any) -> Ledger:
        def load_and_wait(*of: Any) -> Loaded:
            loaded = load(*of)
            after_load()
            return loaded

        return make(*arguments, open_log=load_and_wait)

    return made


def stopped_between_its_ids(lab: Lab, make: MakeOpened) -> None:
    """An opening sleeps between the two ids while another opens; that one steps once more later.

    It steps by the first id, which the sleeper has lost, after the sleeper has loaded.
    """
    owners: list[Ledger] = []

    def overtake(point: str) -> None:
        if point == "between-ids" and not owners:
            owners.append(lab.open())
            step(lab, owners[0])  # two transactions: an attempt comes before a life's first step
            step(lab, owners[0])

    def step_on() -> None:
        with contextlib.suppress(LedgerLost):
            step(lab, owners[0])

    lab.open(overtake, opening(make, step_on))


def overtaken_while_loading(lab: Lab, make: MakeOpened) -> None:
    """A former owner steps by its second id after its successor has loaded."""
    former = lab.open()
    step(lab, former)

    def step_on() -> None:
        with contextlib.suppress(LedgerLost):
            step(lab, former)

    lab.open(make=opening(make, step_on))


def faults(lab: Lab) -> list[str]:
    """What is wrong once another has opened and folded all; what stops it is wrong too."""
    try:
        drain(lab.open())
    except PartitionStopped as stopped:
        return [str(stopped)]
    return lab.faults()


def test_who_was_stopped_between_its_ids_writes_nothing(lab: Lab) -> None:
    with pytest.raises(LedgerFenced):
        stopped_between_its_ids(lab, Ledger)
    assert len(lab.commits()) == 3, "the owner could not step meanwhile"
    assert faults(lab) == []


def test_a_former_owner_writes_nothing_once_both_ids_are_initialised(lab: Lab) -> None:
    overtaken_while_loading(lab, Ledger)
    assert len(lab.commits()) == 1
    assert faults(lab) == []


class TurnOfTheProcess(Ledger):
    """The broken variant: the process counts the turns, and it is the second id's.

    So the place is written by an id that was initialised late, and without the other's state.
    """

    def _settle(self, ledger_log: LedgerLog) -> None:
        super()._settle(ledger_log)
        self._writer._number += 1


@contextlib.contextmanager
def fencing_by_the_first_id() -> Iterator[None]:
    """Whoever opens meanwhile initialises one id alone."""
    fence = LedgerWriter.fence

    def fence_by_one(writer: LedgerWriter) -> None:
        with contextlib.suppress(LedgerLost):
            writer._initialise(writer._producers[0])

    setattr(LedgerWriter, "fence", fence_by_one)  # noqa: B010  mypy forbids the plain way
    try:
        yield
    finally:
        setattr(LedgerWriter, "fence", fence)  # noqa: B010


class InitialisesAfterLoading(Ledger):
    """The broken variant: the second id is initialised when all is loaded."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        with fencing_by_the_first_id():
            super().__init__(*arguments, **named)

    def _begin(self, ledger_log: LedgerLog, loaded: Loaded) -> None:
        self._writer._initialise(self._writer._producers[1])
        super()._begin(ledger_log, loaded)


@pytest.mark.parametrize(
    ("happens", "broken"),
    [
        (stopped_between_its_ids, TurnOfTheProcess),
        (overtaken_while_loading, InitialisesAfterLoading),
    ],
)
def test_a_broken_variant_fails(
    lab: Lab, happens: Callable[[Lab, MakeOpened], None], broken: MakeOpened
) -> None:
    happens(lab, broken)
    assert faults(lab) != []


def stepping_amid_its_repair(
    lab: RepairLab, before: Callable[[], object] = lambda: None
) -> list[bool]:
    """Whether a worker that nobody knows of could still write, at each step of a repair.

    It is the turn of its second id; `before` is what is done before the repair begins.
    """
    lab.live()
    zombie = lab.open_real()
    drain(zombie)
    if zombie._writer._number % 2:
        zombie._writer.commit(NOTHING)
    lose_the_state_format(lab)
    could: list[bool] = []

    def step_on(point: str) -> None:
        if point == "after-fold":
            try:
                zombie._writer.commit(NOTHING)
            except LedgerLost:
                could.append(False)
            else:
                could.append(True)

    before()
    lab.repair(probe=step_on)
    return could


@pytest.fixture
def repair_lab(broker: RunningBroker, namespace: str) -> RepairLab:
    return RepairLab(broker.bootstrap, namespace)


def test_a_repair_shuts_out_both_ids(repair_lab: RepairLab) -> None:
    could = stepping_amid_its_repair(repair_lab)
    assert could
    assert not any(could)


class OneId(LedgerWriter):
    """The broken variant: what one id was enough for, before there were two."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._producers = self._producers[:1] * TURNS

    def fence(self) -> None:
        self._initialise(self._producers[0])


def test_a_repair_by_one_id_lets_the_other_write_into_it(
    repair_lab: RepairLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    could = stepping_amid_its_repair(
        repair_lab,
        lambda: [
            monkeypatch.setattr(room, "LedgerWriter", OneId) for room in (ledger_room, repair_room)
        ],
    )
    assert any(could)
