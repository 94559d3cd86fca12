"""quixstreams, as its manual has it: a stateful function per message, its results produced.

Runs in an environment of its own (it pins an older client), with this repository on PYTHONPATH. At
least once, RocksDB and changelog by default; it writes state when it commits, so it commits every
second and not every five: or a short run would never see the cost.
"""

import sys
import tempfile

from quixstreams import (  # type: ignore[import-not-found] # only in its own environment
    Application,
    State,
    message_context,
)

from bench.meter import Meter
from bench.task import Task
from bench.work import Work
from orderloom.topology import ORDERS, RAW

COMMIT_SECONDS = 1.0


def main(argument: str) -> None:
    """Work until told to end."""
    task = Task.from_argument(argument)
    meter, work = Meter(task.warm, task.measured), Work(task.venue)

    def fold(value: bytes, state: State) -> list[bytes]:
        context = message_context()
        began = meter.begin()
        events = list(work.fold(value, "raw", context.partition, context.offset))
        keys = [key for keys in events for key in keys]
        states = [(key, work.state(key)) for key in keys]
        outputs = [work.output(key) for key in keys]
        meter.folded(len(events), began)
        for key, record in states:
            state.set_bytes(key, record)
        return outputs

    with tempfile.TemporaryDirectory() as directory:
        app = Application(
            broker_address=task.bootstrap,
            consumer_group=f"{task.namespace}quixstreams",
            auto_offset_reset="earliest",
            commit_interval=COMMIT_SECONDS,
            on_message_processed=lambda *_place: meter.committed(),
            state_dir=directory,
            loglevel="WARNING",
        )
        source = app.topic(task.topic(RAW), key_deserializer="bytes", value_deserializer="bytes")
        shown = app.topic(task.topic(ORDERS), key_serializer="bytes", value_serializer="bytes")
        outputs = app.dataframe(source).apply(fold, stateful=True, expand=True)
        outputs.to_topic(shown)
        app.run()


if __name__ == "__main__":
    main(sys.argv[1])
