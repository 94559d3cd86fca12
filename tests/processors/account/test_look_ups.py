"""What an account's look-ups save of themselves: the same after a restart, record by record."""

from typing import Any

import orjson

from orderloom import topology
from orderloom.raw import Answer
from tests.processors.account.test_position_check import SECOND, a_watched_account
from tests.processors.partition_lab import ACCOUNT, NOW, Run, a_raw_record

AT_NS = NOW + 3 * SECOND


def asked(run: Run) -> list[dict[str, Any]]:
    """The questions that go out then; whose answers name symbols comes first."""
    run.partition.accounts[ACCOUNT].streams.owner.liveness_ns = AT_NS
    questions = [
        orjson.loads(output.value or b"")["question"]
        for output in run.step(None, AT_NS)
        if output.topic is topology.DISPATCHES
    ]
    mine = [question for question in questions if question["account"] == ACCOUNT]
    return sorted(mine, key=lambda one: (one["about"] != "POSITIONS", one["product"] != "spot"))


def answered_with_nothing(*, is_restarted: bool) -> Run:
    """A cycle of both products in which every list is empty."""
    run = a_watched_account()
    for question in asked(run):
        is_account = (question["about"], question["product"]) == ("BALANCES", "spot")
        body = orjson.dumps({"balances": []} if is_account else [])
        item = Answer(question, "", 1, True, 200, AT_NS, AT_NS, AT_NS, body)
        run.step(a_raw_record(item, offset=1), AT_NS)
        if is_restarted:
            run.restart()
            run.partition.accounts[ACCOUNT].streams.owner.liveness_ns = AT_NS
    return run


def test_an_answer_that_names_no_symbol_notes_none_and_is_the_same_after_a_restart() -> None:
    calm, killed = (answered_with_nothing(is_restarted=one) for one in (False, True))
    assert killed.state == calm.state
    touched = orjson.loads(calm.state[f"u/{ACCOUNT}".encode()])["touched"]
    assert touched == {}
