"""Inputs whose reader brings nothing of what is there, on a broker."""

from collections.abc import Iterator

import pytest

from orderloom.topology import RAW
from processors.ledger import inputs
from processors.ledger.input_reader import InputReader
from processors.ledger.step import InputRecord
from processors.ledger.trouble import LedgerLost
from tests.conftest import RunningBroker
from tests.processors.ledger_lab import Lab, drain
from tests.waits import wait_for

pytestmark = pytest.mark.broker


class SilentReader(InputReader):
    """A client that is stuck: neither a record comes, nor an error."""

    def read(self, seconds_max: float) -> Iterator[InputRecord | tuple[str, int]]:
        list(super().read(seconds_max))
        return iter(())


def test_a_reader_that_brings_nothing_of_what_is_there_is_given_up(
    broker: RunningBroker, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = Lab(broker.bootstrap, namespace)
    lab.feed(RAW, [b"one", b"two"])
    monkeypatch.setattr(inputs, "SILENT_SECONDS_MAX", 0.3)
    monkeypatch.setattr(inputs, "InputReader", SilentReader)
    stuck = lab.open()
    with pytest.raises(LedgerLost, match=r"nothing is brought .* from \{'raw': 0\}"):
        wait_for(lambda: stuck.advance(0.05))
    stuck.close()
    monkeypatch.setattr(inputs, "InputReader", InputReader)
    ledger = lab.open()
    drain(ledger)
    assert ledger.next_offsets["raw"] == 2


def test_a_reader_at_its_ends_may_be_silent_for_as_long_as_it_likes(
    broker: RunningBroker, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = Lab(broker.bootstrap, namespace)
    lab.feed(RAW, [b"one"])
    ledger = lab.open()
    drain(ledger)
    monkeypatch.setattr(inputs, "SILENT_SECONDS_MAX", 0.05)
    for _ in range(20):
        ledger.advance(0.05)
    assert ledger.next_offsets["raw"] == 1
