"""Orders with very many executions: restarts change no digest, and steps stay small."""

import orjson
import pytest

from processors.ledger.opening import restored
from processors.ledger.trouble import PartitionStopped
from processors.orders.fill_records import INLINE_MAX
from tests.processors.partition_lab import Run, a_frame, a_partition, a_raw_record, live


def a_trade(number: int) -> bytes:
    return orjson.dumps({
        "e": "TRADE_LITE", "E": 1793000012009, "T": 1793000012008 + number, "s": "BTCUSDT",
        "q": "9.030", "p": "91000.0", "m": True, "c": "osp-f-0031", "S": "SELL", "L": "91000.0",
        "l": "0.010", "t": 6610020031 + number, "i": 551200341,
    })  # fmt: skip


@pytest.fixture(scope="module")
def run() -> Run:
    run = Run(a_partition())
    run.step(a_raw_record(live("linear")))
    frames = [a_frame(a_trade(number), number + 1, "linear") for number in range(INLINE_MAX + 50)]
    run.step(a_raw_record(*frames, offset=1))
    return run


def test_a_restart_changes_no_digest_in_whatever_order_the_records_come(run: Run) -> None:
    before = run.digests
    for keys in (sorted(run.state), sorted(run.state, reverse=True)):
        run.state = {key: run.state[key] for key in keys}
        run.restart()
        run.take()
        assert run.digests == before


def test_one_more_execution_writes_two_records_of_the_order(run: Run) -> None:
    state = dict(run.state)
    run.step(a_raw_record(a_frame(a_trade(9_999), INLINE_MAX + 51, "linear"), offset=2))
    written = [key for key in run.state if run.state[key] is not state.get(key)]
    assert len([key for key in written if key.startswith(b"o/")]) == 2


def test_executions_whose_order_has_no_record_are_not_restored_in_silence(run: Run) -> None:
    own = min((key for key in run.state if key.startswith(b"o/")), key=len)
    lacking = {key: value for key, value in run.state.items() if key != own}
    with pytest.raises(PartitionStopped, match="executions of orders without a record"):
        restored(lacking, 0, lambda _: a_partition())
