"""The product's worker: Faust delivers, ledgers decide. Or a ledger that reads by itself."""

import sys

from bench.meter import Meter
from bench.states import maker
from bench.task import Task
from processors import worker
from processors.ledger.runner import LedgerRunner
from processors.ledger.settings import LedgerSettings


def main(argument: str) -> None:
    """Work until told to end."""
    task = Task.from_argument(argument)
    meter = Meter(task.warm, task.measured)
    runners: list[LedgerRunner] = []

    def make_runner(*arguments: object, **named: object) -> LedgerRunner:
        runners.append(LedgerRunner(*arguments, **named))  # type: ignore[arg-type] # handed on
        return runners[-1]

    def probe(point: str) -> None:
        if point == "after-commit":
            meter.extra = counted(runners)
            meter.committed()

    settings = LedgerSettings(task.bootstrap, task.venue, task.namespace)
    worker.run(settings, worker.Parts(maker(task, meter), probe, make_runner=make_runner))


def counted(runners: list[LedgerRunner]) -> dict[str, int]:
    """How often the ledgers stepped, and how many records Faust did not get to them in time."""
    counts = [runner.memory.counts for runner in runners]
    return {
        "steps": sum(count.steps for count in counts),
        "records": sum(count.records for count in counts),
        "read_by_itself": sum(count.read_by_itself for count in counts),
        "openings": sum(count.openings for count in counts),
    }


if __name__ == "__main__":
    main(sys.argv[1])
