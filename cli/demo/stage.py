"""The stage of the demo: a broker, a simulated venue, and the workers, each a real process.

Every process is on a leash (it dies with this one) and writes its log under the demo's directory.
Everything listens on loopback. Workers are started with the same command that a user types.
"""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import aiohttp

from runtime.broker import EmbeddedBroker
from runtime.leash import leashed
from simulator.config import (
    AccountConfig,
    FaultConfig,
    LimitConfig,
    ScheduledFault,
    SimulatorConfig,
    sample_accounts,
)

VENUE: Final = "binance"
PARTITIONS: Final = 4
READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0
FRAMES_PER_REQUEST: Final = 20
"""About how many private frames come for each question, so that both kinds of fault are spread."""
SPOT_WEIGHT: Final = 60_000
LINEAR_WEIGHT: Final = 24_000
"""Ten times Binance's own limits a minute, so that a minute shows what takes ten in production."""


class StageError(Exception):
    """A process of the demo did not do what it must; the message names its log."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the stage is set for. `frames` is about how many private messages are to come."""

    directory: Path
    namespace: str
    seed: int
    accounts: int
    frames: int
    faults: dict[str, int]
    reconcile_seconds: float = 10.0


@dataclass(slots=True)
class Worker:
    """One child process; `was_killed` once it was sent SIGKILL on purpose."""

    name: str
    child: subprocess.Popen[bytes]
    log: Path
    was_killed: bool = False

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self.child.poll() is None


@dataclass(slots=True)
class Stage:
    """The running processes of one demo."""

    plan: Plan
    broker: EmbeddedBroker
    simulator: str = ""
    workers: list[Worker] = field(default_factory=list)
    started: int = 0

    @classmethod
    def build(cls, plan: Plan) -> Self:
        """A stage whose broker keeps its data beside the demo's other files."""
        for folder in ("logs", "keys"):
            (plan.directory / folder).mkdir(parents=True, exist_ok=True)
        return cls(plan, EmbeddedBroker(plan.directory / "broker"))

    @property
    def settings_file(self) -> Path:
        """The TOML file that all workers of this run read."""
        return self.plan.directory / "orderloom.toml"

    def start_simulator(self) -> None:
        """Start the venue in a box; its first line of output tells the port."""
        config = SimulatorConfig(
            seed=self.plan.seed,
            accounts=sample_accounts(self.plan.accounts, self.plan.seed),
            faults=self._faults(),
            limits=LimitConfig(spot_weight=SPOT_WEIGHT, linear_weight=LINEAR_WEIGHT),
        )
        path = self.plan.directory / "simulator.json"
        path.write_text(config.model_dump_json(indent=1), encoding="utf-8")
        worker = self.launch("simulator", "simulate", VENUE, "--config", str(path))
        assert worker.child.stdout is not None
        line = worker.child.stdout.readline()
        if not line:
            raise StageError(f"the simulator did not start: see {worker.log}")
        ready = json.loads(line)
        self.simulator = f"{ready['host']}:{ready['port']}"
        self._write_settings(config.accounts)

    def _faults(self) -> FaultConfig:
        spans = {"http": self.plan.frames // FRAMES_PER_REQUEST}
        return FaultConfig(
            schedule={
                name: ScheduledFault(
                    count=count,
                    frames=max(count, spans.get(name.partition("_")[0], self.plan.frames)),
                )
                for name, count in self.plan.faults.items()
            }
        )

    def _write_settings(self, accounts: tuple[AccountConfig, ...]) -> None:
        http, socket = f"http://{self.simulator}", f"ws://{self.simulator}"
        registry = self.plan.directory / "accounts.toml"
        registry.write_text(
            "".join(self._entry(number, account) for number, account in enumerate(accounts)),
            encoding="utf-8",
        )
        self.settings_file.write_text(
            f'namespace = "{self.plan.namespace}"\n'
            f"partitions = {PARTITIONS}\n"
            f'data_dir = "{self.plan.directory}"\n'
            f'accounts_file = "{registry}"\n'
            f'[kafka]\nbootstrap = "{self.broker.bootstrap}"\n'
            f"[venues.{VENUE}]\n"
            f'rest = {{ spot = "{http}", linear = "{http}" }}\n'
            f'stream = {{ spot = "{socket}", linear = "{socket}" }}\n'
            f"reconcile_seconds = {self.plan.reconcile_seconds}\n"
            f"limits = {{ spot-weight = {SPOT_WEIGHT}, linear-weight = {LINEAR_WEIGHT} }}\n",
            encoding="utf-8",
        )

    def _entry(self, number: int, account: AccountConfig) -> str:
        key = self.plan.directory / "keys" / f"{number}.json"
        key.write_text(json.dumps({"key": account.api_key, "secret": account.secret}))
        key.chmod(0o600)
        symbols = "\n".join(
            f"{product} = {json.dumps(list(names))}" for product, names in account.symbols.items()
        )
        return (
            f'[[accounts]]\nid = "{account.name}"\nproducts = ["spot", "linear"]\n'
            f'key = "file:{key}"\npartition = {number % PARTITIONS}\n'
            f"[accounts.symbols]\n{symbols}\n\n"
        )

    def launch(self, name: str, *arguments: str, module: str = "cli.main") -> Worker:
        """Start `orderloom ARGUMENTS` (or another module) as a child on a leash."""
        log = self.plan.directory / "logs" / f"{name}.log"
        command = leashed([sys.executable, "-m", module, *arguments])
        environment = os.environ | {"ORDERLOOM_CONFIG": str(self.settings_file)}
        output = subprocess.PIPE if name == "simulator" else subprocess.DEVNULL
        with log.open("ab") as errors:
            child = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                command, stdout=output, stderr=errors, stdin=subprocess.DEVNULL, env=environment
            )
        worker = Worker(name, child, log)
        self.workers.append(worker)
        return worker

    def launch_worker(self, kind: str) -> Worker:
        """One more `ingest` or `process` worker."""
        self.started += 1
        return self.launch(f"{kind}-{self.started}", kind, VENUE)

    def create_topics(self) -> None:
        """`orderloom topics`: create, check, and write the registry into `control`."""
        worker = self.launch("topics", "topics")
        if worker.child.wait(READY_SECONDS) != 0:
            raise StageError(f"`orderloom topics` failed: see {worker.log}")
        self.workers.remove(worker)

    def running(self, kind: str) -> list[Worker]:
        """The running workers of one kind, oldest first."""
        return [w for w in self.workers if w.name.startswith(f"{kind}-") and w.is_running]

    def kill(self, kind: str) -> Worker:
        """SIGKILL the oldest worker of a kind."""
        worker = self.running(kind)[0]
        worker.was_killed = True
        worker.child.kill()
        worker.child.wait()
        return worker

    def fallen(self) -> list[Worker]:
        """Workers that ended without having been killed on purpose."""
        return [w for w in self.workers if not w.is_running and not w.was_killed]

    async def control(self, path: str, document: dict[str, Any] | None = None) -> Any:
        """Ask the simulator: GET, or POST with a document."""
        url = f"http://{self.simulator}{path}"
        timeout = aiohttp.ClientTimeout(total=READY_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            method = "GET" if document is None else "POST"
            async with session.request(method, url, json=document) as answer:
                answer.raise_for_status()
                return await answer.json()

    def stop(self) -> None:
        """End every process, workers first, the broker last."""
        running = [worker for worker in reversed(self.workers) if worker.is_running]
        for worker in running:
            worker.child.send_signal(signal.SIGTERM)
        for worker in running:
            try:
                worker.child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                worker.child.kill()
                worker.child.wait()
        self.broker.stop()
