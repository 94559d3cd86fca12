"""What the books hold is told to the metrics."""

from prometheus_client import REGISTRY

from processors.measured import MeasuredBook
from tests.processors.book_lab import ACCOUNT, NOW, a_frame, a_raw_record, live
from venues import VENUES


def value(metric: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"orderloom_{metric}", labels) or 0.0


def fed(*bodies: bytes) -> MeasuredBook:
    book = MeasuredBook(VENUES["binance"], 0)
    book.fold(a_raw_record(live()), NOW)
    for number, body in enumerate(bodies, 1):
        book.fold(a_raw_record(a_frame(body, number), offset=number), NOW)
    book.changes()
    return book


def test_dead_letters_are_counted_by_kind():
    before = value("dead_letters_total", venue="binance", reason="bad frame")
    fed(b"nonsense", b"more nonsense")
    assert value("dead_letters_total", venue="binance", reason="bad frame") == before + 2


def test_an_unknown_field_is_counted_once_for_each_message_that_has_it():
    balance = b'{"e":"balanceUpdate","E":1,"a":"USDT","d":"1","T":1,"neverHeardOf":1}'
    frame = b'{"subscriptionId":0,"event":' + balance + b"}"
    book = fed(frame, frame)
    unknown = {name: n for (kind, name), n in book.tallies.items() if kind == "unknown"}
    assert len(unknown) == 1
    ((name, number),) = unknown.items()
    assert number == 2
    assert value("unknown_fields_total", venue="binance", name=name) >= 2


def test_blindness_and_catching_up_are_shown_by_account():
    fed()
    assert value("blind_intervals", account=ACCOUNT) == 1
    assert value("catching_up", account=ACCOUNT) == 1


def test_a_quarantine_is_shown():
    book = fed()
    book.leave_out(a_raw_record(a_frame(b"{}"), offset=9), "AssertionError", "trace", NOW)
    book.changes()
    assert value("quarantined", account=ACCOUNT) == 1
