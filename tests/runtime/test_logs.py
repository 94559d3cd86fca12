"""Every log record is one JSON line, whatever it holds."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from runtime.logs import set_up_logs


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up_logs("ingest binance", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_carries_order_key_account_and_cause(lines: io.StringIO) -> None:
    extra = {"order_key": "binance:main/spot/BTCUSDT/1", "account": "binance:main", "cause": "x"}
    logging.getLogger("any").warning("line\nbreak %d", 7, extra=extra)
    (line,) = lines.getvalue().splitlines()
    record = json.loads(line)
    assert record.pop("time").endswith("+00:00")
    assert record == {
        "level": "WARNING",
        "process": "ingest binance",
        "logger": "any",
        "message": "line\nbreak 7",
        **extra,
    }


def test_a_trace_stands_in_the_same_line(lines: io.StringIO) -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("any").exception("oh")
    (line,) = lines.getvalue().splitlines()
    assert "ValueError: broken" in json.loads(line)["trace"]


def test_odd_values_do_not_break_a_line(lines: io.StringIO) -> None:
    extra = {"cause": {b"bytes": object(), 1: {2}}, "account": "\ud800"}
    # Not through the root: what pytest captures there must be text that it can send on.
    alone = logging.Logger("any")
    alone.addHandler(logging.getLogger().handlers[0])
    alone.error("odd \udfff", extra=extra)
    assert json.loads(lines.getvalue())["message"] == "odd \udfff"


def test_chatty_libraries_are_quiet_and_ours_are_heard(lines: io.StringIO) -> None:
    logging.getLogger("aiokafka.consumer").info("chatter")
    logging.getLogger("aiokafka.consumer").warning("trouble")
    logging.getLogger("ingest").info("ours")
    assert [json.loads(line)["message"] for line in lines.getvalue().splitlines()] == [
        "trouble",
        "ours",
    ]
