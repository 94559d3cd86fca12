"""A Faust agent with a Table, as Faust's manual has it: per event one state record, one output.

Out of the box but for what costs it nothing and saves it time: uvloop, quiet loggers, no web
server. Orders stay in memory as objects; the Table holds their bytes, so Faust serializes nothing.
"""

import asyncio
import logging
import sys
import tempfile
from typing import Any

import faust
import uvloop

from bench.meter import Meter
from bench.task import Task
from bench.work import Work
from orderloom.topology import ORDERS, RAW


def make_app(task: Task, directory: str) -> faust.App:
    """The app with its agent."""
    app = faust.App(
        f"{task.namespace}stock-faust",
        broker=f"kafka://{task.bootstrap}",
        store="memory://",
        datadir=directory,
        key_serializer="raw",
        value_serializer="raw",
        web_enabled=False,
        topic_partitions=task.partitions,
        topic_replication_factor=1,
    )
    source = app.topic(task.topic(RAW), key_type=bytes, value_type=bytes)
    shown = app.topic(task.topic(ORDERS), key_type=bytes, value_type=bytes)
    table = app.Table("state", partitions=task.partitions, key_type=bytes, value_type=bytes)
    meter, work = Meter(task.warm, task.measured), Work(task.venue)

    async def fold(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            began = meter.begin()
            events = list(work.fold(message.value, "raw", message.partition, message.offset))
            keys = [key for keys in events for key in keys]
            written = [(key.encode(), work.state(key), work.output(key)) for key in keys]
            meter.folded(len(events), began)
            for key, state, output in written:
                table[key] = state
                await shown.send(key=key, value=output, partition=message.partition)
            meter.committed()

    app.agent(source)(fold)
    return app


def main(argument: str) -> None:
    """Work until told to end."""
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    for name in ("aiokafka", "faust", "mode"):
        logging.getLogger(name).setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as directory:
        app = make_app(Task.from_argument(argument), directory)
        faust.Worker(app, loglevel="warning", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main(sys.argv[1])
