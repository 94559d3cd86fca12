"""The stage of the demo: a broker, simulated venues, and the workers, each a real process.

Every process is on a leash (it dies with this one) and writes its log under the demo's directory.
Everything listens on loopback. Workers are started with the same command that a user types.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import aiohttp

from runtime.broker import EmbeddedBroker
from runtime.files import own_directory
from runtime.leash import leashed, module_command
from runtime.trouble import SetupError
from simulator.config import AccountConfig
from trial.venues import PARTITIONS, TrialVenue, key_name, key_of, registry_of

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0


class StageError(Exception):
    """A process of the demo did not do what it must; the message names its log."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the stage is set for."""

    directory: Path
    namespace: str
    simulated: tuple[TrialVenue, ...]
    reconcile_seconds: float = 10.0

    @property
    def venues(self) -> tuple[str, ...]:
        """The venues' names."""
        return tuple(each.venue for each in self.simulated)


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
    """The running processes of one demo; `addresses` are the simulators' by venue."""

    plan: Plan
    broker: EmbeddedBroker
    addresses: dict[str, str] = field(default_factory=dict)
    workers: list[Worker] = field(default_factory=list)
    started: int = 0

    @classmethod
    def build(cls, plan: Plan) -> Self:
        """A stage whose broker keeps its data beside the demo's other files. Raises SetupError."""
        for directory in (plan.directory, plan.directory / "logs", plan.directory / "keys"):
            try:
                own_directory(directory)
            except OSError as error:
                why = error.strerror or error
                raise SetupError(
                    f"the demo's files cannot be kept in {plan.directory} ({why})",
                    "name another with --directory",
                ) from None
        return cls(plan, EmbeddedBroker(plan.directory / "broker"))

    @property
    def settings_file(self) -> Path:
        """The TOML file that all workers of this run read."""
        return self.plan.directory / "orderloom.toml"

    def start_simulators(self) -> None:
        """Start the venues behind their wires; the first line of each names its port."""
        for each in self.plan.simulated:
            self._start_simulator(each)
        self._write_settings()
        self._write_accounts(
            [one for each in self.plan.simulated for one in each.config().accounts]
        )

    def _start_simulator(self, each: TrialVenue) -> None:
        path = self.plan.directory / f"simulator-{each.venue}.json"
        path.write_text(each.config().model_dump_json(indent=1), encoding="utf-8")
        name = f"simulator-{each.venue}"
        worker = self.launch(name, "simulate", each.venue, "--config", str(path))
        assert worker.child.stdout is not None
        line = worker.child.stdout.readline()
        if not line:
            raise StageError(f"{name} did not start: see {worker.log}")
        ready = json.loads(line)
        self.addresses[each.venue] = f"{ready['host']}:{ready['port']}"

    def _write_settings(self) -> None:
        head = (
            f'namespace = "{self.plan.namespace}"\n'
            f"partitions = {PARTITIONS}\n"
            f'data_dir = "{self.plan.directory}"\n'
            f'accounts_file = "{self.plan.directory / "accounts.toml"}"\n'
            f'[kafka]\nbootstrap = "{self.broker.bootstrap}"\n'
        )
        sections = (
            each.settings(self.addresses[each.venue], self.plan.reconcile_seconds)
            for each in self.plan.simulated
        )
        self.settings_file.write_text(head + "".join(sections), encoding="utf-8")

    def _write_accounts(self, accounts: Iterable[AccountConfig]) -> None:
        accounts, keys = list(accounts), self.plan.directory / "keys"
        for account in accounts:
            key = keys / key_name(account)
            key.write_text(json.dumps(key_of(account)), encoding="utf-8")
            key.chmod(0o600)
        registry = self.plan.directory / "accounts.toml"
        registry.write_text("".join(registry_of(accounts, keys)), encoding="utf-8")

    def launch(self, name: str, *arguments: str, module: str = "cli.main") -> Worker:
        """Start `orderloom ARGUMENTS` (or another module) as a child on a leash."""
        log = self.plan.directory / "logs" / f"{name}.log"
        command = leashed(module_command(module, *arguments))
        environment = os.environ | {"ORDERLOOM_CONFIG": str(self.settings_file)}
        output = subprocess.PIPE if name.startswith("simulator") else subprocess.DEVNULL
        with log.open("ab") as errors:
            child = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                command, stdout=output, stderr=errors, stdin=subprocess.DEVNULL, env=environment
            )
        worker = Worker(name, child, log)
        self.workers.append(worker)
        return worker

    def launch_worker(self, kind: str, venue: str) -> Worker:
        """One more `ingest` or `process` worker of a venue."""
        return self.launch(self.next_name(kind, venue), kind, venue)

    def next_name(self, kind: str, venue: str) -> str:
        """A name that no worker of this run had."""
        self.started += 1
        return f"{kind}-{venue}-{self.started}"

    def create_topics(self) -> None:
        """`orderloom topics`: create, check, and write the registry into `control`."""
        worker = self.launch("topics", "topics")
        if worker.child.wait(READY_SECONDS) != 0:
            raise StageError(f"`orderloom topics` failed: see {worker.log}")
        self.workers.remove(worker)

    def kill(self, kind: str, venue: str) -> Worker:
        """SIGKILL the oldest running worker of a kind."""
        prefix = f"{kind}-{venue}-"
        worker = next(w for w in self.workers if w.name.startswith(prefix) and w.is_running)
        worker.was_killed = True
        worker.child.kill()
        worker.child.wait()
        return worker

    def fallen(self) -> list[Worker]:
        """Workers that ended without having been killed on purpose."""
        return [w for w in self.workers if not w.is_running and not w.was_killed]

    async def control(self, venue: str, path: str, document: dict[str, Any] | None = None) -> Any:
        """Ask a venue's simulator: GET, or POST with a document."""
        url = f"http://{self.addresses[venue]}{path}"
        timeout = aiohttp.ClientTimeout(total=READY_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            method = "GET" if document is None else "POST"
            async with session.request(method, url, json=document) as answer:
                answer.raise_for_status()
                return await answer.json()

    async def truth(self) -> dict[str, Any]:
        """What is true at all venues together."""
        truths = [await self.control(venue, "/truth") for venue in self.plan.venues]
        return {
            "accounts": {name: one for truth in truths for name, one in truth["accounts"].items()},
            "messages": sum(truth["messages"] for truth in truths),
            "reconnects": sum(len(truth["connections"].get("ended", ())) for truth in truths),
            "faults": {
                venue: truth["faults"]
                for venue, truth in zip(self.plan.venues, truths, strict=True)
            },
        }

    def stop(self) -> None:
        """End every process, workers first, the broker last; those that linger are killed."""
        running = [worker for worker in reversed(self.workers) if worker.is_running]
        for worker in running:
            worker.child.send_signal(signal.SIGTERM)
        give_up = time.monotonic() + STOP_SECONDS
        for worker in running:
            try:
                worker.child.wait(max(0.0, give_up - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.child.kill()
                worker.child.wait()
        self.broker.stop()
