"""A claim log with all that may happen to it: several processes, a fold, operators, lost words.

What is tested is the product's own `ClaimLog` and `Claimer`; here are only the topic, the appends
on their way to it, and chance. Appends of one process that lives land in their order; those of one
that died may land at any time, or never. An acknowledgement may be lost, and an append that was
reported as failed may land.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from ingest.orders.claimer import Claimer
from orderloom.claim import (
    Claim,
    ClaimOwner,
    ClaimRecord,
    Command,
    Kill,
    KillScope,
    NotSent,
    Verb,
    Void,
)
from orderloom.claim_log import ClaimLog

COMMANDS_MAX = 10
ANYTHING = KillScope()
STRATEGIES = ("maker", "taker")
FAR_NS = 1 << 60
Landed = Callable[[int], None]


@dataclass(slots=True)
class Append:
    """A record on its way: whose, and what its acknowledgement does."""

    writer: str
    record: ClaimRecord
    landed: Landed | None


@dataclass(slots=True)
class Process:
    """One process: its claimer, and where its reader stands."""

    writer: str
    life: str
    claimer: Claimer
    at: int
    flying: dict[str, Command] = field(default_factory=dict)
    to_send: list[Command] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Fenced:
    """A kill whose operator was told where it stands, and what may still arrive."""

    offset: int
    scope: KillScope
    named: frozenset[str]


@dataclass(slots=True)
class Rules:
    """What is tested: the classes as they are, or with a rule left out."""

    log: type[ClaimLog] = ClaimLog
    claimer: type[Claimer] = Claimer
    is_told_by_time: bool = False
    is_sent_at_once: bool = False
    is_life_shared: bool = False


class World:
    """One run. `wrong` says what must never happen and did."""

    def __init__(self, seed: int, rules: Rules) -> None:
        self.chance = random.Random(seed)
        self.rules = rules
        self.records: list[ClaimRecord] = []
        self.flight: list[Append] = []
        self.acks: list[tuple[Process, Landed, int]] = []
        self.processes: list[Process | None] = [None, None, None]
        self.lives = 0
        self.fold = rules.log()
        self.commands: list[Command] = []
        self.told: set[str] = set()
        self.fenced: list[Fenced] = []
        self.sent: Counter[str] = Counter()
        self.wrong: set[str] = set()

    def run(self, steps: int) -> None:
        """So many things happen."""
        acts: tuple[tuple[Callable[[], None], int], ...] = (
            (self.decide, 12), (self.fold_reads, 16), (self.ask_for_void, 3), (self.kill, 1),
            (self.land, 28), (self.acknowledge, 22), (self.start, 5), (self.read, 30),
            (self.claim, 16), (self.send, 14), (self.die, 2), (self.forget, 1),
            (self.give_up, 2),
        )  # fmt: skip
        chosen = self.chance.choices([act for act, _ in acts], [much for _, much in acts], k=steps)
        for act in chosen:
            act()
        for command_id in self.told & self.sent.keys():
            self.wrong.add(f"told as not placed, and sent: {command_id}")
        if any(count > 1 for count in self.sent.values()):
            self.wrong.add("sent twice")

    # ---- the fold

    def decide(self) -> None:
        """The fold decides a command by what it has read."""
        if len(self.commands) < COMMANDS_MAX:
            self.commands.append(
                Command.model_construct(
                    id=f"c{len(self.commands)}", verb=Verb.PLACE, account="binance:main",
                    strategy=self.chance.choice(STRATEGIES), product="spot", symbol="BTCUSDT",
                    seen=self.fold.known, send_by_ns=FAR_NS,
                )
            )  # fmt: skip

    def fold_reads(self) -> None:
        """The fold reads the next record, and tells what the log proves."""
        if self.fold.known < len(self.records):
            self.fold.apply(self.fold.known, self.records[self.fold.known])
            self.told.update(one.id for one in self.commands if self.fold.is_unsent(one))

    def ask_for_void(self) -> None:
        """A command's time is over, and nothing names it."""
        waiting = [one for one in self.commands if self.fold.named(one.id) is None]
        if waiting:
            command = self.chance.choice(waiting)
            self.append("process", Void.model_construct(command_id=command.id, why="late"), None)
            if self.rules.is_told_by_time:
                self.told.add(command.id)

    # ---- operators

    def kill(self) -> None:
        """An operator stops everything, or one strategy."""
        scope = self.chance.choice((ANYTHING, KillScope(strategy="maker")))

        def landed(offset: int) -> None:
            view = ClaimLog()
            for at, record in enumerate(self.records[: offset + 1]):
                view.apply(at, record)
            named = {claim.command.id for claim in view.may_arrive(scope, offset, 0)}
            self.fenced.append(Fenced(offset, scope, frozenset(named)))

        self.append("operator", Kill.model_construct(scope=scope, author="me", reason=""), landed)

    # ---- the topic

    def append(self, writer: str, record: ClaimRecord, landed: Landed | None) -> None:
        """A record is on its way."""
        self.flight.append(Append(writer, record, landed))

    def land(self) -> None:
        """One of the appends under way stands in the log."""
        if not self.flight:
            return
        writer = self.chance.choice(self.flight).writer
        alive = {one.writer for one in self.processes if one is not None}
        mine = [one for one in self.flight if one.writer == writer]
        append = mine[0] if writer in alive or writer == "process" else self.chance.choice(mine)
        self.flight.remove(append)
        self.records.append(append.record)
        if append.landed is None:
            return
        offset = len(self.records) - 1
        process = next((one for one in self.processes if one and one.writer == writer), None)
        if process is not None:
            self.acks.append((process, append.landed, offset))
        elif writer == "operator":
            append.landed(offset)

    def acknowledge(self) -> None:
        """One of the acknowledgements arrives, of each process in order; or the append fails."""
        if not self.acks:
            return
        of = self.chance.choice(self.acks)[0]
        at = next(at for at, ack in enumerate(self.acks) if ack[0] is of)
        process, landed, offset = self.acks.pop(at)
        if process in self.processes:
            landed(offset)

    # ---- processes

    def start(self) -> None:
        """A process begins where none runs, and reads from anywhere."""
        place = self.chance.randrange(len(self.processes))
        if self.processes[place] is not None:
            return
        self.lives += 1
        writer, begin = f"life {self.lives}", self.chance.randint(0, len(self.records))
        life = "one life" if self.rules.is_life_shared else writer
        claimer = self.rules.claimer(life, self.rules.log(begin))
        process = self.processes[place] = Process(writer, life, claimer, begin)
        record = ClaimOwner.model_construct(life=life, version="1")
        self.append(writer, record, lambda offset: process.claimer.owned(offset, record))

    def one(self) -> Process | None:
        """Any process that runs."""
        running = [one for one in self.processes if one is not None]
        return self.chance.choice(running) if running else None

    def read(self) -> None:
        """A reader brings some records."""
        process = self.one()
        if process is None:
            return
        for _ in range(self.chance.randint(1, 4)):
            if process.at < len(self.records):
                process.claimer.read(process.at, self.records[process.at])
                process.at += 1

    def claim(self) -> None:
        """A process claims a command that it may; the append may fail, or seem to."""
        process = self.one()
        if process is None:
            return
        claimer = process.claimer
        free = [one for one in self.commands if claimer.refusal(one) is None]
        if not free:
            return
        command = self.chance.choice(free)
        claim = Claim.model_construct(
            life=process.life, command=command, intent=0, expires_ns=None, request="", sha256=""
        )
        claimer.claim(claim)
        process.flying[command.id] = command

        def acked(offset: int) -> None:
            if command.id in process.flying:  # else it was given up
                claimer.acked(command.id, offset, 0)

        landed: Landed | None = acked
        fate = self.chance.random()
        if fate < 0.15:  # reported as failed, and under way
            landed = None
        if fate > 0.05:
            self.append(process.writer, claim, landed)
        if landed is None or fate <= 0.05:
            self.let_be(process, command)
        if self.rules.is_sent_at_once:
            self.write(command)

    def give_up(self) -> None:
        """A process waited too long for what became of a claim, or is told to stop waiting."""
        process = self.one()
        if process is not None and process.flying:
            self.let_be(process, self.chance.choice(list(process.flying.values())))

    def let_be(self, process: Process, command: Command) -> None:
        """A process gives up a claim, wherever it stands or will."""
        del process.flying[command.id]
        process.claimer.failed(command.id)
        unsent = NotSent.model_construct(life=process.life, command_id=command.id, why="given up")
        self.append(process.writer, unsent, None)

    def send(self) -> None:
        """A process decides what it can, and writes some of it."""
        process = self.one()
        if process is None:
            return
        for judged in process.claimer.judged():
            process.flying.pop(judged.claim.command.id, None)
            if judged.why_not is None:
                process.to_send.append(judged.claim.command)
        if process.to_send:
            command = process.to_send.pop(0)
            if process.claimer.last_look(command, 0) is None:
                self.write(command)
            else:
                unsent = NotSent.model_construct(life=process.life, command_id=command.id, why="")
                self.append(process.writer, unsent, None)

    def write(self, command: Command) -> None:
        """The bytes go to the venue."""
        self.sent[command.id] += 1
        for kill in self.fenced:
            is_covered = command.seen <= kill.offset and kill.scope.covers(command)
            if is_covered and command.id not in kill.named:
                self.wrong.add(f"sent through a kill: {command.id}")

    def die(self) -> None:
        """A process is killed: its appends may still land, its acknowledgements do not come."""
        self.processes[self.chance.randrange(len(self.processes))] = None

    def forget(self) -> None:
        """A process lets go of what it read long ago."""
        process = self.one()
        if process is not None:
            process.claimer.forget(self.chance.randint(0, process.at))
