"""Folds steps that another checkout reads: `python -m processors.replay.child`, over its pipes.

It is the code of its own checkout that folds; how both sides speak is in wire.py. A fold that
raises ends it, with its trace on stderr.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import processors
from orderloom.topology import INPUTS
from processors.configuration import configured_fold
from processors.fold_version import fold_version
from processors.ledger.commit_record import CommitRecord
from processors.ledger.step import InputRecord, PartitionState, StepChanges
from processors.replay import wire
from processors.replay.comparison import PublishedRecord
from processors.replay.refold import Configuration, Refold
from venues import VENUES

TOPIC_OF = {topic.kind: topic for topic in INPUTS}


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Fold what is sent until the other side ends."""
    hello = wire.read(requests)
    if hello is None:
        return
    given = hello[0]
    home = str(Path(processors.__path__[0]).resolve().parent)
    # Said before another format is refused, so that the other side can name both.
    said = {"format": wire.FORMAT, "version": fold_version(), "home": home}
    wire.write(answers, said)
    if given["format"] != wire.FORMAT:
        return
    refold = Refold(lambda said, _: _state(given, said))
    while (message := wire.read(requests)) is not None:
        step, records = step_of(*message)
        wire.write(answers, *outputs_as_sent(refold.fold(step, records)))


def _state(given: dict[str, Any], said: Configuration | None) -> PartitionState:
    configuration = given["configuration"] if said is None else said
    return configured_fold(VENUES[given["venue"]], given["partition"], configuration)


def step_as_sent(
    step: CommitRecord, records: list[InputRecord]
) -> tuple[dict[str, Any], list[wire.Part]]:
    """A step and its records, for the wire."""
    places = [(record.topic.kind, record.offset, record.appended_ns) for record in records]
    parts: list[wire.Part] = [step.encoded()]
    for record in records:
        parts += (record.key, record.value)
    return {"records": places}, parts


def step_of(head: dict[str, Any], parts: list[wire.Part]) -> tuple[CommitRecord, list[InputRecord]]:
    """What `step_as_sent` sent."""
    step = CommitRecord.decoded(parts[0] or b"")
    records = [
        InputRecord(TOPIC_OF[kind], step.partition, offset, appended_ns, key, value)
        for (kind, offset, appended_ns), key, value in zip(
            head["records"], parts[1::2], parts[2::2], strict=True
        )
    ]
    return step, records


def outputs_as_sent(changes: StepChanges) -> tuple[dict[str, Any], list[wire.Part]]:
    """What a step publishes, for the wire."""
    outputs: list[tuple[str, list[str]]] = []
    parts: list[wire.Part] = []
    for output in changes.outputs:
        outputs.append((output.topic.kind, [name for name, _ in output.headers]))
        parts += (output.key, output.value, *(value for _, value in output.headers))
    return {"outputs": outputs}, parts


def outputs_of(head: dict[str, Any], parts: list[wire.Part]) -> Iterator[PublishedRecord]:
    """What `outputs_as_sent` sent."""
    left = iter(parts)
    for kind, names in head["outputs"]:
        key, value = next(left) or b"", next(left)
        yield PublishedRecord(kind, key, value, tuple((name, next(left) or b"") for name in names))


if __name__ == "__main__":
    serve(sys.stdin.buffer, cast(BinaryIO, sys.stdout.buffer))
