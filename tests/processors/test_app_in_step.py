"""Whether Faust's assignor gives a worker the same partitions of every input."""

from faust.types import TP

from processors.app import are_in_step

INPUTS = ("control", "claims", "intents", "raw")


def test_the_same_partitions_of_every_input_are_in_step() -> None:
    assert are_in_step({TP(name, number) for name in INPUTS for number in (0, 3)}, INPUTS)
    assert are_in_step(set(), INPUTS)


def test_a_partition_or_a_whole_input_that_lacks_is_not() -> None:
    whole = {TP(name, number) for name in INPUTS for number in (0, 3)}
    assert not are_in_step(whole - {TP("control", 3)}, INPUTS)
    assert not are_in_step({tp for tp in whole if tp.topic == "raw"}, INPUTS)
