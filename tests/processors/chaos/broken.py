"""Variants of the ledger and the worker with one rule broken each: the checks must find them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from processors.app import make_app
from processors.ledger.ledger import Ledger, MakeState
from processors.ledger.state import PLACE_KEY
from processors.ledger.step import Output
from processors.ledger.writer import Probe
from processors.worker import Parts
from runtime.kafka import idempotent_producer


class OffsetsAhead(Ledger):
    """Commits how far it is before what it made of it: a crash between loses."""

    def _write(self, changes: Any, folded: Any) -> None:
        whole = self._writer.commit

        def in_halves(
            state: Iterable[tuple[bytes, bytes | None]],
            outputs: Sequence[Output] = (),
            commit_record: bytes | None = None,
        ) -> None:
            records = list(state)
            whole([_ahead(records)], (), commit_record)
            whole(records, outputs)

        self._writer.commit = in_halves  # type: ignore[method-assign]  # broken on purpose
        super()._write(changes, folded)
        self._writer.commit = whole  # type: ignore[method-assign]  # and whole again


def _ahead(records: Iterable[tuple[bytes, bytes | None]]) -> tuple[bytes, bytes]:
    """The place alone; it says nothing of the state, as one of an older version."""
    place = orjson.loads(dict(records)[PLACE_KEY] or b"")
    return PLACE_KEY, orjson.dumps(place | {"exact": ""})


class OutputsOutside(Ledger):
    """Publishes beside the transaction: a crash before its commit repeats."""

    def _write(self, changes: Any, folded: Any) -> None:
        if not hasattr(self, "_beside"):
            self._beside = idempotent_producer(self._settings.bootstrap)
        for output in changes.outputs:
            name = self._settings.topic_name(output.topic)
            self._beside.produce(name, output.value, output.key, self.partition)
        self._beside.flush(10)
        changes.outputs = []
        super()._write(changes, folded)


def _sound(make_state: MakeState, probe: Probe) -> Parts:
    return Parts(make_state, probe)


def _with_ledger(make: type[Ledger]) -> Callable[[MakeState, Probe], Parts]:
    return lambda make_state, probe: Parts(make_state, probe, make_ledger=make)


def _with_app(change: Callable[[Any], None]) -> Callable[[MakeState, Probe], Parts]:
    """The worker's Faust app is changed after it was made."""

    def make(*arguments: Any) -> Any:
        app = make_app(*arguments)
        change(app)
        return app

    return lambda make_state, probe: Parts(make_state, probe, make_app=make)


def _round_robin(app: Any) -> None:
    """What Faust does by itself where no Table asks for its assignor."""
    app.conf.table_standby_replicas = 0


def _standby_counted(app: Any) -> None:
    app.assignor.replicas = 1


VARIANTS: dict[str, Callable[[MakeState, Probe], Parts]] = {
    "": _sound,
    "offsets ahead of state": _with_ledger(OffsetsAhead),
    "outputs outside": _with_ledger(OutputsOutside),
    "round robin": _with_app(_round_robin),
    "standby counted": _with_app(_standby_counted),
}
