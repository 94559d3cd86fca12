"""`normalize` over bytes: one line out for each line in, whatever stands in it."""

import io
import re
import subprocess
import sys
from typing import Any

import orjson
import pytest

from cli.lines import LINE_BYTES_MAX, line_of, output_line, read_lines
from cli.normalize import run
from cli.tools import _NORMALIZE
from orderloom.words import Source
from tests.source_tree import ROOT
from tests.venues.frames import cases
from venues import VENUES
from venues.document import DEPTH_MAX

VENUE = VENUES["binance"]
FILL = (
    b'{"e":"TRADE_LITE","E":1793000012009,"T":1793000012008,"s":"BTCUSDT","q":"0.030",'
    b'"p":"91000.0","m":true,"c":"osp-f-0031","S":"SELL","L":"91000.0","l":"0.010",'
    b'"t":6610020031,"i":551200341}'
)


def normalized(stdin: bytes) -> list[dict[str, Any]]:
    stdout = io.BytesIO()
    assert run(VENUE, io.BytesIO(stdin), stdout) == 0
    return [orjson.loads(line) for line in stdout.getvalue().splitlines()]


def line(**fields: Any) -> bytes:
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def test_a_message_may_be_given_parsed_or_as_its_exact_text() -> None:
    parsed = b'{"ref":1,"raw":' + FILL + b"}\n"
    as_text = line(ref=1, raw=FILL.decode())
    first, second = normalized(parsed + as_text)
    assert first == second
    assert first == {
        "ref": 1,
        "events": [
            {
                "type": "execution",
                "product": "linear",
                "symbol": "BTCUSDT",
                "exec_id": "6610020031",
                "venue_order_id": "551200341",
                "client_order_id": "osp-f-0031",
                "side": "SELL",
                "last_price": "91000",
                "last_quantity": "0.01",
                "quantity_unit": "base",
                "liquidity": "MAKER",
                "venue_ns": 1793000012008000000,
            }
        ],
    }


def test_numbers_that_are_no_text_keep_their_digits() -> None:
    body = FILL.replace(b'"91000.0"', b"91000.10000000000000000001").replace(b'"0.010"', b"0.1")
    (said,) = normalized(b'{"ref":1,"raw":' + body + b"}\n")
    assert said["events"][0]["last_price"] == "91000.10000000000000000001"
    assert said["events"][0]["last_quantity"] == "0.1"


@pytest.mark.parametrize(
    "ref", [b"null", b"0", b'"a\\u00e9"', b"1.500", b"[1, {}]", b"123456789012345678901234567890"]
)
def test_a_ref_comes_back_as_it_was(ref: bytes) -> None:
    stdout = io.BytesIO()
    run(VENUE, io.BytesIO(b'{"ref":' + ref + b',"raw":{}}'), stdout)
    assert orjson.loads(stdout.getvalue())["ref"] == orjson.loads(ref)
    if b"u00" not in ref:
        assert stdout.getvalue().startswith(b'{"ref":' + ref + b",")


@pytest.mark.parametrize(
    "bad",
    [
        b"", b"nope", b"\xff\xfe", b"{", b"[]", b"7", b'{"ref":1,"raw":' + b"[" * 5000 + b"]" * 5000
        + b"}", b'{"ref":1,"raw":{"a":NaN}}', "{}".encode("utf-16"), b'{"ref":"\\ud800","raw":{}}',
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_one_dead_letter_without_ref(bad: bytes) -> None:
    (before, dead, after) = normalized(
        line(ref="a", raw={}) + bad.replace(b"\n", b"") + b"\n" + line(ref="b", raw={})
    )
    assert dead["ref"] is None
    assert dead["dead_letter"]
    assert [before["ref"], after["ref"]] == ["a", "b"]


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"raw": "pong"}, {"raw": '{"e":"execu'}, {"raw": 7}, {"raw": True}, {"raw": {}, "x": 1},
        {"raw": {}, "product": 5}, {"raw": {}, "source": "telegraph"}, {"raw": {}, "channel": []},
        {"raw": {}, "account": "no venue"}, {"raw": {}, "received_ns": -1},
        {"raw": {}, "asked_ns": "now"}, {"raw": {}, "kind": {}},
        {"raw": "[" * 100_000}, {"raw": {"e": "executionReport"}},
    ],
)  # fmt: skip
def test_a_line_with_a_wrong_envelope_or_message_keeps_its_ref(fields: dict[str, Any]) -> None:
    (said,) = normalized(line(ref="r", **fields))
    assert said["ref"] == "r"
    assert "dead_letter" in said or fields == {"raw": {}, "x": 1}


def test_a_line_beyond_the_limit_is_one_dead_letter_and_the_next_is_read() -> None:
    long = b'{"ref":1,"raw":"' + b"x" * (LINE_BYTES_MAX + 5) + b'"}\n'
    dead, after = normalized(long + line(ref="b", raw={}))
    assert dead["ref"] is None
    assert "longer" in dead["dead_letter"]
    assert after["ref"] == "b"


def test_the_last_line_needs_no_line_feed_and_no_input_gives_no_output() -> None:
    assert normalized(b"") == []
    assert len(normalized(b'{"ref":1,"raw":{}}')) == 1
    assert len(normalized(b"\n\n\n")) == 3


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("linear_order_trade_update: a full fill", b'"n":"'),
        ("spot_execution_report: a full fill", b'"n":"'),
        ("spot_trades: GET myTrades", b'"commission":"'),
        ("linear_trades: GET userTrades", b'"commission":"'),
    ],
)
def test_a_bad_fee_makes_the_whole_message_a_dead_letter(name: str, field: bytes) -> None:
    (case,) = (case for case in cases("binance") if case.name == name)
    body = case.body.replace(field, field + b"x", 1)
    (said,) = normalized(line(ref=1, product=case.product, raw=body.decode()))
    assert set(said) == {"ref", "dead_letter"}
    assert field.split(b'"')[1].decode() in said["dead_letter"]


def test_lines_say_by_which_way_a_message_came() -> None:
    def source(**fields: Any) -> Source:
        inbound = line_of(line(ref=1, raw={}, **fields)).inbound
        assert inbound is not None
        return inbound.source

    assert source() is source(source="stream") is Source.STREAM
    assert source(source="rest", channel="GET openOrders") is Source.QUERY
    assert source(source="rest", channel="order") is Source.QUERY
    assert source(source="rest", channel="DELETE order") is Source.REPLY


def test_lines_carry_account_and_times_where_they_are_given() -> None:
    given = line(ref=1, raw={}, account="binance:two", received_ns=7, asked_ns=5)
    found, bare = read_lines(io.BytesIO(given + line(ref=1, raw={})))
    assert (found.account, found.received_ns, found.asked_ns) == ("binance:two", 7, 5)
    assert (bare.account, bare.received_ns, bare.asked_ns) == (None, None, None)


def test_nesting_within_the_limit_is_read() -> None:
    depth = DEPTH_MAX - 2
    (said,) = normalized(
        b'{"ref":1,"raw":' + FILL[:-1] + b',"x":' + b"[" * depth + b"]" * depth + b"}}"
    )
    assert said["events"]


def test_an_output_line_holds_its_fields_after_the_ref() -> None:
    assert output_line(b"1", {"events": []}) == b'{"ref":1,"events":[]}\n'


def test_output_is_written_while_input_still_comes() -> None:
    class Slow(io.BytesIO):
        """Gives one line at a time, and notes what had been written by then."""

        written: list[int]

        def readline(self, size: int | None = -1, /) -> bytes:
            self.written.append(len(stdout.getvalue().splitlines()))
            return super().readline(size)

    stdout = io.BytesIO()
    stdin = Slow(line(ref=1, raw={}) * 3)
    stdin.written = []
    run(VENUE, stdin, stdout)
    assert stdin.written == [0, 1, 2, 3]


def test_the_page_of_formats_shows_what_the_commands_say() -> None:
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    shown, events, states = re.findall(r"^```\n(.*?)^```", page, re.M | re.S)
    orderloom = [sys.executable, "-m", "cli.main"]
    for command, said in (("normalize", events), ("fold", states)):
        answer = subprocess.run(
            [*orderloom, command, "binance"],
            input=shown, text=True, capture_output=True, check=True, cwd=ROOT,
        )  # fmt: skip
        assert answer.stdout == said
    assert '"type":"execution"' in events


def test_the_message_in_the_help_is_understood() -> None:
    [message] = re.findall(r"echo '(.*)'", _NORMALIZE)
    [said] = normalized(message.encode() + b"\n")
    assert [event["type"] for event in said["events"]] == ["order"]
