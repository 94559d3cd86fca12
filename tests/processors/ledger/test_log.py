"""Clients whose transactions failed are kept until those are over."""

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from processors.ledger.log import _has_ended


class Retired:
    """A client whose abort raises what it is given."""

    def __init__(self, raised: Exception | None) -> None:
        self.raised = raised

    def abort_transaction(self, _seconds: float) -> None:
        if self.raised:
            raise self.raised


def waiting() -> KafkaException:
    return KafkaException(KafkaError(KafkaError._TIMED_OUT))


def fatal() -> KafkaException:
    return KafkaException(KafkaError(KafkaError._FENCED, "fenced", fatal=True))


@pytest.mark.parametrize(
    ("raised", "is_kept"),
    [(None, False), (waiting(), True), (fatal(), False), (SystemError("fenced"), False)],
    ids=["aborted", "not yet", "fenced", "fenced, found while it reports what failed"],
)
def test_a_retired_client_is_kept_while_its_transaction_may_go_on(
    raised: Exception | None, is_kept: bool
) -> None:
    client: Any = Retired(raised)
    assert _has_ended(client, 0.0) is not is_kept
